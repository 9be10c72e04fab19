//! Checks proofs line by line, in whole numbers, from what is published alone.
//!
//! Nothing of what finds ranges is used here: which cells are one number, which rows there are and what they say is worked out anew from tables,
//! code lists and links. What is shared is the form of facts and of lines.

mod rows;
mod tables;

use rustc_hash::FxHashMap;

use super::{
    findings::{Line, LineStep, RowName},
    input::{CellRef, Facts},
    narrow::End,
};
use crate::error::{Error, Result};
use rows::Rows;
use tables::{Count, Tables};

/// Smallest and largest value of a count, the latter `None` if there is no limit.
type Ends = (i128, Option<i128>);

/// Checks the lines of a proof in their order.
pub struct Checker<'a> {
    tables: Tables<'a>,
    rows: Rows<'a>,
    /// What was proven of each count, by the cell that stands for it.
    proven: FxHashMap<CellRef, Ends>,
    scopes: Vec<Scope>,
}

/// What is supposed, and what was known before.
struct Scope {
    count: CellRef,
    end: End,
    value: i128,
    before: Vec<(CellRef, Ends)>,
    is_refuted: bool,
}

impl<'a> Checker<'a> {
    /// A checker of proofs over some facts. `given_up` names rows that do not hold though they follow from what is assumed.
    ///
    /// # Errors
    /// [`Error::Input`] where tables, code lists and links do not fit together.
    pub fn new(facts: &Facts<'a>, given_up: impl IntoIterator<Item = RowName>) -> Result<Self> {
        let tables = Tables::new(facts)?;
        let rows = Rows::new(facts, given_up)?;
        Ok(Self { tables, rows, proven: FxHashMap::default(), scopes: Vec::new() })
    }

    /// Checks the next line.
    ///
    /// # Errors
    /// [`Error::Input`] that says why it proves nothing.
    pub fn line(&mut self, line: &Line) -> Result<()> {
        let count = match self.tables.count(line.cell)? {
            Count::Unknown(count) => count,
            Count::Known(count) => return refuse(format!("the count is published: {count}")),
        };
        let value = i128::from(line.value);
        match line.step {
            LineStep::Bound => {
                let proven = self.combine(line, count)?;
                let is_proven = match line.end {
                    End::Low => proven >= value,
                    End::High => proven <= value,
                };
                if !is_proven {
                    return refuse(format!("the rows prove {proven}, not {value}"));
                }
                self.note(count, line.end, value)
            }
            LineStep::Suppose => {
                self.scopes.push(Scope { count, end: line.end, value, before: Vec::new(), is_refuted: false });
                self.note(count, line.end, value)
            }
            LineStep::Conclude => {
                let Some(scope) = self.scopes.pop() else { return refuse("nothing is supposed".into()) };
                for (changed, ends) in scope.before.into_iter().rev() {
                    self.proven.insert(changed, ends);
                }
                let opposite = match scope.end {
                    End::High => (End::Low, scope.value + 1),
                    End::Low => (End::High, scope.value - 1),
                };
                if !scope.is_refuted || scope.count != count || opposite != (line.end, value) {
                    return refuse("what was supposed last is not refuted, or is not the opposite".into());
                }
                self.note(count, line.end, value)
            }
        }
    }

    /// Whether every supposition was refuted.
    pub fn is_complete(&self) -> bool {
        self.scopes.is_empty()
    }

    /// What is proven of a cell, or published.
    ///
    /// # Errors
    /// [`Error::Input`] where there is no such cell.
    pub fn range(&mut self, cell: CellRef) -> Result<(u64, Option<u64>)> {
        let ends = match self.tables.count(cell)? {
            Count::Known(count) => (i128::from(count), Some(i128::from(count))),
            Count::Unknown(count) => self.ends(count),
        };
        Ok((ends.0 as u64, ends.1.map(|high| high as u64)))
    }

    /// Whether the count of a cell is published, by whatever table or revision shows it, or cannot be but 0.
    ///
    /// # Errors
    /// [`Error::Input`] where there is no such cell.
    pub fn is_published(&mut self, cell: CellRef) -> Result<bool> {
        Ok(matches!(self.tables.count(cell)?, Count::Known(_)))
    }

    /// Whether two cells show one and the same count, which is not published.
    ///
    /// # Errors
    /// [`Error::Input`] where one of them does not exist.
    pub fn are_one_count(&mut self, a: CellRef, b: CellRef) -> Result<bool> {
        let (of_a, of_b) = (self.tables.count(a)?, self.tables.count(b)?);
        Ok(matches!(of_a, Count::Unknown(_)) && of_a == of_b)
    }

    fn ends(&self, count: CellRef) -> Ends {
        self.proven.get(&count).copied().unwrap_or((0, None))
    }

    /// Notes an end that is proven, or supposed.
    fn note(&mut self, count: CellRef, end: End, value: i128) -> Result<()> {
        let before = self.ends(count);
        let after = match end {
            End::Low => (before.0.max(value), before.1),
            End::High => (before.0, Some(before.1.map_or(value, |high| high.min(value)))),
        };
        self.proven.insert(count, after);
        let is_empty = after.1.is_some_and(|high| high < after.0);
        match self.scopes.last_mut() {
            Some(scope) => {
                scope.before.push((count, before));
                scope.is_refuted |= is_empty;
                Ok(())
            }
            None if is_empty => refuse("nothing is left of the range: what is published or assumed contradicts itself".into()),
            None => Ok(()),
        }
    }

    /// The end that the rows of a line prove.
    fn combine(&mut self, line: &Line, count: CellRef) -> Result<i128> {
        let mut coefficients: FxHashMap<CellRef, i128> = FxHashMap::default();
        let mut rest = 0i128;
        for &(name, times) in &line.rows {
            let row = self.rows.row(name, &mut self.tables)?;
            if row.is_inequality && times < 0 {
                return refuse("an inequality is multiplied by a negative number".into());
            }
            rest += row.constant * i128::from(times);
            for (cell, coefficient) in row.terms {
                let coefficient = coefficient * i128::from(times);
                match self.tables.count(cell)? {
                    Count::Known(known) => rest -= coefficient * i128::from(known),
                    Count::Unknown(unknown) => *coefficients.entry(unknown).or_default() += coefficient,
                }
            }
        }
        let own = coefficients.remove(&count).unwrap_or(0);
        for (other, coefficient) in coefficients {
            let (low, high) = self.ends(other);
            rest -= match coefficient {
                0 => 0,
                1.. => coefficient * low,
                _ => match high {
                    Some(high) => coefficient * high,
                    None => return refuse("a count without a limit stands in the rows".into()),
                },
            };
        }
        match line.end {
            End::High if own > 0 => Ok(rest.div_euclid(own)),
            End::Low if own < 0 => Ok(-rest.div_euclid(-own)),
            _ => refuse("the rows say nothing about this end of the count".into()),
        }
    }
}

fn refuse<T>(why: String) -> Result<T> {
    Err(Error::Input(why))
}
