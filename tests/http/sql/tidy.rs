//! Tidy tables say of every cell what is true of it, whatever is asked for.

use std::collections::BTreeSet;

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{DataType, Int64Type},
};

use super::asked;

type Row = Vec<Option<String>>;

/// The rows of a statement, every value as text.
fn rows(text: &str) -> Vec<Row> {
    let asked = asked();
    asked.runtime.block_on(async {
        let session = asked.sql.session();
        let plan = session.prepare(text).await.unwrap_or_else(|error| panic!("{text}: {error}"));
        let bounds = cacah::engine::SqlSettings { rows: usize::MAX, ..session.settings() };
        let (_, batches) = session.run(plan, None, bounds).await.unwrap().collect().await.unwrap();
        let value = |array: &ArrayRef, row: usize| match array.data_type() {
            _ if array.is_null(row) => None,
            DataType::Int64 => Some(array.as_primitive::<Int64Type>().value(row).to_string()),
            DataType::Utf8 => Some(array.as_string::<i32>().value(row).to_owned()),
            DataType::Utf8View => Some(array.as_string_view().value(row).to_owned()),
            other => panic!("{text}: a column of {other}"),
        };
        let of = |batch: &arrow::array::RecordBatch| {
            (0..batch.num_rows()).map(|row| batch.columns().iter().map(|array| value(array, row)).collect()).collect::<Vec<Row>>()
        };
        batches.iter().flat_map(of).collect()
    })
}

#[test]
fn every_cell_is_a_row_and_says_what_is_true() {
    let world = &asked().world;
    for (table, axes) in [
        ("people", &["Region", "Sex", "Age"][..]),
        ("bands", &["Region", "Age"]),
        ("sparse", &["Region", "Sex"]),
        ("gone", &["Region", "Sex"]),
    ] {
        let columns = axes.iter().map(|axis| axis.to_lowercase()).collect::<Vec<_>>().join(", ");
        let mut seen = BTreeSet::new();
        let mut marks = BTreeSet::new();
        for row in rows(&format!("SELECT period, {columns}, value, status FROM {table}")) {
            let [period, codes @ .., value, status] = &row[..] else { panic!("{row:?}") };
            let codes: Vec<(&str, &str)> = axes.iter().copied().zip(codes.iter().map(|code| code.as_deref().unwrap())).collect();
            let truth = world.truth(period.as_deref().unwrap(), table, &codes);
            let said = match (value, status) {
                (Some(value), None) => Ok(value.parse().unwrap()),
                (None, Some(mark)) => Err(mark.as_str()),
                other => panic!("{row:?}: {other:?}"),
            };
            assert_eq!(said, truth, "{table} {row:?}");
            marks.insert(status.clone());
            assert!(
                seen.insert((period.clone(), codes.iter().map(|code| code.1.to_owned()).collect::<Vec<_>>())),
                "{row:?} is there twice"
            );
        }
        let cells: u64 = asked().sql.library().table(table).unwrap().cells();
        assert_eq!(seen.len() as u64, cells, "{table}");
        assert!(table != "people" || marks.len() == 4, "people show {marks:?}: every status should be met");
    }
}

#[test]
fn columns_tell_of_nodes() {
    let found = rows("SELECT DISTINCT region, region_label, region_label_en, region_level, region_parent FROM people ORDER BY region");
    let row =
        |code: &str| found.iter().find(|row| row[0].as_deref() == Some(code)).unwrap().iter().map(Option::as_deref).collect::<Vec<_>>();
    assert_eq!(row("TOY"), [Some("TOY"), Some("Negeri Mainan"), Some("Toyland"), Some("country"), None]);
    assert_eq!(row("1102"), [Some("1102"), Some("Birch \"upper\""), Some("Birch \"upper\""), Some("regency"), Some("11")]);
    let dimension = rows("SELECT code, label, label_en, level, parent FROM dim_region ORDER BY code");
    assert_eq!(found, dimension);
}

#[test]
fn conditions_choose_what_they_would_choose_row_by_row() {
    // The same condition as a value that nothing can be chosen by, so that all rows are read and each is judged.
    let conditions = [
        "region = '1101'",
        "region = '1101' AND period = '2024-S1'",
        "region IN ('1102', '1202', 'nowhere') AND sex <> 'T'",
        "region_parent = '11' AND age_level = 'band'",
        "region_label_en LIKE '%r%' OR region_level = 'country'",
        "region_parent IS NULL",
        "NOT (age = 'T') AND age_parent = 'T'",
        "period > '2023-S2' AND period < '2024-S2'",
        "region = 'nowhere'",
        "value > 100 AND region_level = 'province'",
        "status = 'c' AND sex = 'P'",
        "region = '11' OR sex = 'L'",
        "substr(age, 1, 1) = 'Y'",
        "region_level = age_level",
    ];
    for condition in conditions {
        let asked = rows(&format!("SELECT period, region, sex, age, value, status FROM people WHERE {condition}"));
        let judged = rows(&format!(
            "SELECT period, region, sex, age, value, status FROM (SELECT *, {condition} AS holds FROM people LIMIT 1000000) WHERE holds"
        ));
        assert_eq!(asked, judged, "{condition}");
        let counted = rows(&format!("SELECT count(*) FROM people WHERE {condition}"));
        assert_eq!(counted[0][0].as_deref(), Some(asked.len().to_string().as_str()), "{condition}");
    }
}

#[test]
fn a_condition_on_an_axis_is_met_before_anything_is_read() {
    let plan = rows("EXPLAIN SELECT value FROM people WHERE region = '1101' AND age_level = 'band' AND period = '2024-S1'");
    let physical = plan.iter().find(|row| row[0].as_deref() == Some("physical_plan")).unwrap()[1].as_deref().unwrap();
    assert!(!physical.contains("FilterExec"), "{physical}");
    let plan = rows("EXPLAIN SELECT region FROM people WHERE value > 10");
    assert!(plan.iter().any(|row| row[1].as_deref().is_some_and(|text| text.contains("FilterExec"))), "{plan:?}");
}

#[test]
fn blocks_join_without_a_gap() {
    // More rows are asked for, fewer, and about as many as a block has.
    let all = rows("SELECT period, region, sex, age FROM people");
    for limit in [1, 7, 100, all.len() - 1, all.len(), all.len() + 1] {
        let some = rows(&format!("SELECT period, region, sex, age FROM people LIMIT {limit}"));
        assert_eq!(some, all[..limit.min(all.len())], "{limit}");
    }
}
