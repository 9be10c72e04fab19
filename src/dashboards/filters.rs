//! What a reader chooses of a dashboard, and what stands for it in panels.

use crate::{
    sql::{Parameter, ParameterKind},
    tables::Library,
    words::{self, Message},
};

/// Something that a reader may choose. It takes what a parameter of a named query takes, and always has a default.
pub type Filter = Parameter;

/// What was chosen for every filter of a dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Name of the filter, and what stands for it.
    pub pairs: Vec<(String, String)>,
}

/// What follows a name in `$region.parent`: the code above.
const PARENT: &str = "parent";
/// What follows a name in `$period.before`: the period before.
const BEFORE: &str = "before";

impl Given {
    /// Reads what an address gives for filters; others of its parameters do not matter.
    ///
    /// # Errors
    /// Names the filter, what was given, and what may be given.
    pub fn read<'p>(filters: &[Filter], library: &Library, get: impl Fn(&str) -> Option<&'p str>) -> Result<Self, Message> {
        let mut pairs = Vec::with_capacity(filters.len());
        for filter in filters {
            let given = get(&filter.name).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
            let text = given.or_else(|| filter.default_text(library)).unwrap_or_default();
            let shown = || text.chars().take(60).collect::<String>();
            let (_, text) = filter
                .read(&text, library)
                .map_err(|expected| words::PARAMETER_IS.with(filter.name.as_str()).and(shown()).and(expected))?;
            pairs.push((filter.name.clone(), text));
        }
        Ok(Self { pairs })
    }

    /// What was chosen for a filter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A text with every `$name`, `$name.parent` and `$name.before` replaced.
    ///
    /// # Errors
    /// The name that stands for nothing.
    pub fn fill(&self, text: &str, filters: &[Filter], library: &Library) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            filled.push_str(before);
            let end = after.find(|char: char| !char.is_ascii_alphanumeric() && char != '_').unwrap_or(after.len());
            let (name, mut behind) = after.split_at(end);
            let Some((filter, value)) = filters.iter().find(|filter| filter.name == name).zip(self.get(name)) else {
                return Err(name.to_owned());
            };
            let mut found = Some(value.to_owned());
            for (suffix, of) in [(PARENT, above as fn(&Filter, &Library, &str) -> Option<String>), (BEFORE, earlier)] {
                if let Some(left) = behind.strip_prefix('.').and_then(|behind| behind.strip_prefix(suffix)) {
                    found = of(filter, library, value);
                    behind = left;
                    break;
                }
            }
            filled.push_str(&found.ok_or_else(|| format!("{name}{}", &after[end..after.len() - behind.len()]))?);
            rest = behind;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

/// The code above a code; the root stands above itself, so that a region without one is compared with itself.
fn above(filter: &Filter, library: &Library, code: &str) -> Option<String> {
    let ParameterKind::Code(dimension, _) = filter.kind else { return None };
    let nodes = &library.dimensions[dimension].nodes;
    let at = library.dimensions[dimension].find(code)?;
    let parent = nodes[at as usize].parent.unwrap_or(at);
    Some(nodes[parent as usize].code.clone())
}

/// The period before a period; the first one stands before itself.
fn earlier(filter: &Filter, library: &Library, period: &str) -> Option<String> {
    (filter.kind == ParameterKind::Period).then_some(())?;
    let at = (0..library.releases.len()).find(|&at| library.period(at) == period)?;
    Some(library.period(at.saturating_sub(1)).to_owned())
}
