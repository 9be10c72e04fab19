//! Linear programs over a subsystem: optima, and the multipliers that prove them.
//!
//! The solver computes in floating point and tells no multipliers. Those come from the dual, which is solved as a program of its own, and
//! are rounded to fractions with a small common denominator. What they prove is then worked out in whole numbers, so that neither the
//! solver nor the rounding needs to be believed: a bad rounding proves less, never something false.

use std::time::Duration;

use microlp::{ComparisonOp, OptimizationDirection, Problem, SolveOutcome, Variable};

use super::{
    bounds::Bounds,
    history::{Combination, combine, implied},
    narrow::{End, NO_LIMIT, Ranges},
    rows::{Relation, Row, System},
    subsystem::Subsystem,
};

/// How long one program may take. Nearly all take milliseconds.
const TIME: Duration = Duration::from_secs(10);
/// Tolerance of the solver's numbers, for values up to a thousand; larger ones are less exact. Optima of 12 were seen as 11.9999989.
const NEAR: f64 = 1e-4;
/// Common denominators that are tried. Fractions with others are rounded to the last one.
const DENOMINATORS: [i64; 14] = [1, 2, 3, 4, 5, 6, 8, 10, 12, 24, 60, 120, 840, 5_040];

/// What a program came to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Optimum {
    /// The optimum, and a point at which it is reached.
    At(f64, Vec<f64>),
    /// The objective can grow forever.
    Endless,
    /// Nothing fulfils the rows.
    Impossible,
    /// The solver gave up.
    Undecided,
}

fn tolerance(value: f64) -> f64 {
    NEAR * (value.abs() / 1e3).max(1.0)
}

/// Whether two values are the same but for the solver's rounding.
pub(super) fn is_near(a: f64, b: f64) -> bool {
    (a - b).abs() <= tolerance(a)
}

/// The whole number inside an optimum.
pub(super) fn rounded_inward(value: f64, end: End) -> i64 {
    match end {
        End::Low => (value - tolerance(value)).ceil() as i64,
        End::High => (value + tolerance(value)).floor() as i64,
    }
}

/// Seeks the smallest or the largest sum of some unknowns.
pub(super) fn optimum(subsystem: &Subsystem, objective: &[u32], end: End) -> Optimum {
    let direction = if end == End::High { OptimizationDirection::Maximize } else { OptimizationDirection::Minimize };
    let mut problem = Problem::new(direction);
    problem.set_time_limit(TIME);
    let mut weights = vec![0.0; subsystem.len()];
    objective.iter().for_each(|at| weights[*at as usize] = 1.0);
    // Counted from the smallest value, numbers are small and the solver is exact.
    let lows: Vec<i64> = (0..subsystem.len() as u32).map(|at| subsystem.range(at).0).collect();
    let variable = |(at, weight): (u32, f64)| {
        let (low, high) = subsystem.range(at);
        problem.add_var(weight, (0.0, if high == NO_LIMIT { f64::INFINITY } else { (high - low) as f64 }))
    };
    let variables: Vec<Variable> = (0..).zip(weights).map(variable).collect();
    for row in subsystem.rows() {
        let terms = subsystem.terms(row);
        let rest = row.constant - terms.iter().map(|(at, coefficient)| coefficient * lows[*at as usize]).sum::<i64>();
        let terms: Vec<(Variable, f64)> = terms.iter().map(|(at, coefficient)| (variables[*at as usize], *coefficient as f64)).collect();
        problem.add_constraint(terms.as_slice(), comparison(row.relation), rest as f64);
    }
    match problem.solve() {
        Ok(SolveOutcome::Solution(solution)) => {
            let value = |(variable, low): (&Variable, &i64)| solution.var_value(*variable) + *low as f64;
            let point: Vec<f64> = variables.iter().zip(&lows).map(value).collect();
            Optimum::At(objective.iter().map(|at| point[*at as usize]).sum(), point)
        }
        Err(microlp::Error::Unbounded) => Optimum::Endless,
        Err(microlp::Error::Infeasible) => Optimum::Impossible,
        Ok(SolveOutcome::Interrupted(_)) | Err(_) => Optimum::Undecided,
    }
}

fn comparison(relation: Relation) -> ComparisonOp {
    match relation {
        Relation::Equal => ComparisonOp::Eq,
        Relation::AtMost => ComparisonOp::Le,
    }
}

/// Seeks a combination of rows that proves an end of an unknown's range better than it is known, and returns it with the value that it
/// proves: `wanted`, or the best that was found. `bounds` are those of unknowns outside of the subsystem. `None` if the solver gave up, or
/// nothing was proven.
pub(super) fn proof(
    subsystem: &Subsystem,
    system: &System<'_>,
    bounds: &Bounds,
    at: u32,
    end: End,
    wanted: i64,
) -> Option<(i64, Combination)> {
    let multipliers = multipliers(subsystem, at, end)?;
    let unknown = subsystem.unknowns()[at as usize];
    let range = |other: u32| match subsystem.unknowns().binary_search(&other) {
        Ok(at) => subsystem.range(at as u32),
        Err(_) => (bounds.low(other), bounds.high(other)),
    };
    let mut best = (subsystem.end(at, end), Combination::new());
    let mut row = Row::default();
    for denominator in DENOMINATORS {
        let scaled = subsystem.rows().iter().zip(&multipliers).map(|(row, multiplier)| {
            let times = (multiplier * denominator as f64).round() as i64;
            // What adds up to some number at most does not add up to some number at least.
            (row.id, if row.relation == Relation::AtMost { times.max(0) } else { times * row.sign })
        });
        let rows: Combination = scaled.filter(|(_, times)| *times != 0).collect();
        let proven = implied(&combine(&rows, system, &mut row), unknown, end, range);
        if let Some(value) = proven.filter(|value| end.is_inside(*value, best.0)) {
            best = (value, rows);
        }
        if !end.is_inside(wanted, best.0) {
            break;
        }
    }
    (!best.1.is_empty()).then_some(best)
}

/// The multipliers of a subsystem's rows that prove the optimum of an unknown, from the dual program.
fn multipliers(subsystem: &Subsystem, at: u32, end: End) -> Option<Vec<f64>> {
    let mut problem = Problem::new(OptimizationDirection::Minimize);
    problem.set_time_limit(TIME);
    let mut of_unknown: Vec<Vec<(Variable, f64)>> = vec![Vec::new(); subsystem.len()];
    let of_rows: Vec<Variable> = subsystem
        .rows()
        .iter()
        .map(|row| {
            let terms = subsystem.terms(row);
            let rest = row.constant - terms.iter().map(|(at, coefficient)| coefficient * subsystem.range(*at).0).sum::<i64>();
            let least = if row.relation == Relation::Equal { f64::NEG_INFINITY } else { 0.0 };
            let variable = problem.add_var(rest as f64, (least, f64::INFINITY));
            terms.iter().for_each(|(at, coefficient)| of_unknown[*at as usize].push((variable, *coefficient as f64)));
            variable
        })
        .collect();
    for (other, mut terms) in (0..).zip(of_unknown) {
        let (low, high) = subsystem.range(other);
        if high != NO_LIMIT {
            terms.push((problem.add_var((high - low) as f64, (0.0, f64::INFINITY)), 1.0));
        }
        let wanted = match end {
            _ if other != at => 0.0,
            End::High => 1.0,
            End::Low => -1.0,
        };
        problem.add_constraint(terms.as_slice(), ComparisonOp::Ge, wanted);
    }
    match problem.solve() {
        Ok(SolveOutcome::Solution(solution)) => Some(of_rows.iter().map(|variable| solution.var_value(*variable)).collect()),
        _ => None,
    }
}
