//! Random registers: what is found must be what trying everything finds.

use super::{
    naive::Naive,
    register::{Random, Register, Sort, random},
};
use crate::attack::{Checker, Effort, Facts, Findings, Line, Method, Outside};

const SORTS: [Sort; 4] = [
    Sort { revisions: 1, has_households: false, has_joint: false, households: 4 },
    Sort { revisions: 1, has_households: true, has_joint: false, households: 4 },
    Sort { revisions: 1, has_households: true, has_joint: true, households: 3 },
    Sort { revisions: 3, has_households: true, has_joint: false, households: 3 },
];

fn exact() -> Effort {
    Effort { threads: 1, largest_whole: 300, proofs: true, ..Effort::default() }
}

/// Checks all lines; afterwards exactly what was found is proven.
fn check(facts: &Facts<'_>, findings: &Findings<'_>, register: &Register, case: u64) {
    let mut checker = Checker::new(facts, findings.contradicted()).unwrap();
    for (at, line) in findings.lines().enumerate() {
        checker.line(&line).unwrap_or_else(|error| panic!("case {case}, line {at}: {error}: {line:?}"));
    }
    assert!(checker.is_complete());
    for cell in register.cells() {
        let range = findings.range(cell).unwrap();
        assert_eq!(checker.range(cell).unwrap(), (range.low, range.high), "case {case}, {}", facts.describe(cell));
    }
}

#[test]
fn ranges_are_those_that_trying_everything_finds() {
    let (mut compared, mut whole, mut programs, mut searches, mut combinations, mut cases) = (0, 0, 0, 0, 0, 0);
    for case in 0..1_500 {
        let mut numbers = Random::new(case);
        let register = random(&mut numbers, SORTS[(case % 4) as usize]);
        let nobody = numbers.happens(70);
        let outside = if nobody { Outside::Nobody } else { Outside::Unknown };
        let expected = Naive::new(&register, nobody).whole();
        register.attacked(outside, &exact(), |facts, findings| {
            let findings = findings.unwrap_or_else(|failure| panic!("case {case}: {failure}"));
            check(facts, &findings, &register, case);
            let statistics = findings.statistics();
            assert_eq!((statistics.outside_contradicted, statistics.links_contradicted), (0, 0), "case {case}");
            programs += statistics.programs;
            searches += statistics.searches;
            for line in findings.lines() {
                combinations += u32::from(line.rows.len() > 1);
                cases += u32::from(line.rows.is_empty());
            }
            for cell in register.cells() {
                let (range, count) = (findings.range(cell).unwrap(), u64::from(register.count(cell)));
                assert!(
                    range.low <= count && range.high.is_some_and(|high| count <= high),
                    "case {case}, {}: {range:?}",
                    facts.describe(cell)
                );
                let Some(expected) = &expected else { continue };
                let (low, high) = expected[&cell];
                let found = (range.low as i64, range.high.unwrap() as i64);
                compared += 1;
                if range.method == Method::Whole || range.low == range.high.unwrap() || statistics.searches_undecided == 0 {
                    assert_eq!(found, (low, high), "case {case}, {}: {range:?}", facts.describe(cell));
                    whole += u32::from(low < high);
                } else {
                    assert!(
                        found.0 <= low && high <= found.1,
                        "case {case}, {}: {range:?}, expected {low} to {high}",
                        facts.describe(cell)
                    );
                }
            }
        });
    }
    println!(
        "{compared} compared, {whole} exact ranges of more than one number, {programs} programs, {searches} searches, {combinations} combinations, {cases} lines by cases"
    );
    assert!(compared > 20_000 && whole > 2_000 && programs > 50, "{compared} {whole} {programs}");
    assert!(combinations > 10 && cases > 10, "{combinations} {cases}");
}

#[test]
fn without_whole_numbers_ranges_are_those_of_linear_programs() {
    let mut compared = 0;
    for case in 0..300 {
        let register = random(&mut Random::new(case), SORTS[(case % 4) as usize]);
        let naive = Naive::new(&register, true);
        let whole = naive.whole();
        let Some(real) = naive.real() else { continue };
        let effort = Effort { largest_whole: 0, ..exact() };
        register.attacked(Outside::Nobody, &effort, |facts, findings| {
            let findings = findings.unwrap();
            for cell in register.cells() {
                let range = findings.range(cell).unwrap();
                let found = (range.low as i64, range.high.unwrap() as i64);
                let (low, high) = real[&cell];
                assert!(
                    low <= found.0 && found.1 <= high,
                    "case {case}, {}: {found:?} instead of {low} to {high} {:?}",
                    facts.describe(cell),
                    findings.statistics()
                );
                if register.links.is_empty() && findings.statistics().programs == 0 {
                    // Sums alone round nothing.
                    assert_eq!(found, (low, high), "case {case}, {}", facts.describe(cell));
                }
                if let Some((low, high)) = whole.as_ref().map(|whole| whole[&cell]) {
                    assert!(found.0 <= low && high <= found.1, "case {case}, {}: {found:?} lacks {low} to {high}", facts.describe(cell));
                }
                compared += u32::from(found.0 < found.1);
            }
        });
    }
    assert!(compared > 1_000, "{compared}");
}

#[test]
fn windows_tell_no_more_than_all() {
    for case in 0..200 {
        let register = random(&mut Random::new(case), SORTS[(case % 4) as usize]);
        let efforts = [exact(), Effort { largest: 3, window: 6, ..exact() }, Effort { largest: 0, window: 1, windows: 2, ..exact() }];
        let ranges = efforts.map(|effort| {
            register.attacked(Outside::Nobody, &effort, |facts, findings| {
                let findings = findings.unwrap();
                check(facts, &findings, &register, case);
                register.cells().into_iter().map(|cell| findings.range(cell).unwrap()).collect::<Vec<_>>()
            })
        });
        for (at, exact) in ranges[0].iter().enumerate() {
            for other in &ranges[1..] {
                assert!(other[at].low <= exact.low && exact.high <= other[at].high, "case {case}: {exact:?} {:?}", other[at]);
            }
        }
    }
}

/// What is wrong with a line that was changed.
fn mutations(line: &Line, at: usize) -> Vec<Line> {
    let mut wrong = Vec::new();
    let inward = match line.end {
        crate::attack::End::Low => line.value + 1,
        crate::attack::End::High => line.value - 1,
    };
    wrong.push(Line { value: inward, ..line.clone() });
    if !line.rows.is_empty() {
        let mut rows = line.rows.clone();
        let chosen = at % rows.len();
        // The opposite sign: of an equation the other end, of an inequality none.
        rows[chosen].1 = -rows[chosen].1;
        wrong.push(Line { rows, ..line.clone() });
    }
    wrong
}

#[test]
fn wrong_lines_are_refused() {
    let (mut refused, mut removed, mut all) = (0, 0, 0);
    for case in 0..120 {
        let register = random(&mut Random::new(case), SORTS[(case % 4) as usize]);
        register.attacked(Outside::Nobody, &exact(), |facts, findings| {
            let findings = findings.unwrap();
            let lines: Vec<Line> = findings.lines().collect();
            let is_proven = |lines: &[Line]| {
                let mut checker = Checker::new(facts, findings.contradicted()).unwrap();
                let is_sound = lines.iter().all(|line| checker.line(line).is_ok()) && checker.is_complete();
                let is_range = |cell: &crate::attack::CellRef| {
                    let range = findings.range(*cell).unwrap();
                    checker.range(*cell).unwrap() == (range.low, range.high)
                };
                is_sound && register.cells().iter().all(is_range)
            };
            assert!(is_proven(&lines));
            for at in 0..lines.len() {
                for wrong in mutations(&lines[at], at) {
                    let changed = [&lines[..at], std::slice::from_ref(&wrong), &lines[at + 1..]].concat();
                    assert!(!is_proven(&changed), "case {case}, line {at}: {wrong:?}");
                    refused += 1;
                }
                // Hardly any line can be done without, but where roundings or cases leave something to spare.
                removed += u32::from(!is_proven(&[&lines[..at], &lines[at + 1..]].concat()));
                all += 1;
            }
        });
    }
    println!("{refused} changed lines refused, {removed} of {all} that were left out");
    assert!(refused > 2_000 && removed * 10 > all * 9, "{refused} {removed} {all}");
}
