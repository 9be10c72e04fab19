//! Dashboards: pages of numbers, charts and tables that somebody composed for an audience.
//!
//! ```text
//! dashboards/tax.toml ── read, tried with its defaults ──> Dashboard        once for each state of the releases
//! Dashboard, filters ── ask ──> for each panel a query of a table or a named query, or the reason why there is none
//! ```
//!
//! A dashboard says what is asked of published tables and nothing else, so nothing in it can show more than they do. Those with a
//! *place* are parts of other pages: the front page, the profile of a region, the comparison of regions.

mod ask;
mod file;
mod filters;
mod number;

use include_dir::{Dir, include_dir};

pub use ask::{Asked, Asking};
pub use filters::{Filter, Given};
pub use number::{Change, Number, number};

use crate::{
    charts::ChartKind,
    error::{Error, Result},
    register::{FileSources, Label, Sources},
    sql::Sql,
    tables::{Library, fingerprint},
};

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/dashboards");

/// Where a dashboard is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// On a page of its own, in the list of dashboards.
    #[default]
    Own,
    /// On the front page.
    Home,
    /// As the profile of a region, which is its first filter.
    Profile,
    /// For several regions side by side.
    Comparison,
}

/// A page of panels.
#[derive(Debug)]
pub struct Dashboard {
    /// Its name: that of its file.
    pub name: String,
    /// What it is called.
    pub title: Label,
    /// What it tells.
    pub description: Label,
    /// Whom it was composed for.
    pub audience: Label,
    /// Where it is shown.
    pub place: Place,
    /// What a reader may choose.
    pub filters: Vec<Filter>,
    /// What it shows, in order.
    pub panels: Vec<Panel>,
    /// Digest of its file.
    pub digest: String,
}

/// A part of a dashboard.
#[derive(Debug)]
pub struct Panel {
    /// What it is called; charts and tables name themselves where nobody does.
    pub title: Option<Label>,
    /// What to know when reading it.
    pub note: Option<Label>,
    /// How many of the twelve columns of a wide page it takes.
    pub width: u8,
    /// What it shows.
    pub show: Show,
    /// Where its numbers come from; texts have none.
    pub source: Option<Source>,
}

/// What a panel shows.
#[derive(Debug)]
pub enum Show {
    /// One number, perhaps with its change since the period before.
    Number { change: bool },
    /// A picture with its options.
    Chart { kind: ChartKind, options: Vec<(String, String)> },
    /// Rows and columns.
    Table,
    /// How many records the release accepted and rejected.
    Quality,
    /// What the release's audit checked.
    Audit,
    /// Paragraphs.
    Text(Vec<Label>),
}

/// Where the numbers of a panel come from. `$name` stands for a filter.
#[derive(Debug)]
pub enum Source {
    /// A table.
    Table {
        /// Its position in the library.
        table: usize,
        /// What is chosen of each variable: variable, code list, values.
        select: Vec<(String, Option<String>, Vec<String>)>,
        /// Variables that vary in the heading.
        heading: Vec<String>,
        /// Variables that vary in the stub.
        stub: Vec<String>,
    },
    /// A named query with its parameters.
    Query {
        /// Its name.
        name: String,
        /// What is given for its parameters.
        pairs: Vec<(String, String)>,
    },
}

/// The dashboards of one state of the releases.
#[derive(Debug)]
pub struct Dashboards {
    all: Vec<Dashboard>,
    digest: String,
}

impl Dashboards {
    /// Reads dashboards and tries every panel with the defaults of its filters.
    ///
    /// # Errors
    /// Where a file of the operator's is wrong: says file, line and what was expected. What is shipped and does not fit the register is left out,
    /// panel by panel.
    pub fn open(library: &Library, sql: &Sql, sources: &FileSources) -> Result<Self> {
        let (sources, given) = sources.files(shipped);
        let mut all = Vec::new();
        for (file, text) in sources.iter().filter(|(file, _)| file.ends_with(file::ENDING)) {
            match file::read(file, text, given, library, sql) {
                Ok(dashboard) => all.push(dashboard),
                Err(error) if !given => tracing::debug!(%error, "a shipped dashboard does not fit this register"),
                Err(error) => return Err(Error::Definition(error)),
            }
        }
        let digest = fingerprint(all.iter().map(|dashboard: &Dashboard| dashboard.digest.as_bytes()));
        Ok(Self { all, digest })
    }

    /// Changes whenever one of them does.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Those with pages of their own, by name.
    pub fn listed(&self) -> impl Iterator<Item = &Dashboard> {
        self.all.iter().filter(|dashboard| dashboard.place == Place::Own)
    }

    /// The one of a name, in whatever case it is written.
    pub fn find(&self, name: &str) -> Option<&Dashboard> {
        self.listed().find(|dashboard| dashboard.name.eq_ignore_ascii_case(name))
    }

    /// The first one that is shown at a place.
    pub fn at(&self, place: Place) -> Option<&Dashboard> {
        self.all.iter().find(|dashboard| dashboard.place == place)
    }
}

/// The shipped dashboards.
pub fn shipped() -> Sources {
    let text = |file: &include_dir::File<'_>| Some((file.path().to_string_lossy().into_owned(), file.contents_utf8()?.to_owned()));
    SHIPPED.files().filter_map(text).collect()
}
