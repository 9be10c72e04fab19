//! Finding tables: search and pages.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    library::{Library, TableEntry},
    request::{Fault, RequestError},
};
use crate::words;

/// Which tables to list.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Words that a table must all hold in one of its texts; none: every table.
    pub query: String,
    /// Only tables updated within so many days.
    pub past_days: Option<u32>,
    /// Also tables that the newest release no longer has.
    pub discontinued: bool,
    /// The page, from 1.
    pub page: u32,
    /// Tables a page.
    pub size: u32,
}

/// One page of a list.
#[derive(Debug)]
pub struct Page<'a> {
    /// The tables.
    pub tables: Vec<&'a TableEntry>,
    /// The page, from 1.
    pub number: u32,
    /// Tables a page.
    pub size: u32,
    /// Tables in all.
    pub total: usize,
    /// Pages in all, at least 1.
    pub pages: u32,
}

impl Page<'_> {
    /// The page before this one.
    pub fn previous(&self) -> Option<u32> {
        (self.number > 1).then(|| self.number - 1)
    }

    /// The page after this one.
    pub fn next(&self) -> Option<u32> {
        (self.number < self.pages).then(|| self.number + 1)
    }

    /// The last page, unless this is it.
    pub fn last(&self) -> Option<u32> {
        (self.number < self.pages).then_some(self.pages)
    }
}

/// Lists tables.
///
/// # Errors
/// A page beyond the last.
pub fn list<'a>(library: &'a Library, listing: &Listing, now: DateTime<Utc>) -> Result<Page<'a>, RequestError> {
    let words: Vec<String> = listing.query.split_whitespace().map(|word| word.trim_matches('*').to_lowercase()).collect();
    let since = listing.past_days.and_then(|days| now.checked_sub_signed(TimeDelta::days(i64::from(days))));
    let wanted = |entry: &&TableEntry| {
        let fresh = since.is_none_or(|since| entry.updated >= since);
        fresh && (listing.discontinued || !entry.discontinued) && {
            let text = text(library, entry);
            words.iter().all(|word| text.contains(word))
        }
    };
    let found: Vec<&TableEntry> = library.tables.iter().filter(wanted).collect();
    let (size, number) = (listing.size.max(1), listing.page.max(1));
    let pages = (found.len() as u32).div_ceil(size).max(1);
    if number > pages {
        return Err(RequestError::new(Fault::NoPage, words::NO_PAGE.with(u64::from(number)).and(u64::from(pages)).and(u64::from(size))));
    }
    let total = found.len();
    let tables = found.into_iter().skip((number - 1) as usize * size as usize).take(size as usize).collect();
    Ok(Page { tables, number, size, total, pages })
}

/// Everything that a search looks at, in lower case: in all languages, because people mix them.
fn text(library: &Library, entry: &TableEntry) -> String {
    let table = &entry.table;
    let dimensions = entry.axes.iter().map(|axis| &library.dimensions[axis.dimension]);
    let own = [&table.label, &table.description, &table.subject, &table.contents.label];
    let labels = own.into_iter().chain(dimensions.clone().map(|dimension| &dimension.label));
    let mut text: Vec<&str> = labels.flat_map(|label| label.texts()).collect();
    text.push(&table.id);
    text.extend(dimensions.map(|dimension| dimension.variable.as_str()));
    text.join("\n").to_lowercase()
}
