//! From a panel and what a reader chose to what is asked of tables and queries.

use super::{Dashboard, Given, Panel, Show, Source};
use crate::{
    charts::{Plan, Wishes, plan, suits_rows},
    sql::Sql,
    tables::{Library, Query, Request, Selection, TIME, listed, resolve},
    words::{self, Message},
};

/// Cells of a table in a panel, at most: what is longer has a page of its own.
const MOST_CELLS: u64 = 3_000;

/// What a panel asks for.
#[derive(Debug)]
pub struct Asked {
    /// What it asks.
    pub asking: Asking,
    /// For charts: how it is to be drawn, as parameters of an address.
    pub options: Vec<(String, String)>,
}

/// What is asked, and of what.
#[derive(Debug)]
pub enum Asking {
    /// Cells of a table.
    Cells {
        /// Position of the table.
        table: usize,
        /// The request, as addresses say it.
        request: Request,
        /// What it means.
        query: Query,
        /// For charts, what else they need.
        plan: Option<Box<Plan>>,
    },
    /// Rows of a named query.
    Rows {
        /// Its name.
        name: String,
        /// What is given for its parameters.
        pairs: Vec<(String, String)>,
    },
    /// Nothing: the panel is a text.
    Nothing,
}

impl Asked {
    /// Works out what a panel asks for, without reading a cell.
    ///
    /// # Errors
    /// Why there is nothing to show for what was chosen.
    pub fn new(dashboard: &Dashboard, panel: &Panel, given: &Given, library: &Library, sql: &Sql) -> Result<Self, Message> {
        let fill = |text: &String| given.fill(text, &dashboard.filters, library).map_err(|name| words::NO_FILTER.with(name));
        let filled = |pairs: &[(String, String)]| {
            pairs.iter().map(|(name, value)| Ok((name.clone(), fill(value)?))).collect::<Result<Vec<_>, Message>>()
        };
        let options = match &panel.show {
            Show::Chart { options, .. } => filled(options)?,
            _ => Vec::new(),
        };
        let get = |name: &str| options.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
        let asking = match &panel.source {
            None => Asking::Nothing,
            Some(Source::Query { name, pairs }) => {
                let pairs = filled(pairs)?;
                let borrowed: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                let query = sql.query(name).ok_or_else(|| words::NO_QUERY.with(name.as_str()).and(""))?;
                sql.bind(query, 0, &borrowed).map_err(|error| error.detail)?;
                Wishes::parse(get)?;
                if let Show::Chart { kind, .. } = &panel.show {
                    suits_rows(library, query, *kind, &listed(get("columns").unwrap_or("")))?;
                }
                Asking::Rows { name: name.clone(), pairs }
            }
            Some(Source::Table { table, select, heading, stub }) => {
                let selections = select.iter().map(|(variable, codelist, values)| {
                    let values = values.iter().map(fill).collect::<Result<_, _>>()?;
                    Ok(Selection { variable: variable.clone(), codelist: codelist.clone(), values })
                });
                let mut request =
                    Request { selections: selections.collect::<Result<_, Message>>()?, heading: heading.clone(), stub: stub.clone() };
                match &panel.show {
                    Show::Chart { kind, .. } => {
                        let wishes = Wishes::parse(get)?;
                        let plan = plan(library, *table, *kind, &request, &wishes.options).map_err(|error| error.detail)?;
                        Asking::Cells { table: *table, request, query: plan.query.clone(), plan: Some(Box::new(plan)) }
                    }
                    Show::Number { change } => {
                        let query = resolve(library, *table, &request, MOST_CELLS).map_err(|error| error.detail)?;
                        if query.cells != 1 {
                            return Err(words::NOT_ONE_NUMBER.with(query.cells));
                        }
                        // The period before stands in front of the chosen one.
                        let before =
                            query.releases[0].checked_sub(1).filter(|before| *change && library.tables[*table].span.contains(before));
                        let query = match before {
                            None => query,
                            Some(before) => {
                                let periods = [before, query.releases[0]].map(|release| library.period(release).to_owned());
                                if let Some(time) = request.selections.iter_mut().find(|one| one.variable.eq_ignore_ascii_case(TIME)) {
                                    time.values = periods.into();
                                }
                                resolve(library, *table, &request, MOST_CELLS).map_err(|error| error.detail)?
                            }
                        };
                        Asking::Cells { table: *table, request, query, plan: None }
                    }
                    _ => {
                        let query = resolve(library, *table, &request, MOST_CELLS).map_err(|error| error.detail)?;
                        Asking::Cells { table: *table, request, query, plan: None }
                    }
                }
            }
        };
        Ok(Self { asking, options })
    }
}
