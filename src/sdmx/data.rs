//! Data messages: an answer series by series, in any of the forms.
//!
//! In an answer the period varies fastest, so that the cells of a series are neighbours. How its parts are written is known before the
//! first cell: every code of every dimension is made into bytes once, and a series key is a few of them in a row.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{
    components::{CONTENTS, FREQ, TIME_PERIOD, UNIT_MEASURE, flags},
    csv::Csv,
    generic::Generic,
    media::Format,
    message::{footer, header},
    names::{Names, VERSION, encode},
    refusal::Refusal,
    specific::Specific,
    xml::Xml,
};
use crate::{
    error::Result,
    formats::{Document, PIECE},
    tables::{Answer, CellStatus, Library, Variable},
    words,
};

/// What the parameter `detail` of data may be.
pub const DATA_DETAILS: [&str; 4] = ["full", "dataonly", "serieskeysonly", "nodata"];
/// What the parameter `dimensionAtObservation` may be.
pub const OBSERVED_BY: [&str; 2] = ["TIME_PERIOD", "AllDimensions"];

/// What is left out of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataDetail {
    /// Nothing.
    Full,
    /// Attributes.
    DataOnly,
    /// Everything but the keys of series.
    SeriesKeysOnly,
    /// Observations.
    NoData,
}

/// How observations are arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObservedBy {
    /// In series over time.
    Time,
    /// Each with its whole key.
    AllDimensions,
}

/// How data are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataOptions {
    /// The form.
    pub format: Format,
    /// What is left out.
    pub detail: DataDetail,
    /// How observations are arranged.
    pub by: ObservedBy,
}

impl DataDetail {
    /// Reads the parameter `detail`.
    ///
    /// # Errors
    /// Where it is none of the words of the standard.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        match text.to_ascii_lowercase().as_str() {
            "" | "full" => Ok(Self::Full),
            "dataonly" => Ok(Self::DataOnly),
            "serieskeysonly" => Ok(Self::SeriesKeysOnly),
            "nodata" => Ok(Self::NoData),
            _ => Err(Refusal::choice("detail", text, &DATA_DETAILS)),
        }
    }

    /// Whether attributes are written.
    pub(super) fn attributes(self) -> bool {
        matches!(self, Self::Full | Self::NoData)
    }

    /// Whether observations are written.
    pub(super) fn observations(self) -> bool {
        matches!(self, Self::Full | Self::DataOnly)
    }
}

impl ObservedBy {
    /// Reads the parameter `dimensionAtObservation`.
    ///
    /// # Errors
    /// Where it is another dimension: data are arranged over time or not at all.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        match text.to_ascii_lowercase().as_str() {
            "" | "time_period" => Ok(Self::Time),
            "alldimensions" => Ok(Self::AllDimensions),
            _ => Err(Refusal::choice("dimensionAtObservation", text, &OBSERVED_BY)),
        }
    }
}

impl DataOptions {
    /// A short text that no two choices share.
    pub fn key(self) -> String {
        format!("{self:?}")
    }

    /// Where no observations are written there are only series.
    pub(super) fn arranged(self) -> ObservedBy {
        if self.detail.observations() { self.by } else { ObservedBy::Time }
    }
}

/// What a document says before its data.
pub(super) struct Head<'a> {
    pub names: &'a Names<'a>,
    pub table: usize,
    pub options: DataOptions,
    /// Position of the language of names in CSV.
    pub language: usize,
    /// When the newest of the table's cells were published.
    pub prepared: DateTime<Utc>,
}

impl Head<'_> {
    /// The dimensions that make up the key of a series, in order.
    pub fn keyed(&self) -> Vec<&str> {
        let axes = (0..self.names.library.tables[self.table].axes.len()).map(|axis| self.names.axis(self.table, axis));
        std::iter::once(FREQ).chain(axes).chain([CONTENTS]).collect()
    }

    /// The header of an SDMX-ML message; `namespace` is that of the structure where there is one.
    pub fn message(&self, xml: &mut Xml<'_>, namespace: Option<&str>) {
        let structure = self.names.structure(self.table);
        let observed = match self.options.arranged() {
            ObservedBy::Time => TIME_PERIOD,
            ObservedBy::AllDimensions => "AllDimensions",
        };
        header(xml, self.names, &self.names.flows[self.table], self.prepared, |xml| {
            let mut attributes = vec![("structureID", structure.as_str()), ("dimensionAtObservation", observed)];
            attributes.extend(namespace.map(|namespace| ("namespace", namespace)));
            xml.element("mes:Structure", &attributes, |xml| {
                xml.element("com:Structure", &[], |xml| {
                    let agency = self.names.agency.as_str();
                    let reference = [
                        ("id", structure.as_str()),
                        ("version", VERSION),
                        ("agencyID", agency),
                        ("package", "datastructure"),
                        ("class", "DataStructure"),
                    ];
                    xml.empty("Ref", &reference);
                });
            });
            xml.text("mes:DataSetAction", &[], "Information").text("mes:DataSetID", &[], &self.names.flows[self.table]);
        });
    }
}

/// A value of a component, written out: code and, for forms that show it, name.
pub(super) struct Value<'a> {
    pub component: &'a str,
    pub code: &'a str,
    pub label: &'a str,
}

/// What stands beside the key of an observation.
pub(super) struct Observation<'a> {
    /// The period, written out.
    pub time: &'a [u8],
    /// The number in units of the last decimal place, and how many places there are.
    pub number: Option<(i64, u8)>,
    /// `OBS_STATUS` and `CONF_STATUS`.
    pub flags: (&'static str, &'static str),
}

/// What is the same for all observations of a series.
pub(super) struct SeriesAttributes<'a> {
    /// The unit, written out.
    pub unit: &'a [u8],
    pub decimals: u8,
}

/// The parts of a series key, written out.
pub(super) struct SeriesKey<'a> {
    frequency: &'a [u8],
    parts: &'a [Vec<Vec<u8>>],
    at: &'a [usize],
}

impl SeriesKey<'_> {
    pub fn push(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.frequency);
        for (parts, at) in self.parts.iter().zip(self.at) {
            out.extend_from_slice(&parts[*at]);
        }
    }
}

/// The observations of a series, oldest first; none where none are to be written.
pub(super) type Observations<'o, 'a> = &'o mut dyn Iterator<Item = Observation<'a>>;

/// A form of data.
pub(super) trait Dialect: Send {
    /// What stands before the data.
    fn head(&self, head: &Head<'_>, out: &mut Vec<u8>);
    /// How a value of a dimension or of the unit is written.
    fn value(&self, value: &Value<'_>) -> Vec<u8>;
    /// A series with its observations.
    fn series(&self, key: &SeriesKey<'_>, attributes: &SeriesAttributes<'_>, observations: Observations<'_, '_>, out: &mut Vec<u8>);
    /// What stands behind the data, before and behind the footer; `None` where there is no place for one.
    fn tail(&self) -> Option<(&'static str, &'static str)>;
}

/// Begins to write an answer; it must have been selected by [`super::select`]. Names in CSV are in the language with this position.
pub fn document(library: &Library, answer: Arc<Answer>, options: DataOptions, language: usize) -> Box<dyn Document> {
    let names = Names::new(library);
    let table = answer.query.table;
    let head = Head { names: &names, table, options, language, prepared: library.tables[table].updated };
    let dialect: Box<dyn Dialect> = match options.format {
        Format::Generic => Box::new(Generic { options }),
        Format::Specific => Box::new(Specific { options }),
        Format::Csv { version, labels } => Box::new(Csv::new(&head, version, labels)),
    };
    Box::new(Data::new(&head, answer, dialect))
}

/// An answer being written.
struct Data {
    answer: Arc<Answer>,
    options: DataOptions,
    dialect: Box<dyn Dialect>,
    /// Everything before the first series, until it is written.
    head: Option<Vec<u8>>,
    tail: Vec<u8>,
    frequency: Vec<u8>,
    /// For each axis and for the measures each category, written out.
    parts: Vec<Vec<Vec<u8>>>,
    periods: Vec<Vec<u8>>,
    /// For each measure its unit.
    units: Vec<Vec<u8>>,
    /// Which category of each part comes next.
    at: Vec<usize>,
    cell: usize,
}

impl Data {
    fn new(about: &Head<'_>, answer: Arc<Answer>, dialect: Box<dyn Dialect>) -> Self {
        let names = about.names;
        let (library, query) = (names.library, &answer.query);
        let mut head = Vec::new();
        dialect.head(about, &mut head);
        let mut tail = Vec::new();
        if let Some((before, behind)) = dialect.tail() {
            tail.extend_from_slice(before.as_bytes());
            footer(&mut Xml::new(&mut tail), library, query);
            tail.extend_from_slice(behind.as_bytes());
        }
        let written = |component: &str, variable: Variable| -> Vec<Vec<u8>> {
            let categories = library.categories(query, variable, about.language);
            categories
                .iter()
                .map(|category| dialect.value(&Value { component, code: &encode(category.code), label: category.label }))
                .collect()
        };
        let mut parts: Vec<Vec<Vec<u8>>> =
            (0..query.axes.len()).map(|axis| written(names.axis(about.table, axis), Variable::Axis(axis))).collect();
        parts.push(written(CONTENTS, Variable::Contents));
        let often = library.register.frequency;
        let label = words::frequency(often).text(library.tongue(about.language));
        let unit = |id: &&str| {
            let label = names.units.iter().find(|unit| unit.id == **id).map_or("", |unit| unit.label.text(about.language));
            dialect.value(&Value { component: UNIT_MEASURE, code: id, label })
        };
        Self {
            options: about.options,
            head: Some(head),
            tail,
            frequency: dialect.value(&Value { component: FREQ, code: often.sdmx(), label }),
            periods: written(TIME_PERIOD, Variable::Time),
            units: names.units_of(query).iter().map(unit).collect(),
            at: vec![0; parts.len()],
            parts,
            cell: 0,
            dialect,
            answer,
        }
    }

    fn series(&mut self, out: &mut Vec<u8>) {
        let key = SeriesKey { frequency: &self.frequency, parts: &self.parts, at: &self.at };
        let measure = self.at.last().copied().unwrap_or(0);
        let attributes = SeriesAttributes { unit: &self.units[measure], decimals: self.answer.decimals(self.cell) };
        let observed = if self.options.detail.observations() { self.periods.as_slice() } else { &[] };
        let mut observations = observed.iter().zip(self.cell..).map(|(time, cell)| {
            let status = self.answer.statuses[cell];
            let number = (status == CellStatus::Published).then(|| (self.answer.values[cell], self.answer.decimals(cell)));
            Observation { time, number, flags: flags(status) }
        });
        self.dialect.series(&key, &attributes, &mut observations, out);
        self.cell += self.periods.len();
        for (parts, at) in self.parts.iter().zip(&mut self.at).rev() {
            *at += 1;
            if *at < parts.len() {
                break;
            }
            *at = 0;
        }
    }
}

impl Document for Data {
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        let end = out.len() + PIECE;
        if let Some(head) = self.head.take() {
            out.extend_from_slice(&head);
        }
        while self.cell < self.answer.statuses.len() {
            if out.len() >= end {
                return Ok(true);
            }
            self.series(out);
        }
        out.append(&mut self.tail);
        Ok(false)
    }
}
