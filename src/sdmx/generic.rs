//! Generic SDMX-ML: components are named in values, so that it can be read without the data structure.

use super::{
    components::{CONF_STATUS, DECIMALS, OBS_STATUS, TIME_PERIOD},
    data::{DataOptions, Dialect, Head, Observation, Observations, ObservedBy, SeriesAttributes, SeriesKey, Value},
    message::namespaces,
    xml::Xml,
};
use crate::formats::push_number;

pub struct Generic {
    pub options: DataOptions,
}

fn value(out: &mut Vec<u8>, id: &str, code: &str) {
    Xml::new(out).empty("gen:Value", &[("id", id), ("value", code)]);
}

fn number(observation: &Observation<'_>, out: &mut Vec<u8>) {
    if let Some((number, decimals)) = observation.number {
        out.extend_from_slice(b"<gen:ObsValue value=\"");
        push_number(out, number, decimals);
        out.extend_from_slice(b"\"/>");
    }
}

impl Generic {
    fn attributes(&self, observation: Option<&Observation<'_>>, series: Option<&SeriesAttributes<'_>>, out: &mut Vec<u8>) {
        if !self.options.detail.attributes() {
            return;
        }
        out.extend_from_slice(b"<gen:Attributes>");
        if let Some(Observation { flags: (status, confidentiality), .. }) = observation {
            value(out, OBS_STATUS, status);
            value(out, CONF_STATUS, confidentiality);
        }
        if let Some(SeriesAttributes { unit, decimals }) = series {
            out.extend_from_slice(unit);
            value(out, DECIMALS, &decimals.to_string());
        }
        out.extend_from_slice(b"</gen:Attributes>");
    }
}

impl Dialect for Generic {
    fn head(&self, head: &Head<'_>, out: &mut Vec<u8>) {
        let own = ("xmlns:gen", "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/generic");
        let mut xml = Xml::new(out);
        xml.declaration().open("mes:GenericData", &namespaces(&[own]));
        head.message(&mut xml, None);
        xml.open("mes:DataSet", &[("structureRef", &head.names.structure(head.table)), ("action", "Information")]);
    }

    /// A period in a series is an attribute of its own element; everywhere else a value names its component.
    fn value(&self, written: &Value<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        if written.component == TIME_PERIOD && self.options.arranged() == ObservedBy::Time {
            Xml::new(&mut out).empty("gen:ObsDimension", &[("value", written.code)]);
        } else {
            value(&mut out, written.component, written.code);
        }
        out
    }

    fn series(&self, key: &SeriesKey<'_>, attributes: &SeriesAttributes<'_>, observations: Observations<'_, '_>, out: &mut Vec<u8>) {
        if self.options.arranged() == ObservedBy::AllDimensions {
            for observation in observations {
                out.extend_from_slice(b"<gen:Obs><gen:ObsKey>");
                key.push(out);
                out.extend_from_slice(observation.time);
                out.extend_from_slice(b"</gen:ObsKey>");
                number(&observation, out);
                self.attributes(Some(&observation), Some(attributes), out);
                out.extend_from_slice(b"</gen:Obs>");
            }
            return;
        }
        out.extend_from_slice(b"<gen:Series><gen:SeriesKey>");
        key.push(out);
        out.extend_from_slice(b"</gen:SeriesKey>");
        self.attributes(None, Some(attributes), out);
        for observation in observations {
            out.extend_from_slice(b"<gen:Obs>");
            out.extend_from_slice(observation.time);
            number(&observation, out);
            self.attributes(Some(&observation), None, out);
            out.extend_from_slice(b"</gen:Obs>");
        }
        out.extend_from_slice(b"</gen:Series>");
    }

    fn tail(&self) -> Option<(&'static str, &'static str)> {
        Some(("</mes:DataSet>", "</mes:GenericData>"))
    }
}
