//! From the key of a data query to a request for cells.

use super::{
    components::{CONTENTS, FREQ, TIME_PERIOD},
    names::{Names, VERSION, decode},
    refusal::{Refusal, RefusalKind, short},
    window::Window,
};
use crate::{
    register::Frequency,
    tables::{Query, Request, Selection, TIME, Variable, resolve},
    words,
};

/// A key taken apart: for each dimension the codes it names; none means all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(Vec<Vec<String>>);

impl Key {
    /// The key that means everything.
    pub fn all() -> Self {
        Self(Vec::new())
    }

    /// Reads a key such as `S.34+51..AGRI.persons`; `all` means everything.
    ///
    /// # Errors
    /// Where it has other than one part for each dimension of the table, or a part names no code.
    pub fn parse(names: &Names<'_>, table: usize, text: &str) -> Result<Self, Refusal> {
        if text.is_empty() || text.eq_ignore_ascii_case("all") {
            return Ok(Self::all());
        }
        let dimensions = dimensions(names, table);
        let parts: Vec<&str> = text.split('.').collect();
        if parts.len() != dimensions.len() {
            let problem = words::KEY_LENGTH.with(short(text)).and(parts.len() as u64).and(dimensions.len() as u64);
            return Err(Refusal::syntax(problem.and(names.flows[table].as_str()).and(dimensions.join("."))));
        }
        let codes = |(part, dimension): (&str, &String)| {
            let code = |code: &str| {
                // What stands for several codes elsewhere does not in a key.
                let single = decode(code).filter(|code| !code.contains(['*', '?', '(', ')', '[', ']', ',']));
                single.ok_or_else(|| Refusal::syntax(words::NO_KEY_CODE.with(short(code)).and(dimension.as_str())))
            };
            if part.is_empty() { Ok(Vec::new()) } else { part.split('+').map(code).collect() }
        };
        parts.into_iter().zip(&dimensions).map(codes).collect::<Result<_, _>>().map(Self)
    }

    /// The codes of the dimension at a position; none means all.
    fn codes(&self, at: usize) -> &[String] {
        self.0.get(at).map_or(&[], Vec::as_slice)
    }
}

/// The dimensions of a table's keys, in order.
fn dimensions(names: &Names<'_>, table: usize) -> Vec<String> {
    let axes = (0..names.library.tables[table].axes.len()).map(|axis| names.axis(table, axis));
    std::iter::once(FREQ).chain(axes).chain([CONTENTS]).map(str::to_owned).collect()
}

/// The table that a reference to a dataflow means: `AGENCY,ID,VERSION`, `AGENCY,ID` or `ID`. Clients name the agency by what they call
/// the service, so that any will do.
///
/// # Errors
/// Where there is no such dataflow.
pub fn flow(names: &Names<'_>, text: &str) -> Result<usize, Refusal> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let (id, version) = match parts.as_slice() {
        [id] | [_, id] => (*id, "latest"),
        [_, id, version] => (*id, *version),
        _ => return Err(Refusal::syntax(words::NO_FLOW_REFERENCE.with(short(text)))),
    };
    let known = matches!(version, VERSION | "latest" | "all" | "");
    names.table(id).filter(|_| known).ok_or_else(|| {
        if let Some(detail) = names.library.not_granted(id) {
            return Refusal::new(RefusalKind::OutOfScope, detail);
        }
        let there = names.flows.join(", ");
        Refusal::no_results(words::NO_FLOW.with(short(text)).and(words::THERE_IS.with(there)))
    })
}

/// Works out what a key means within a window, without reading a cell. In the answer the measure varies after the axes, and the
/// period fastest.
///
/// # Errors
/// Where nothing fits, and where it means more than `most` cells.
pub fn select(names: &Names<'_>, table: usize, key: &Key, window: &Window, most: u64) -> Result<Query, Refusal> {
    let library = names.library;
    let entry = &library.tables[table];
    let frequency = library.register.frequency;
    // What the statistics offices of Europe call half-yearly is `S` in some of their lists and `H` in others.
    let fits = |code: &String| code == frequency.sdmx() || frequency == Frequency::Semester && code == "H";
    if !key.codes(0).is_empty() && !key.codes(0).iter().any(fits) {
        let there = words::THERE_IS.with(frequency.sdmx());
        return Err(Refusal::no_results(words::NO_CODE.with(FREQ).and(short(&key.codes(0).join("+"))).and(there)));
    }
    let periods: Vec<String> =
        window.releases(library, &entry.span).into_iter().map(|release| library.period(release).to_owned()).collect();
    if periods.is_empty() {
        let there = entry.span.iter().map(|&release| library.period(release)).collect::<Vec<_>>().join(", ");
        return Err(Refusal::no_results(words::NO_PERIOD.with(names.flows[table].as_str()).and(words::THERE_IS.with(there))));
    }
    let mut selections = vec![Selection { variable: TIME.into(), codelist: None, values: periods }];
    let keyed = (0..entry.axes.len()).map(Variable::Axis).chain([Variable::Contents]);
    for (at, variable) in keyed.enumerate() {
        let codes = key.codes(at + 1);
        let values = if codes.is_empty() { vec!["*".to_owned()] } else { codes.to_vec() };
        selections.push(Selection { variable: library.variable_code(entry, variable).to_owned(), codelist: None, values });
    }
    let query = resolve(library, table, &Request { selections, ..Request::default() }, u64::MAX)?;
    if query.cells > most {
        return Err(too_many(names, &query, most));
    }
    Ok(query)
}

/// Says what makes a query large, in the words of its keys.
fn too_many(names: &Names<'_>, query: &Query, most: u64) -> Refusal {
    let name = |variable: Variable| match variable {
        Variable::Axis(axis) => names.axis(query.table, axis),
        Variable::Contents => CONTENTS,
        Variable::Time => TIME_PERIOD,
    };
    let sizes: Vec<(&str, usize)> = query.variables().map(|variable| (name(variable), query.size(variable))).collect();
    let parts: Vec<String> = sizes.iter().map(|(name, size)| format!("{name} {size}")).collect();
    let widest = sizes.iter().max_by_key(|(_, size)| *size).map_or("", |(name, _)| name);
    let detail = words::TOO_MANY_CELLS.with(query.cells).and(parts.join(" x ")).and(most).and(widest);
    Refusal::new(RefusalKind::TooLarge, detail)
}
