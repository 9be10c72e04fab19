//! The forms that data are written in, and how clients ask for one.

use super::refusal::{Refusal, RefusalKind, short};
use crate::words;

/// The media type of structures and errors.
pub const STRUCTURE: &str = "application/vnd.sdmx.structure+xml;version=2.1";

/// A version of SDMX-CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CsvVersion {
    /// 1.0: a column `DATAFLOW`.
    One,
    /// 2.0: columns `STRUCTURE`, `STRUCTURE_ID`, `ACTION`.
    Two,
}

/// A form that data are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Generic SDMX-ML: what clients get that do not care, because it can be read without the data structure.
    Generic,
    /// Structure-specific SDMX-ML.
    Specific,
    /// SDMX-CSV; with labels, codes are followed by their names.
    Csv {
        /// Which version.
        version: CsvVersion,
        /// Whether names stand behind codes.
        labels: bool,
    },
}

/// One of the types in an `Accept` header.
struct Wish<'a> {
    media: String,
    parameters: Vec<(String, &'a str)>,
    weight: f32,
}

impl<'a> Wish<'a> {
    fn parse(text: &'a str) -> Self {
        let mut parts = text.split(';');
        let media = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let pair = |part: &'a str| {
            let (name, value) = part.split_once('=')?;
            Some((name.trim().to_ascii_lowercase(), value.trim().trim_matches('"')))
        };
        let parameters: Vec<(String, &str)> = parts.filter_map(pair).collect();
        let weight = parameters.iter().find(|(name, _)| name == "q").and_then(|(_, value)| value.parse().ok()).unwrap_or(1.0);
        Self { media, parameters, weight }
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// Whether it leaves the form of XML to us.
    fn any(&self) -> bool {
        matches!(self.media.as_str(), "*/*" | "application/*" | "application/xml" | "text/xml" | "text/*")
    }

    fn format(&self) -> Option<Format> {
        let version = self.get("version");
        let ml = |format: Format| version.is_none_or(|version| version == "2.1").then_some(format);
        match self.media.as_str() {
            _ if self.any() => Some(Format::Generic),
            "application/vnd.sdmx.genericdata+xml" => ml(Format::Generic),
            "application/vnd.sdmx.structurespecificdata+xml" => ml(Format::Specific),
            "application/vnd.sdmx.data+csv" | "text/csv" => {
                let version = match version {
                    None | Some("1.0.0" | "1.0") => CsvVersion::One,
                    Some("2.0.0" | "2.0") => CsvVersion::Two,
                    Some(_) => return None,
                };
                let labels = match self.get("labels") {
                    None | Some("id") => false,
                    Some("both") => true,
                    Some(_) => return None,
                };
                // Times are written as they are; no other form of them is offered.
                self.get("timeformat").is_none_or(|form| form == "original").then_some(Format::Csv { version, labels })
            }
            _ => None,
        }
    }
}

fn wishes(accept: &str) -> Vec<Wish<'_>> {
    let mut wishes: Vec<Wish<'_>> =
        accept.split(',').filter(|text| !text.trim().is_empty()).map(Wish::parse).filter(|wish| wish.weight > 0.0).collect();
    // What is wished alike is taken in the order it is named.
    wishes.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    wishes
}

/// What the parameter `format` may be.
pub const FORMAT_NAMES: [&str; 4] = ["genericdata", "structurespecificdata", "csv", "csv2"];
/// What the parameter `labels` may be.
pub const LABELS: [&str; 2] = ["id", "both"];

impl Format {
    /// The form that a client wants: by name in its address (`format=csv`, `labels=both`), or by its `Accept` header.
    ///
    /// # Errors
    /// Where it wants none of those that there are.
    pub fn wanted(name: Option<&str>, labels: Option<&str>, accept: Option<&str>) -> Result<Self, Refusal> {
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            let accept = accept.filter(|accept| !accept.trim().is_empty()).unwrap_or("*/*");
            return wishes(accept).iter().find_map(Wish::format).ok_or_else(|| unacceptable(accept, &MEDIA));
        };
        let labels = match labels.unwrap_or("") {
            "" | "id" => false,
            "both" => true,
            other => return Err(Refusal::choice("labels", other, &LABELS)),
        };
        match name.to_ascii_lowercase().as_str() {
            "genericdata" => Ok(Self::Generic),
            "structurespecificdata" => Ok(Self::Specific),
            "csv" => Ok(Self::Csv { version: CsvVersion::One, labels }),
            "csv2" => Ok(Self::Csv { version: CsvVersion::Two, labels }),
            _ => Err(Refusal::choice("format", name, &FORMAT_NAMES)),
        }
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Generic => MEDIA[0],
            Self::Specific => MEDIA[1],
            Self::Csv { version: CsvVersion::One, labels: false } => "application/vnd.sdmx.data+csv;version=1.0.0;labels=id;charset=utf-8",
            Self::Csv { version: CsvVersion::One, labels: true } => "application/vnd.sdmx.data+csv;version=1.0.0;labels=both;charset=utf-8",
            Self::Csv { version: CsvVersion::Two, labels: false } => "application/vnd.sdmx.data+csv;version=2.0.0;labels=id;charset=utf-8",
            Self::Csv { version: CsvVersion::Two, labels: true } => "application/vnd.sdmx.data+csv;version=2.0.0;labels=both;charset=utf-8",
        }
    }

    /// The ending of file names.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Generic | Self::Specific => "xml",
            Self::Csv { .. } => "csv",
        }
    }
}

/// The media types of data.
pub const MEDIA: [&str; 4] = [
    "application/vnd.sdmx.genericdata+xml;version=2.1",
    "application/vnd.sdmx.structurespecificdata+xml;version=2.1",
    "application/vnd.sdmx.data+csv;version=1.0.0",
    "application/vnd.sdmx.data+csv;version=2.0.0",
];

/// Whether a client that sends this `Accept` header takes structures as SDMX-ML.
///
/// # Errors
/// Where it does not.
pub fn structure_is_acceptable(accept: Option<&str>) -> Result<(), Refusal> {
    let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else { return Ok(()) };
    let takes = |wish: &Wish<'_>| {
        let ours = wish.media == "application/vnd.sdmx.structure+xml";
        wish.any() || ours && wish.get("version").is_none_or(|version| version == "2.1")
    };
    if wishes(accept).iter().any(takes) { Ok(()) } else { Err(unacceptable(accept, &[STRUCTURE])) }
}

fn unacceptable(accept: &str, there: &[&str]) -> Refusal {
    Refusal::new(RefusalKind::NotAcceptable, words::NO_MEDIA_TYPE.with(short(accept)).and(words::THERE_IS.with(there.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: Format = Format::Csv { version: CsvVersion::One, labels: false };

    #[test]
    fn the_form_follows_the_wishes() {
        let check = |accept: &str, expect: Format| assert_eq!(Format::wanted(None, None, Some(accept)), Ok(expect), "{accept}");
        check("", Format::Generic);
        check("*/*", Format::Generic);
        check("application/xml", Format::Generic);
        check("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Format::Generic);
        check("application/vnd.sdmx.structurespecificdata+xml;version=2.1", Format::Specific);
        check("application/vnd.sdmx.StructureSpecificData+xml; version=\"2.1\"", Format::Specific);
        check("application/vnd.sdmx.genericdata+xml;version=3.0, text/csv;q=0.1", CSV);
        check("application/vnd.sdmx.data+csv;version=2.0.0;labels=both", Format::Csv { version: CsvVersion::Two, labels: true });
        check("application/vnd.sdmx.data+csv;q=0.5, application/vnd.sdmx.genericdata+xml;q=0.6", Format::Generic);
        for refused in ["application/json", "application/vnd.sdmx.data+csv;version=9", "text/csv;q=0", "text/csv;labels=name"] {
            let refusal = Format::wanted(None, None, Some(refused)).unwrap_err();
            assert_eq!(refusal.kind, RefusalKind::NotAcceptable, "{refused}");
        }
    }

    #[test]
    fn a_name_in_the_address_wins() {
        assert_eq!(Format::wanted(Some("csv"), None, Some("application/json")), Ok(CSV));
        assert_eq!(Format::wanted(Some("CSV2"), Some("both"), None), Ok(Format::Csv { version: CsvVersion::Two, labels: true }));
        assert_eq!(Format::wanted(Some("xls"), None, None).unwrap_err().kind, RefusalKind::Syntax);
        assert_eq!(Format::wanted(Some("csv"), Some("name"), None).unwrap_err().kind, RefusalKind::Syntax);
    }

    #[test]
    fn structures_are_xml() {
        for taken in [None, Some(""), Some("*/*"), Some("application/json, application/xml;q=0.1"), Some(STRUCTURE)] {
            assert_eq!(structure_is_acceptable(taken), Ok(()), "{taken:?}");
        }
        for refused in ["application/json", "application/vnd.sdmx.structure+xml;version=3.0.0", "application/xml;q=0"] {
            assert!(structure_is_acceptable(Some(refused)).is_err(), "{refused}");
        }
    }
}
