//! What a client asks of a table, and what may be wrong with it.

use crate::words::{Message, THERE_ARE, THERE_IS};

/// A request for a table's cells, as the client wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// What is chosen of each variable. Empty: the default selection.
    pub selections: Vec<Selection>,
    /// Variables that vary in the heading, fastest last.
    pub heading: Vec<String>,
    /// Variables that vary in the stub.
    pub stub: Vec<String>,
}

impl Request {
    /// The same as parameters of an address, by name: what [`listed`] takes apart again.
    pub fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for selection in &self.selections {
            if let Some(codelist) = &selection.codelist {
                pairs.push((format!("codelist[{}]", selection.variable), codelist.clone()));
            }
            if !selection.values.is_empty() {
                pairs.push((format!("valueCodes[{}]", selection.variable), joined(&selection.values)));
            }
        }
        for (name, variables) in [("heading", &self.heading), ("stub", &self.stub)] {
            if !variables.is_empty() {
                pairs.push((name.to_owned(), joined(variables)));
            }
        }
        pairs
    }
}

/// What is chosen of one variable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// The variable's code.
    pub variable: String,
    /// The code list to choose from, if not the variable's own nodes.
    pub codelist: Option<String>,
    /// Codes and expressions. Empty: the variable is eliminated, or all of the code list is chosen if there is one.
    pub values: Vec<String>,
}

/// What a request does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It names a table that does not exist.
    NoTable,
    /// It lies outside of what the reader may see.
    OutOfScope,
    /// It asks for numbers that were withdrawn.
    Withdrawn,
    /// It names a variable that the table lacks.
    NoVariable,
    /// It names a code list that does not exist or does not fit.
    NoCodeList,
    /// It names a code that does not exist.
    NoValue,
    /// It asks for a page beyond the last.
    NoPage,
    /// It says nothing of a variable that cannot be left out.
    Missing,
    /// It chooses nothing of a variable that cannot be left out.
    Nothing,
    /// It holds an expression that is none.
    Expression,
    /// It places variables in heading and stub that are not there, twice, or not all.
    Placement,
    /// It means more cells than allowed.
    TooMany,
    /// It chooses what the kind of chart cannot show.
    Chart,
}

/// A request that cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct RequestError {
    /// What is wrong.
    pub fault: Fault,
    /// What was asked for, what there is, and how to ask.
    pub detail: Message,
}

impl RequestError {
    pub(super) fn new(fault: Fault, detail: impl Into<Message>) -> Self {
        Self { fault, detail: detail.into() }
    }
}

/// Names some of what there is, for an error message: those most like what was asked for if there are many.
pub(super) fn known<'a>(asked: &str, names: impl Iterator<Item = &'a str> + Clone) -> Message {
    const SHOWN: usize = 12;
    let count = names.clone().count();
    if count <= SHOWN {
        return THERE_IS.with(names.collect::<Vec<_>>().join(", "));
    }
    let likeness = |name: &str| name.bytes().zip(asked.bytes()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
    let best = names.clone().map(likeness).max().unwrap_or(0);
    let nearest: Vec<&str> = names.filter(|name| likeness(name) == best).take(SHOWN).collect();
    THERE_ARE.with(count as u64).and(nearest.join(", "))
}

/// At most the first 60 characters of what a client wrote, to be repeated in a message.
pub(super) fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// A list as [`listed`] takes it apart: what holds a comma stands in brackets.
pub fn joined(items: &[String]) -> String {
    let one = |item: &String| if item.contains(',') { format!("[{item}]") } else { item.clone() };
    items.iter().map(one).collect::<Vec<_>>().join(",")
}

/// The items of a list as people write one: between commas, except within brackets, which are taken away: `a,[top(3,1)],b`.
pub fn listed(text: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut depth = 0usize;
    let mut start = 0;
    let mut push = |item: &str| {
        let item = item.trim();
        let inner = item.strip_prefix('[').and_then(|item| item.strip_suffix(']')).unwrap_or(item);
        if !item.is_empty() {
            items.push(inner.trim().to_owned());
        }
    };
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    push(&text[start..]);
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_written_as_they_are_read() {
        for text in ["a", "a,b", "[top(3,1)],b*", "within(3)"] {
            assert_eq!(joined(&listed(text)), text);
        }
        let selection = Selection { variable: "Age".into(), codelist: Some("vs".into()), values: listed("a,[range(b,c)]") };
        let request = Request { selections: vec![selection], heading: vec!["Age".into(), "Tid".into()], stub: Vec::new() };
        let expect = [("codelist[Age]", "vs"), ("valueCodes[Age]", "a,[range(b,c)]"), ("heading", "Age,Tid")];
        assert_eq!(request.pairs(), expect.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn lists_split_at_commas_outside_brackets() {
        let check = |text: &str, expect: &[&str]| assert_eq!(listed(text), expect, "{text}");
        check("", &[]);
        check("a", &["a"]);
        check("a, b ,,c", &["a", "b", "c"]);
        check("[range(a,b)]", &["range(a,b)"]);
        check("x,[top(3,1)],y*", &["x", "top(3,1)", "y*"]);
        check("range(a,b)", &["range(a", "b)"]);
        check("[a", &["[a"]);
        check("a]", &["a]"]);
    }
}
