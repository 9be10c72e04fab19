//! A table as rows and columns: what stands in the stub, what in the heading.

use super::{Context, options::Texts};
use crate::tables::{Answer, Query};

/// A variable with what is chosen of it.
pub struct Side {
    /// Its code.
    pub code: String,
    /// Its name.
    pub label: String,
    /// The codes of its categories, in order.
    pub codes: Strings,
    /// The names of its categories, in the same order.
    pub labels: Strings,
}

impl Side {
    /// Number of categories.
    pub fn len(&self) -> usize {
        self.codes.len()
    }
}

/// Many short texts in one piece of memory: a country has more places than one likes to allocate.
#[derive(Default)]
pub struct Strings {
    text: String,
    /// Where each one ends.
    ends: Vec<usize>,
}

impl Strings {
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn get(&self, at: usize) -> &str {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[at]]
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| self.get(at))
    }
}

/// A table on its sheet. Rows are the combinations of the stub's categories, columns those of the heading's, the last
/// variable of each varying fastest, as in the answer.
pub struct Layout {
    pub stub: Vec<Side>,
    pub heading: Vec<Side>,
}

impl Layout {
    pub fn new(context: &Context, query: &Query) -> Self {
        let library = &context.library;
        let entry = &library.tables[query.table];
        let side = |&variable: &_| {
            let (mut codes, mut labels) = (Strings::default(), Strings::default());
            for category in library.categories(query, variable, context.language) {
                codes.push(category.code);
                labels.push(category.label);
            }
            let code = library.variable_code(entry, variable).to_owned();
            Side { code, label: library.variable_label(entry, variable, context.language).to_owned(), codes, labels }
        };
        Self { stub: query.stub.iter().map(side).collect(), heading: query.heading.iter().map(side).collect() }
    }

    /// Number of columns with numbers.
    pub fn columns(&self) -> usize {
        width(&self.heading)
    }
}

/// A line of the heading, or a column of the stub: the codes or the names of one variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Position of the variable in the stub or the heading.
    pub side: usize,
    /// Whether it shows codes.
    pub codes: bool,
}

impl Line {
    /// What stands above or before the line.
    pub fn name(self, sides: &[Side]) -> &str {
        let side = &sides[self.side];
        if self.codes { &side.code } else { &side.label }
    }

    /// What the line shows of a category.
    pub fn text(self, sides: &[Side], category: usize) -> &str {
        let side = &sides[self.side];
        if self.codes { side.codes.get(category) } else { side.labels.get(category) }
    }
}

/// The lines that show some variables, slowest first.
pub fn lines(sides: &[Side], texts: Texts) -> Vec<Line> {
    let of = |side: usize| {
        let codes = texts.codes().then_some(Line { side, codes: true });
        codes.into_iter().chain(texts.names().then_some(Line { side, codes: false }))
    };
    (0..sides.len()).flat_map(of).collect()
}

/// Number of combinations of categories.
pub fn width(sides: &[Side]) -> usize {
    sides.iter().map(Side::len).product()
}

/// Number of rows with numbers and of columns with numbers that a query makes.
pub fn extent(query: &Query) -> (u64, u64) {
    let count = |variables: &[_]| variables.iter().map(|&variable| query.size(variable) as u64).product();
    (count(&query.stub), count(&query.heading))
}

/// Counts through combinations, the last place fastest.
pub struct Odometer {
    sizes: Vec<usize>,
    at: Vec<usize>,
}

impl Odometer {
    pub fn new(sizes: Vec<usize>) -> Self {
        Self { at: vec![0; sizes.len()], sizes }
    }

    /// At the first combination of the categories of some variables.
    pub fn over(sides: &[Side]) -> Self {
        Self::new(sides.iter().map(Side::len).collect())
    }

    /// The position of each place.
    pub fn at(&self) -> &[usize] {
        &self.at
    }

    /// Moves to the next combination; from the last one back to the first.
    pub fn step(&mut self) {
        for (size, at) in self.sizes.iter().zip(&mut self.at).rev() {
            *at += 1;
            if *at < *size {
                break;
            }
            *at = 0;
        }
    }
}

/// The most decimal places that a number of the answer has.
pub fn most_decimals(answer: &Answer) -> u8 {
    (0..answer.statuses.len()).map(|cell| answer.decimals(cell)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinations_come_in_order_and_begin_again() {
        let mut odometer = Odometer::new(vec![2, 1, 3]);
        let mut seen = Vec::new();
        for _ in 0..7 {
            seen.push(odometer.at().to_vec());
            odometer.step();
        }
        assert_eq!(seen, [[0, 0, 0], [0, 0, 1], [0, 0, 2], [1, 0, 0], [1, 0, 1], [1, 0, 2], [0, 0, 0]]);
        let mut none = Odometer::new(Vec::new());
        none.step();
        assert!(none.at().is_empty());
    }

    #[test]
    fn texts_are_found_again() {
        let mut strings = Strings::default();
        let texts = ["", "Aceh", "", "Bali é"];
        texts.iter().for_each(|text| strings.push(text));
        assert_eq!(strings.iter().collect::<Vec<_>>(), texts);
    }

    #[test]
    fn nothing_in_the_stub_is_one_row() {
        assert_eq!(width(&[]), 1);
    }
}
