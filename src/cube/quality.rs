//! What a snapshot was worth: records read, accepted, rejected, by reason and region.

use std::{collections::BTreeMap, fmt::Write};

use serde::{Deserialize, Serialize};

use super::{Built, HouseholdSummary};
use crate::{
    classify::report_level,
    register::{Definitions, Dimension, Period, Role, Unit},
};

/// Rejects for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonCount {
    /// Reason.
    pub reason: String,
    /// Column, or name of the impossible combination; empty where the whole record is meant.
    pub column: String,
    /// Records.
    pub records: u64,
}

/// Quality within one region of the report level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionQuality {
    /// Code of the region; empty for records whose region is not known.
    pub region: String,
    /// Name of the region.
    pub name: String,
    /// Records accepted.
    pub accepted: u64,
    /// Records rejected.
    pub rejected: u64,
    /// The rejected ones by reason.
    pub reasons: Vec<ReasonCount>,
}

/// The quality report of a snapshot. Confidential: it holds small counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    /// The period.
    pub period: Period,
    /// Files read.
    pub files: Vec<String>,
    /// Records read; always `accepted + rejected`.
    pub read: u64,
    /// Records counted.
    pub accepted: u64,
    /// Records not counted.
    pub rejected: u64,
    /// Rejects by reason.
    pub reasons: Vec<ReasonCount>,
    /// Households, if the register has any.
    pub households: Option<HouseholdSummary>,
    /// By region.
    pub regions: Vec<RegionQuality>,
}

/// What the public learns of a snapshot's quality: shares in steps so wide that none tells whether a few people were rejected.
///
/// The tables of a release show exactly how many people were accepted, so that a finely rounded share of them would tell how many were read, and
/// with that how many were rejected. Here the rejects of each reason are rounded on their own, and everything else follows from these
/// rounded numbers and the accepted: whoever puts several shares together learns of a reason no more than its own share says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PublicQuality {
    /// The period.
    pub period: Period,
    /// Accepted records per thousand read; absent where no share is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_per_thousand: Option<f64>,
    /// Rejected records per thousand read by reason. A reason that is not here rejected none, or at most half a step.
    pub rejected_per_thousand: BTreeMap<String, f64>,
}

/// Finest step of a published share, as a part of the accepted records: a tenth of a thousandth.
const STEPS: u64 = 10_000;
/// The same for a correction.
const STEPS_OF_CORRECTIONS: u64 = 100;
/// Steps below which shares would be too coarse to tell anything.
const FEWEST_STEPS: u64 = 100;
/// So many of the finest steps make the step of a correction at least.
const FEWEST_IN_STEPS: u64 = 10;

impl Quality {
    /// The report of a finished build.
    pub fn new(definitions: &Definitions, period: Period, built: &Built) -> Self {
        let region = definitions.dimensions.iter().find(|dimension| dimension.role == Role::Geo);
        let mut accepted = region.map_or_else(BTreeMap::new, |region| accepted_by_region(definitions, region, built));
        let mut rejected: BTreeMap<Option<u32>, BTreeMap<(String, String), u64>> = BTreeMap::new();
        let mut all: BTreeMap<(String, String), u64> = BTreeMap::new();
        for ((reason, column, node), count) in &built.rejected {
            let key = (reason.id().to_owned(), column.clone());
            *all.entry(key.clone()).or_default() += count;
            *rejected.entry(*node).or_default().entry(key).or_default() += count;
            if let Some(node) = node {
                accepted.entry(*node).or_default();
            }
        }
        let mut regions: Vec<RegionQuality> = Vec::new();
        let nodes = accepted.iter().map(|(&node, &accepted)| (Some(node), accepted));
        let unknown = rejected.contains_key(&None).then_some((None, 0));
        for (node, accepted) in nodes.chain(unknown) {
            let reasons = sorted(rejected.remove(&node).unwrap_or_default());
            let named = node.and_then(|node| region.map(|region| &region.nodes[node as usize]));
            regions.push(RegionQuality {
                region: named.map_or_else(String::new, |node| node.code.clone()),
                name: named.map_or_else(|| "(region not known)".to_owned(), |node| node.label.text(0).to_owned()),
                accepted,
                rejected: reasons.iter().map(|reason| reason.records).sum(),
                reasons,
            });
        }
        Self {
            period,
            files: built.files.clone(),
            read: built.read,
            accepted: built.accepted,
            rejected: built.rejected(),
            reasons: sorted(all),
            households: built.households,
            regions,
        }
    }

    /// The part that may be published where counts below `threshold` are withheld.
    ///
    /// A step is more than twice the threshold, so that half a step holds none as well as `threshold` rejected people, and whatever is rounded
    /// to more than none stands for more than `threshold`. Nothing is told where that makes steps of over a hundredth of the accepted
    /// records, or where the release does not show how many these are (`people_shown`): of very few people a share tells how many they are.
    ///
    /// Steps of a correction are a hundredth of the accepted records: rounded in other steps than before, or beside other numbers of accepted
    /// records, the same rejects would be told twice, and both together more finely than either. What a hundredth tells beside anything is
    /// far from few.
    pub fn public(&self, people_shown: bool, threshold: u32, is_correction: bool) -> PublicQuality {
        let untold = PublicQuality { period: self.period, accepted_per_thousand: None, rejected_per_thousand: BTreeMap::new() };
        // Made of nothing but public numbers, so that neither the step nor silence tells of rejects.
        let finest = 2 * u64::from(threshold) + 1;
        if !people_shown || self.accepted < finest * FEWEST_STEPS * if is_correction { FEWEST_IN_STEPS } else { 1 } {
            return untold;
        }
        let step = self.accepted.div_ceil(if is_correction { STEPS_OF_CORRECTIONS } else { STEPS }).max(finest);
        let mut rejected: BTreeMap<String, u64> = BTreeMap::new();
        for reason in &self.reasons {
            *rejected.entry(reason.reason.clone()).or_default() += reason.records;
        }
        rejected.values_mut().for_each(|records| *records = (*records + step / 2) / step * step);
        rejected.retain(|_, rounded| *rounded > 0);
        let read = self.accepted + rejected.values().sum::<u64>();
        let per_thousand = |records: u64| (records as f64 / read as f64 * 10_000.0).round() / 10.0;
        PublicQuality {
            accepted_per_thousand: Some(per_thousand(self.accepted)),
            rejected_per_thousand: rejected.into_iter().map(|(reason, rounded)| (reason, per_thousand(rounded))).collect(),
            ..untold
        }
    }

    /// A page of text for people.
    pub fn page(&self) -> String {
        let mut page = String::new();
        let share = |count: u64, of: u64| format!("{:.3} %", count as f64 / of.max(1) as f64 * 100.0);
        // Writing into a String cannot fail.
        let _ = writeln!(page, "Quality of the snapshot {}\n", self.period);
        for file in self.files.iter().take(20) {
            let _ = writeln!(page, "  {file}");
        }
        if self.files.len() > 20 {
            let _ = writeln!(page, "  and {} more files", self.files.len() - 20);
        }
        let _ = writeln!(page, "\nread      {:>12}", grouped(self.read));
        let _ = writeln!(page, "accepted  {:>12}  {:>9}", grouped(self.accepted), share(self.accepted, self.read));
        let _ = writeln!(page, "rejected  {:>12}  {:>9}", grouped(self.rejected), share(self.rejected, self.read));
        for ReasonCount { reason, column, records } in &self.reasons {
            let _ = writeln!(page, "  {:<28} {:<24} {:>12}  {:>9}", reason, column, grouped(*records), share(*records, self.read));
        }
        if let Some(HouseholdSummary { counted, without_head, several_heads, members }) = self.households {
            let _ = writeln!(page, "\nhouseholds {:>11}", grouped(counted));
            let _ = writeln!(page, "  people in them                     {:>12}", grouped(members));
            let _ = writeln!(page, "  not counted for want of a head     {:>12}", grouped(without_head));
            let _ = writeln!(page, "  not counted for several heads      {:>12}", grouped(several_heads));
        }
        let _ = writeln!(page, "\n{:<12} {:<36} {:>12} {:>10} {:>9}  reasons", "region", "name", "accepted", "rejected", "share");
        for region in &self.regions {
            let reason = |ReasonCount { reason, column, records }: &ReasonCount| match column.as_str() {
                "" => format!("{reason} {}", grouped(*records)),
                column => format!("{reason} {column} {}", grouped(*records)),
            };
            let reasons: Vec<String> = region.reasons.iter().map(reason).collect();
            let name: String = region.name.chars().take(36).collect();
            let total = region.accepted + region.rejected;
            let _ = writeln!(
                page,
                "{:<12} {:<36} {:>12} {:>10} {:>9}  {}",
                region.region,
                name,
                grouped(region.accepted),
                grouped(region.rejected),
                share(region.rejected, total),
                reasons.join(", ")
            );
        }
        page
    }
}

fn sorted(counts: BTreeMap<(String, String), u64>) -> Vec<ReasonCount> {
    let mut reasons: Vec<ReasonCount> =
        counts.into_iter().map(|((reason, column), records)| ReasonCount { reason, column, records }).collect();
    reasons.sort_by(|a, b| b.records.cmp(&a.records).then_with(|| (&a.reason, &a.column).cmp(&(&b.reason, &b.column))));
    reasons
}

/// A whole number with thin groups of three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Accepted records by node of the report level, from the table of people with the fewest cells that tells them.
fn accepted_by_region(definitions: &Definitions, region: &Dimension, built: &Built) -> BTreeMap<u32, u64> {
    let level = report_level(region.levels.len());
    let mut accepted = BTreeMap::new();
    let mut people: Vec<_> = definitions.tables.iter().zip(&built.cubes).collect();
    people.retain(|(table, _)| {
        let axis = table.axes.iter().find(|axis| axis.dimension == region.id);
        table.unit == Unit::Person && axis.and_then(|axis| region.level(&axis.level)).is_some_and(|finest| finest >= level)
    });
    let Some((table, cube)) = people.into_iter().min_by_key(|(_, cube)| cube.cells()) else { return accepted };
    let shape = definitions.shape(table);
    let Some(at) = table.axes.iter().position(|axis| axis.dimension == region.id) else { return accepted };
    let axis = &shape.axes[at];
    let (stride, mut sums) = (shape.leaf_strides[at] as u32, vec![0; axis.leaves.len()]);
    for (cell, count) in cube.filled() {
        sums[(cell / stride) as usize % axis.leaves.len()] += u64::from(count);
    }
    for (&leaf, sum) in axis.leaves.iter().zip(sums).filter(|(_, sum)| *sum > 0) {
        *accepted.entry(region.ancestor(axis.nodes[leaf as usize], level)).or_default() += sum;
    }
    accepted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REASONS: [&str; 4] = ["duplicate", "missing-field", "unknown-code", "unknown-region"];

    /// A report in which each of [`REASONS`] rejected so many, some of them in two columns.
    fn report(accepted: u64, rejected: [u64; 4]) -> Quality {
        let columns = |(reason, records): (&str, u64)| {
            let of_column = |column: &str, records| ReasonCount { reason: reason.to_owned(), column: column.to_owned(), records };
            [of_column("a", records / 3), of_column("b", records - records / 3)]
        };
        let mut reasons: Vec<ReasonCount> = REASONS.into_iter().zip(rejected).flat_map(columns).collect();
        reasons.retain(|reason| reason.records > 0);
        let rejected = rejected.iter().sum();
        Quality {
            period: "2024-S1".parse().unwrap(),
            files: Vec::new(),
            read: accepted + rejected,
            accepted,
            rejected,
            reasons,
            households: None,
            regions: Vec::new(),
        }
    }

    proptest! {
        #[test]
        fn few_rejected_people_are_like_none_and_like_enough(
            accepted in prop_oneof![0..30_u64, 0..3_000_u64, 0..3_000_000_u64],
            rejected in prop::array::uniform4(prop_oneof![0..40_u64, 0..4_000_u64]),
            // What the small ones might be instead, all at once.
            others in prop::array::uniform4(0..=50_u64),
            threshold in 1..=50_u32,
        ) {
            let public = report(accepted, rejected).public(true, threshold, false);
            let enough = u64::from(threshold);
            for at in (0..REASONS.len()).filter(|&at| rejected[at] < enough) {
                prop_assert!(!public.rejected_per_thousand.contains_key(REASONS[at]));
                for instead in 0..=enough {
                    let mut like = rejected;
                    like[at] = instead;
                    prop_assert_eq!(&report(accepted, like).public(true, threshold, false), &public);
                }
            }
            let mut like = rejected;
            for ((like, rejected), other) in like.iter_mut().zip(rejected).zip(others) {
                *like = if rejected < enough { other.min(enough) } else { rejected };
            }
            prop_assert_eq!(&report(accepted, like).public(true, threshold, false), &public);
            if rejected.iter().sum::<u64>() < enough {
                prop_assert_eq!(&report(accepted, [0; 4]).public(true, threshold, false), &public);
                prop_assert_eq!(&report(accepted, [0, enough, 0, 0]).public(true, threshold, false), &public);
                prop_assert!(public.accepted_per_thousand.is_none_or(|share| share == 1000.0));
            }
        }

        #[test]
        fn each_reason_is_told_whatever_the_others_are(
            accepted in 1_100..3_000_000_u64,
            rejected in prop::array::uniform4(0..4_000_u64),
            threshold in 1..=5_u32,
        ) {
            let public = report(accepted, rejected).public(true, threshold, false);
            // How many a reason might have rejected, for all that is published, does not depend on what the other reasons did.
            let step = accepted.div_ceil(STEPS).max(2 * u64::from(threshold) + 1);
            for at in 0..REASONS.len() {
                let like = |records: u64| {
                    let mut like = rejected;
                    like[at] = records;
                    report(accepted, like).public(true, threshold, false) == public
                };
                let steps = (rejected[at] + step / 2) / step;
                let (least, behind) = ((steps * step).saturating_sub(step / 2), (steps * step) + step.div_ceil(2));
                prop_assert!(like(least) && like(behind - 1));
                prop_assert!(least == 0 || least > u64::from(threshold));
            }
        }
    }

    #[test]
    fn a_correction_tells_nothing_of_few_rejects() {
        // The first revision tells 4 or 5 from 6, in steps of 9 or 11: both together would tell that there were 5.
        let first = |threshold, rejected| report(50_000, [rejected, 0, 0, 0]).public(true, threshold, false);
        assert!(first(4, 5) != first(4, 4) && first(5, 5) == first(5, 4) && first(5, 5) != first(5, 6));
        for threshold in 2..=10 {
            for accepted in [0, 1_000, 9_000, 11_000, 21_000, 50_000, 3_000_000] {
                let public = |rejected| report(accepted, [rejected, 0, 0, 0]).public(true, threshold, true);
                let few = 5 * (2 * u64::from(threshold) + 1);
                assert!((1..few).all(|rejected| public(rejected) == public(0)), "{threshold} {accepted}");
            }
        }
        assert_eq!(report(50_000, [1_000, 0, 0, 0]).public(true, 5, true).rejected_per_thousand["duplicate"], 19.6);
    }

    #[test]
    fn shares_are_near_the_truth_or_not_told() {
        let large = report(285_000_000, [400_000, 31_000, 12_345, 3]).public(true, 5, false);
        let told: Vec<(&str, f64)> = large.rejected_per_thousand.iter().map(|(reason, share)| (reason.as_str(), *share)).collect();
        assert_eq!((large.accepted_per_thousand, told), (Some(998.5), vec![("duplicate", 1.4), ("missing-field", 0.1)]));
        assert_eq!(report(9_900, [0, 100, 5, 0]).public(true, 5, false).rejected_per_thousand["missing-field"], 9.9);
        for (accepted, shown) in [(49, true), (1_099, true), (1_100, false)] {
            let public = report(accepted, [1, 0, 0, 0]).public(shown, 5, false);
            assert_eq!((public.accepted_per_thousand, public.rejected_per_thousand.len()), (None, 0));
        }
        assert_eq!(report(1_100, [1, 0, 0, 0]).public(true, 5, false).accepted_per_thousand, Some(1000.0));
    }
}
