//! Reading what clients write: query strings and selection bodies of PxWebApi.
//!
//! Names are compared without regard to case, unknown ones ignored: clients differ in the first and send plenty of the second.

use serde::{Deserialize, de::DeserializeOwned};
use url::form_urlencoded;
use utoipa::ToSchema;

use super::problem::Problem;
use crate::{
    tables::{Request, Selection, listed},
    words,
};

/// A query string, taken apart.
#[derive(Debug, Default, Clone)]
pub struct Parameters {
    pairs: Vec<(String, String)>,
}

impl Parameters {
    pub fn parse(query: Option<&str>) -> Self {
        let pairs = form_urlencoded::parse(query.unwrap_or("").as_bytes());
        Self { pairs: pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect() }
    }

    /// The last value of a parameter, because later ones override.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().rev().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// Sets a parameter that the client left out.
    pub fn default(&mut self, name: &str, value: &str) {
        if self.get(name).is_none() {
            self.pairs.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Every parameter with its value, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A number of at least 1.
    pub fn number(&self, name: &str, default: u32) -> Result<u32, Problem> {
        match self.get(name).filter(|text| !text.is_empty()) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .ok()
                .filter(|number| *number > 0)
                .ok_or_else(|| Problem::parameter("Illegal parameter", words::NO_NUMBER.with(name).and(short(text)))),
        }
    }

    /// Yes or no, however capitalised.
    pub fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.get(name).unwrap_or("").to_ascii_lowercase().as_str() {
            "" | "false" => Ok(false),
            "true" => Ok(true),
            other => Err(Problem::parameter("Illegal parameter", words::NO_FLAG.with(name).and(short(other)))),
        }
    }

    /// The items of a list parameter.
    pub fn list(&self, name: &str) -> Vec<String> {
        let values = self.pairs.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        values.flat_map(|(_, value)| listed(value)).collect()
    }

    /// The parameters `name[KEY]`, as key and value.
    fn bracketed<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.pairs.iter().filter_map(move |(known, value)| {
            let (prefix, key) = known.strip_suffix(']')?.split_once('[')?;
            prefix.trim().eq_ignore_ascii_case(name).then_some((key.trim(), value.as_str()))
        })
    }

    /// The code lists alone: `codelist[VAR]`.
    pub fn codelists(&self) -> Vec<Selection> {
        let one = |(variable, list): (&str, &str)| Selection {
            variable: variable.into(),
            codelist: Some(list.trim().into()),
            values: Vec::new(),
        };
        self.bracketed("codelist").map(one).collect()
    }

    /// The selection of a GET: `valueCodes[VAR]`, `codelist[VAR]`, `heading`, `stub`.
    pub fn request(&self) -> Request {
        let values = self.bracketed("valuecodes").map(|(variable, values)| Selection {
            variable: variable.into(),
            codelist: None,
            values: listed(values),
        });
        Request { selections: values.chain(self.codelists()).collect(), heading: self.list("heading"), stub: self.list("stub") }
    }
}

/// A selection as clients post it.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = Selection)]
pub struct Body {
    #[serde(default, alias = "Selection")]
    selection: Option<Vec<Part>>,
    // One released version of the interface misspells the key.
    #[serde(default, alias = "Placement", alias = "palcement", alias = "Palcement")]
    placement: Option<Placement>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = VariableSelection)]
struct Part {
    #[serde(rename = "variableCode", alias = "VariableCode", alias = "variablecode")]
    variable_code: String,
    #[serde(default, alias = "codeList", alias = "Codelist", alias = "CodeList")]
    codelist: Option<String>,
    #[serde(default, rename = "valueCodes", alias = "ValueCodes", alias = "valuecodes")]
    value_codes: Option<Vec<String>>,
}

#[derive(Deserialize, Default, ToSchema)]
#[schema(as = VariablePlacement)]
struct Placement {
    #[serde(default, alias = "Heading")]
    heading: Option<Vec<String>>,
    #[serde(default, alias = "Stub")]
    stub: Option<Vec<String>>,
}

impl From<Body> for Request {
    fn from(body: Body) -> Self {
        let selections = body.selection.unwrap_or_default().into_iter().map(|part| Selection {
            variable: part.variable_code,
            codelist: part.codelist,
            values: part.value_codes.unwrap_or_default(),
        });
        let placement = body.placement.unwrap_or_default();
        Self { selections: selections.collect(), heading: placement.heading.unwrap_or_default(), stub: placement.stub.unwrap_or_default() }
    }
}

/// The selection in the body of a POST; an empty body selects nothing in particular.
pub fn selection_body(body: &[u8]) -> Result<Request, Problem> {
    if body.trim_ascii().is_empty() {
        return Ok(Request::default());
    }
    let form = r#"{"selection":[{"variableCode":"Tid","valueCodes":["top(1)"]}],"placement":{"heading":["Tid"],"stub":[]}}"#;
    read_body::<Body>(body, form).map(Request::from)
}

/// Reads a body of JSON; `form` shows what is expected.
fn read_body<T: DeserializeOwned>(body: &[u8], form: &'static str) -> Result<T, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| Problem::parameter("Illegal request body", words::NO_BODY.with(error.to_string()).and(form)))
}

/// A query as clients post it to be saved.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = QueryToSave)]
pub struct SavedBody {
    table_id: Option<String>,
    language: Option<String>,
    output_format: Option<String>,
    output_format_params: Option<Vec<String>>,
    selection: Option<Body>,
    time_mode: Option<TimeMode>,
}

/// What becomes of the periods of a saved query when there are new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TimeMode {
    /// They stay as they are.
    Fixed,
    /// They begin where they do and grow with every new one.
    Growing,
    /// As many of the newest as there are.
    Rolling,
}

/// A query that is to be saved.
pub struct ToSave {
    pub table: String,
    pub language: Option<String>,
    pub format: String,
    pub options: Vec<String>,
    pub request: Request,
    pub time: Option<TimeMode>,
}

/// The query in the body of a POST to the saved ones.
pub fn saved_body(body: &[u8]) -> Result<ToSave, Problem> {
    let form = r#"{"tableId":"population","outputFormat":"csv","selection":{"selection":[{"variableCode":"Tid","valueCodes":["top(1)"]}]},"timeMode":"rolling"}"#;
    let body: SavedBody = read_body(body, form)?;
    let Some(table) = body.table_id else {
        return Err(Problem::parameter("No query specified", words::NO_BODY.with("tableId").and(form)));
    };
    Ok(ToSave {
        table,
        language: body.language,
        format: body.output_format.unwrap_or_default(),
        options: body.output_format_params.unwrap_or_default(),
        request: body.selection.map(Request::from).unwrap_or_default(),
        time: body.time_mode,
    })
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_be_written_in_any_case_and_encoded() {
        let parameters =
            Parameters::parse(Some("VALUECODES%5BSex%5D=L&valueCodes[Sex]=P&CodeList[Age]=vs_age_band&lang=ID&x=1&Heading=Tid"));
        let request = parameters.request();
        let values: Vec<_> = request.selections.iter().map(|s| (s.variable.as_str(), s.codelist.as_deref(), s.values.join("+"))).collect();
        assert_eq!(values, [("Sex", None, "L".into()), ("Sex", None, "P".into()), ("Age", Some("vs_age_band"), String::new())]);
        assert_eq!((parameters.get("LANG"), request.heading), (Some("ID"), vec!["Tid".to_owned()]));
    }

    #[test]
    fn flags_and_numbers() {
        let parameters = Parameters::parse(Some("a=True&b=FALSE&c=maybe&n=12&z=0"));
        assert!(parameters.flag("a").unwrap());
        assert!(!parameters.flag("b").unwrap() && !parameters.flag("none").unwrap());
        assert!(parameters.flag("c").is_err());
        assert_eq!((parameters.number("n", 1).unwrap(), parameters.number("none", 7).unwrap()), (12, 7));
        assert!(parameters.number("z", 1).is_err() && parameters.number("c", 1).is_err());
    }
}
