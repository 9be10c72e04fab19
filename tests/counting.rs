//! Counting is right: against plain SQL, against brute force, whatever the order and number of threads.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray, RecordBatch, UInt32Array},
    datatypes::{DataType, Field, Int64Type, Schema, UInt32Type},
};
use cacah::{
    cube::rollup,
    engine::{CellCounter, Counts, Engine},
    register::{Definitions, Shape, Table, shipped},
};
use datafusion::{datasource::MemTable, prelude::SessionContext};
use futures::StreamExt;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

fn definitions() -> Definitions {
    Definitions::parse(&shipped(), None).unwrap()
}

/// Random records: for each axis a column of base leaves.
fn records(shape: &Shape, seed: u64, count: usize) -> Vec<Vec<u32>> {
    let mut state = seed | 1;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Squeezed towards small numbers, so that cells meet more than once.
        let unit = (state >> 40) as f64 / (1u64 << 24) as f64;
        ((unit * unit * below as f64) as u32).min(below as u32 - 1)
    };
    shape.axes.iter().map(|axis| (0..count).map(|_| next(axis.base_to_leaf.len())).collect()).collect()
}

fn batch(names: &[String], columns: &[Vec<u32>]) -> RecordBatch {
    let fields: Vec<Field> = names.iter().map(|name| Field::new(name, DataType::UInt32, false)).collect();
    let arrays = columns.iter().map(|column| Arc::new(UInt32Array::from(column.clone())) as ArrayRef).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

async fn dense(engine: &Engine, table: &Table, shape: &Shape, columns: &[Vec<u32>], partitions: usize) -> Counts {
    let names: Vec<String> = table.axes.iter().map(|axis| axis.dimension.clone()).collect();
    let whole = batch(&names, columns);
    let rows = whole.num_rows();
    let sources = (0..partitions)
        .map(|part| {
            let (start, end) = (rows * part / partitions, rows * (part + 1) / partitions);
            let piece = whole.slice(start, end - start);
            futures::stream::iter((0..piece.num_rows()).step_by(100).map(move |at| Ok(piece.slice(at, 100.min(piece.num_rows() - at)))))
                .boxed()
        })
        .collect();
    let moves = shape.axes.iter().zip(&shape.leaf_strides);
    let counter = CellCounter {
        name: table.id.clone(),
        columns: names,
        moves: moves.map(|(axis, &stride)| axis.base_to_leaf.iter().map(|&leaf| leaf * stride as u32).collect()).collect(),
        cells: shape.leaf_cells as usize,
    };
    engine.count(whole.schema(), sources, &[counter]).await.unwrap().remove(0)
}

/// The same by SQL: join each code with its leaf, group by the leaves.
async fn by_sql(table: &Table, shape: &Shape, columns: &[Vec<u32>]) -> Vec<u32> {
    let session = SessionContext::new();
    let names: Vec<String> = (0..columns.len()).map(|at| format!("a{at}")).collect();
    let people = batch(&names, columns);
    session.register_table("people", Arc::new(MemTable::try_new(people.schema(), vec![vec![people]]).unwrap())).unwrap();
    for (at, axis) in shape.axes.iter().enumerate() {
        let base: Vec<u32> = (0..axis.base_to_leaf.len() as u32).collect();
        let lookup = batch(&["base".into(), "leaf".into()], &[base, axis.base_to_leaf.clone()]);
        session.register_table(format!("l{at}"), Arc::new(MemTable::try_new(lookup.schema(), vec![vec![lookup]]).unwrap())).unwrap();
    }
    let leaves = (0..columns.len()).map(|at| format!("l{at}.leaf AS n{at}")).collect::<Vec<_>>().join(", ");
    let joins = (0..columns.len()).map(|at| format!("JOIN l{at} ON l{at}.base = people.a{at}")).collect::<Vec<_>>().join(" ");
    let groups = (0..columns.len()).map(|at| format!("l{at}.leaf")).collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT {leaves}, count(*) AS n FROM people {joins} GROUP BY {groups}");
    let mut counts = vec![0; shape.leaf_cells as usize];
    for batch in session.sql(&sql).await.unwrap().collect().await.unwrap() {
        let count = batch.column(columns.len()).as_primitive::<Int64Type>().clone();
        for row in 0..batch.num_rows() {
            let leaf = |at: usize| u64::from(batch.column(at).as_primitive::<UInt32Type>().value(row));
            let cell: u64 = (0..columns.len()).map(|at| leaf(at) * shape.leaf_strides[at]).sum();
            counts[cell as usize] = count.value(row) as u32;
        }
    }
    assert_eq!(table.axes.len(), columns.len());
    counts
}

#[test]
fn dense_counting_equals_group_by() {
    let definitions = definitions();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let engine = Engine::new(2).unwrap();
    let mut runner = TestRunner::new(Config::with_cases(24));
    runner
        .run(&(0..definitions.tables.len(), any::<u64>(), 0usize..3000, 1usize..4), |(at, seed, count, partitions)| {
            let table = &definitions.tables[at];
            let shape = definitions.shape(table);
            let columns = records(&shape, seed, count);
            let (counted, grouped) = runtime
                .block_on(async { (dense(&engine, table, &shape, &columns, partitions).await, by_sql(table, &shape, &columns).await) });
            prop_assert_eq!(counted.total(), count as u64);
            prop_assert_eq!(counted.cells(), grouped.len());
            let grouped: Vec<(u32, u32)> = (0..).zip(grouped).filter(|(_, count)| *count > 0).collect();
            prop_assert_eq!(counted.filled().collect::<Vec<_>>(), grouped);
            Ok(())
        })
        .unwrap();
}

/// Cells hold a byte, and what is beyond it beside it: by one worker or by all together, at the ends of cubes and between them.
#[test]
fn cells_count_beyond_a_byte() {
    let counter = |name: &str, moves: Vec<u32>, cells: usize| CellCounter {
        name: name.into(),
        columns: vec!["code".into()],
        moves: vec![moves],
        cells,
    };
    let edge = 1 << 24;
    let counters = [
        counter("small", vec![0, 1, 2, 3], 4),
        counter("large", vec![0, edge - 5, edge - 4, edge + 100], edge as usize + 101),
        counter("last", vec![2, 2, 0, 1], 3),
    ];
    let times = [255, 256, 200, 70_000];
    let codes: Vec<u32> = (0..4).flat_map(|code| std::iter::repeat_n(code, times[code as usize])).collect();
    let all = codes.len();
    let records = batch(&["code".into()], &[codes]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let engine = Engine::new(2).unwrap();
    for cuts in [vec![0, all], vec![0, 100, 100, 600, all], vec![0, 0]] {
        let sources = cuts.windows(2).map(|cut| {
            let piece = records.slice(cut[0], cut[1] - cut[0]);
            futures::stream::iter((piece.num_rows() > 0).then_some(Ok(piece))).boxed()
        });
        let cubes = runtime.block_on(engine.count(records.schema(), sources.collect(), &counters)).unwrap();
        let expect = |cells: &[(u32, u32)]| cells.iter().copied().filter(|_| cuts.last() == Some(&all)).collect::<Vec<_>>();
        let counted = |at: usize| cubes[at].filled().collect::<Vec<_>>();
        assert_eq!(counted(0), expect(&[(0, 255), (1, 256), (2, 200), (3, 70_000)]));
        assert_eq!(counted(1), expect(&[(0, 255), (edge - 5, 256), (edge - 4, 200), (edge + 100, 70_000)]));
        assert_eq!(counted(2), expect(&[(0, 200), (1, 70_000), (2, 511)]));
        assert_eq!(cubes.iter().map(Counts::cells).collect::<Vec<_>>(), [4, edge as usize + 101, 3]);
    }
}

#[test]
fn rolling_up_counts_equals_counting_rolled_up_records() {
    let definitions = definitions();
    for (at, table) in definitions.tables.iter().enumerate() {
        let shape = definitions.shape(table);
        let columns = records(&shape, at as u64 * 77 + 5, 500);
        let mut leaves = vec![0; shape.leaf_cells as usize];
        let mut expected = std::collections::HashMap::new();
        let records = (0..500).map(|record| columns.iter().map(|column| column[record]).collect::<Vec<u32>>());
        for record in records {
            let leaf_of = |axis: usize| shape.axes[axis].base_to_leaf[record[axis] as usize];
            let cell: u64 = (0..shape.axes.len()).map(|axis| u64::from(leaf_of(axis)) * shape.leaf_strides[axis]).sum();
            leaves[cell as usize] += 1;
            // Every combination of nodes that the record belongs to.
            let mut cells = vec![0u64];
            for (axis, (spans, stride)) in shape.axes.iter().map(|axis| &axis.spans).zip(&shape.strides).enumerate() {
                let nodes = spans.iter().zip(0u64..).filter(|(span, _)| span.contains(&leaf_of(axis))).map(|(_, node)| node * stride);
                cells = nodes.flat_map(|node| cells.iter().map(move |cell| cell + node)).collect();
            }
            for cell in cells {
                *expected.entry(cell).or_insert(0u32) += 1;
            }
        }
        let counts = rollup(&shape, &leaves);
        assert_eq!(counts.len() as u64, shape.cells);
        for (cell, &count) in counts.iter().enumerate() {
            assert_eq!(count, expected.get(&(cell as u64)).copied().unwrap_or(0), "{} {cell}", table.id);
        }
    }
}

#[test]
fn an_error_in_a_partition_comes_out_as_it_went_in() {
    let definitions = definitions();
    let table = &definitions.tables[0];
    let shape = definitions.shape(table);
    let names: Vec<String> = table.axes.iter().map(|axis| axis.dimension.clone()).collect();
    let schema = batch(&names, &vec![Vec::new(); names.len()]).schema();
    let counter = CellCounter {
        name: "x".into(),
        columns: names,
        moves: shape.axes.iter().map(|axis| vec![0; axis.base_to_leaf.len()]).collect(),
        cells: 1,
    };
    let source = futures::stream::iter([Err(cacah::error::Error::Input("line 7 is wrong".into()))]).boxed();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let engine = Engine::new(1).unwrap();
    let error = runtime.block_on(engine.count(schema, vec![source], &[counter])).unwrap_err();
    assert!(matches!(error, cacah::error::Error::Input(_)), "{error}");
    assert_eq!(error.to_string(), "line 7 is wrong");
}
