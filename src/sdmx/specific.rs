//! Structure-specific SDMX-ML: components are attributes of series and observations.

use super::{
    components::{CONF_STATUS, DECIMALS, OBS_STATUS, OBS_VALUE},
    data::{DataOptions, Dialect, Head, Observation, Observations, ObservedBy, SeriesAttributes, SeriesKey, Value},
    message::namespaces,
    names::VERSION,
    xml::{Xml, push_attribute},
};
use crate::formats::push_number;

pub struct Specific {
    pub options: DataOptions,
}

impl Specific {
    fn number_and_flags(&self, observation: &Observation<'_>, out: &mut Vec<u8>) {
        if let Some((number, decimals)) = observation.number {
            out.push(b' ');
            out.extend_from_slice(OBS_VALUE.as_bytes());
            out.extend_from_slice(b"=\"");
            push_number(out, number, decimals);
            out.push(b'"');
        }
        if self.options.detail.attributes() {
            push_attribute(out, OBS_STATUS, observation.flags.0);
            push_attribute(out, CONF_STATUS, observation.flags.1);
        }
    }

    fn of_series(&self, attributes: &SeriesAttributes<'_>, out: &mut Vec<u8>) {
        if self.options.detail.attributes() {
            out.extend_from_slice(attributes.unit);
            push_attribute(out, DECIMALS, &attributes.decimals.to_string());
        }
    }
}

impl Dialect for Specific {
    fn head(&self, head: &Head<'_>, out: &mut Vec<u8>) {
        let structure = head.names.structure(head.table);
        let observed = match self.options.arranged() {
            ObservedBy::Time => "TIME_PERIOD",
            ObservedBy::AllDimensions => "AllDimensions",
        };
        let agency = &head.names.agency;
        let namespace =
            format!("urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure={agency}:{structure}({VERSION}):ObsLevelDim:{observed}");
        let own = [
            ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
            ("xmlns:data", "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/structurespecific"),
            ("xmlns:own", namespace.as_str()),
        ];
        let mut xml = Xml::new(out);
        xml.declaration().open("mes:StructureSpecificData", &namespaces(&own));
        head.message(&mut xml, Some(&namespace));
        let attributes = [
            ("data:structureRef", structure.as_str()),
            ("data:dataScope", "DataStructure"),
            ("data:action", "Information"),
            ("xsi:type", "own:DataSetType"),
        ];
        xml.open("mes:DataSet", &attributes);
    }

    fn value(&self, value: &Value<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        push_attribute(&mut out, value.component, value.code);
        out
    }

    fn series(&self, key: &SeriesKey<'_>, attributes: &SeriesAttributes<'_>, observations: Observations<'_, '_>, out: &mut Vec<u8>) {
        let in_series = self.options.arranged() == ObservedBy::Time;
        if in_series {
            out.extend_from_slice(b"<Series");
            key.push(out);
            self.of_series(attributes, out);
            out.push(b'>');
        }
        for observation in observations {
            out.extend_from_slice(b"<Obs");
            if !in_series {
                key.push(out);
                self.of_series(attributes, out);
            }
            out.extend_from_slice(observation.time);
            self.number_and_flags(&observation, out);
            out.extend_from_slice(b"/>");
        }
        if in_series {
            out.extend_from_slice(b"</Series>");
        }
    }

    fn tail(&self) -> Option<(&'static str, &'static str)> {
        Some(("</mes:DataSet>", "</mes:StructureSpecificData>"))
    }
}
