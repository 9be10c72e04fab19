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

/// What the public learns of a snapshot's quality: shares, rounded so that they tell of no single record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PublicQuality {
    /// The period.
    pub period: Period,
    /// Accepted records per thousand read, rounded to a tenth; absent where the number of people is suppressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_per_thousand: Option<f64>,
    /// Rejected records per thousand read by reason, rounded to a tenth; none where the number of people is suppressed.
    pub rejected_per_thousand: BTreeMap<String, f64>,
}

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

    /// The part that may be published. Of very few people a share tells how many they are, so that shares are left out where
    /// the release does not show the number of people counted.
    pub fn public(&self, people_shown: bool) -> PublicQuality {
        if !people_shown {
            return PublicQuality { period: self.period, accepted_per_thousand: None, rejected_per_thousand: BTreeMap::new() };
        }
        let per_thousand = |count: u64| (count as f64 / self.read.max(1) as f64 * 10_000.0).round() / 10.0;
        let mut rejected: BTreeMap<String, u64> = BTreeMap::new();
        for reason in &self.reasons {
            *rejected.entry(reason.reason.clone()).or_default() += reason.records;
        }
        PublicQuality {
            period: self.period,
            accepted_per_thousand: Some(per_thousand(self.accepted)),
            rejected_per_thousand: rejected.into_iter().map(|(reason, count)| (reason, per_thousand(count))).collect(),
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
