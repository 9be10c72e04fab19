//! SDMX-CSV 1.0 and 2.0: a line for each observation.
//!
//! ```text
//! DATAFLOW,FREQ,REGION,SEX,CONTENTS,TIME_PERIOD,OBS_VALUE,OBS_STATUS,CONF_STATUS,UNIT_MEASURE,DECIMALS
//! DUKCAPIL:POPULATION(1.0),S,3471,P,persons,2024-S1,,Q,C,PEOPLE,0
//! ```

use super::{
    components::{CONF_STATUS, CONFIDENTIALITIES, DECIMALS, OBS_STATUS, OBS_VALUE, STATUSES, TIME_PERIOD, UNIT_MEASURE},
    data::{DataDetail, DataOptions, Dialect, Head, Observation, Observations, SeriesAttributes, SeriesKey, Value},
    media::CsvVersion,
    names::VERSION,
};
use crate::{
    formats::push_number,
    spreadsheet::push_field,
    words::{Phrase, Tongue},
};

pub struct Csv {
    options: DataOptions,
    version: CsvVersion,
    labels: bool,
    tongue: Tongue,
    /// The fields that every line begins with.
    first: Vec<u8>,
}

impl Csv {
    pub fn new(head: &Head<'_>, version: CsvVersion, labels: bool) -> Self {
        let library = head.names.library;
        let mut flow = format!("{}:{}({VERSION})", head.names.agency, head.names.flows[head.table]);
        if labels {
            flow = format!("{flow}: {}", library.tables[head.table].table.label.text(head.language));
        }
        let mut first = Vec::new();
        if version == CsvVersion::Two {
            first.extend_from_slice(b"dataflow,");
        }
        push_field(&mut first, &flow);
        first.push(b',');
        if version == CsvVersion::Two {
            first.extend_from_slice(b"I,");
        }
        Self { options: head.options, version, labels, tongue: library.tongue(head.language), first }
    }

    /// A code, with its name behind it if names are shown.
    fn shown(&self, out: &mut Vec<u8>, code: &str, label: &str) {
        if self.labels && !label.is_empty() && label != code {
            push_field(out, &format!("{code}: {label}"));
        } else {
            push_field(out, code);
        }
    }

    fn flag(&self, out: &mut Vec<u8>, code: &str, codes: &[(&str, &Phrase)]) {
        let label = codes.iter().find(|(known, _)| *known == code).map_or("", |(_, phrase)| phrase.text(self.tongue));
        self.shown(out, code, label);
        out.push(b',');
    }

    fn line(&self, key: &SeriesKey<'_>, observation: Option<&Observation<'_>>, series: &SeriesAttributes<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.first);
        key.push(out);
        if let Some(observation) = observation {
            out.extend_from_slice(observation.time);
            if let Some((number, decimals)) = observation.number {
                push_number(out, number, decimals);
            }
            out.push(b',');
            if self.options.detail.attributes() {
                self.flag(out, observation.flags.0, &STATUSES);
                self.flag(out, observation.flags.1, &CONFIDENTIALITIES);
            }
        }
        if self.options.detail.attributes() {
            out.extend_from_slice(series.unit);
            out.extend_from_slice(series.decimals.to_string().as_bytes());
            out.push(b',');
        }
        // Of the commas behind all fields the last one is too many.
        out.pop();
        out.push(b'\n');
    }
}

impl Dialect for Csv {
    fn head(&self, head: &Head<'_>, out: &mut Vec<u8>) {
        let components = head.names.components();
        let mut columns = head.keyed();
        if self.options.detail.observations() {
            columns.extend([TIME_PERIOD, OBS_VALUE]);
        }
        if self.options.detail == DataDetail::Full {
            columns.extend([OBS_STATUS, CONF_STATUS]);
        }
        if self.options.detail.attributes() {
            columns.extend([UNIT_MEASURE, DECIMALS]);
        }
        out.extend_from_slice(match self.version {
            CsvVersion::One => b"DATAFLOW".as_slice(),
            CsvVersion::Two => b"STRUCTURE,STRUCTURE_ID,ACTION",
        });
        for column in columns {
            out.push(b',');
            let name = components.iter().find(|(id, _)| *id == column).map_or("", |(_, name)| name.text(head.names.library, head.language));
            self.shown(out, column, name);
        }
        out.push(b'\n');
    }

    fn value(&self, value: &Value<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        // Periods are times and no codes: programs read them as they are.
        self.shown(&mut out, value.code, if value.component == TIME_PERIOD { "" } else { value.label });
        out.push(b',');
        out
    }

    fn series(&self, key: &SeriesKey<'_>, attributes: &SeriesAttributes<'_>, observations: Observations<'_, '_>, out: &mut Vec<u8>) {
        if !self.options.detail.observations() {
            self.line(key, None, attributes, out);
        }
        for observation in observations {
            self.line(key, Some(&observation), attributes, out);
        }
    }

    fn tail(&self) -> Option<(&'static str, &'static str)> {
        None
    }
}
