//! Linear programs for what a depth-first search leaves open: branch and bound, with interval reasoning at every step.
//!
//! A solution is checked in whole numbers before it is believed. That there is none rests on the solver's arithmetic: its mistakes could
//! make the oracle complain of a sound release, and could not make it pass an unsound one.

use microlp::{ComparisonOp, OptimizationDirection, Problem, SolveOutcome, Variable};

use super::solver::{Answer, Bound, Narrowing, Range, System};

/// A solution within some ranges, by as many programs as there are left. Only one of them is offered to the caller.
pub fn find(system: &System, ranges: Vec<Range>, bound: Bound, programs: &mut u32, accept: &mut dyn FnMut(&[i32]) -> bool) -> Answer {
    let mut open = vec![ranges];
    while let Some(ranges) = open.pop() {
        if *programs == 0 {
            return Answer::Undecided;
        }
        *programs -= 1;
        let point = match solve(system, &ranges, bound) {
            Some(Some(point)) => point,
            Some(None) => continue,
            None => return Answer::Undecided,
        };
        let numbers: Vec<i32> = point.iter().map(|value| value.round() as i32).collect();
        if system.contradiction(&numbers).is_none() && (bound.range[0]..=bound.range[1]).contains(&numbers[bound.unknown as usize]) {
            return if accept(&numbers) { Answer::Found(numbers) } else { Answer::Undecided };
        }
        let fraction = |value: &f64| (value - value.round()).abs();
        let most_broken = point.iter().enumerate().max_by(|(_, a), (_, b)| fraction(a).total_cmp(&fraction(b)));
        let Some((at, value)) = most_broken.filter(|(_, value)| fraction(value) > NEAR) else { return Answer::Undecided };
        let cut = value.floor() as i32;
        let mut halves = [[ranges[at][0], cut], [cut + 1, ranges[at][1]]];
        // The nearer half is looked at first, which the last of the list is.
        if value - value.floor() < 0.5 {
            halves.reverse();
        }
        for range in halves {
            let (mut ranges, mut narrowing) = (ranges.clone(), Narrowing::new(system));
            if narrowing.restrict(&mut ranges, Bound { unknown: at as u32, range }) && narrowing.run(&mut ranges) {
                open.push(ranges);
            }
        }
    }
    Answer::Impossible
}

/// Tolerance of the solver's numbers.
const NEAR: f64 = 1e-6;

/// A point that keeps all rows, as far as it can be towards the middle of a bound; that there is none; or `None`: the solver gave up.
fn solve(system: &System, ranges: &[Range], bound: Bound) -> Option<Option<Vec<f64>>> {
    let is_low = bound.range[0] == 0;
    let mut problem = Problem::new(if is_low { OptimizationDirection::Minimize } else { OptimizationDirection::Maximize });
    // What is settled takes no part.
    let variables: Vec<Option<Variable>> = (0..)
        .zip(ranges)
        .map(|(unknown, &[low, high])| {
            let weight = if unknown == bound.unknown { 1.0 } else { 0.0 };
            (low < high).then(|| problem.add_var(weight, (f64::from(low), f64::from(high))))
        })
        .collect();
    for row in &system.rows {
        let (mut terms, mut known) = (Vec::with_capacity(row.terms.len()), 0);
        for &(unknown, factor) in &row.terms {
            match variables[unknown as usize] {
                Some(variable) => terms.push((variable, f64::from(factor))),
                None => known += factor * ranges[unknown as usize][0],
            }
        }
        if terms.is_empty() {
            continue;
        }
        let (low, high) = (f64::from(row.low - known), f64::from(row.high - known));
        if row.low == row.high {
            problem.add_constraint(terms.as_slice(), ComparisonOp::Eq, low);
            continue;
        }
        if row.low > -super::solver::UNBOUNDED {
            problem.add_constraint(terms.as_slice(), ComparisonOp::Ge, low);
        }
        if row.high < super::solver::UNBOUNDED {
            problem.add_constraint(terms.as_slice(), ComparisonOp::Le, high);
        }
    }
    match problem.solve() {
        Ok(SolveOutcome::Solution(solution)) => {
            let value = |(variable, range): (&Option<Variable>, &Range)| match variable {
                Some(variable) => solution.var_value(*variable),
                None => f64::from(range[0]),
            };
            Some(Some(variables.iter().zip(ranges).map(value).collect()))
        }
        Err(microlp::Error::Infeasible) => Some(None),
        Ok(SolveOutcome::Interrupted(_)) | Err(_) => None,
    }
}
