//! A table with a row for every cell.

use std::{collections::HashSet, sync::Arc};

use arrow::{
    array::{Array, AsArray, RecordBatch, StringViewArray},
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableProvider},
    common::{DFSchema, Result as PlanResult, tree_node::TreeNode},
    logical_expr::{Expr, TableProviderFilterPushDown, TableType},
    physical_plan::{ExecutionPlan, streaming::StreamingTableExec},
};

use super::{
    dimension::DimensionColumns,
    scan::{Chosen, Scan},
};
use crate::{
    engine::ServingEngine,
    error::{Error, Result},
    tables::{CONTENTS, Library, Query, Request, Selection, TIME, resolve},
};

/// What a column tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// The period.
    Period,
    /// One axis, and which of the things that are told of its nodes.
    Axis(usize, usize),
    /// The number, where it is published.
    Value,
    /// Why there is no number.
    Status,
}

/// One table of a library.
#[derive(Debug)]
pub(super) struct TidyTable {
    pub library: Arc<Library>,
    pub engine: Arc<ServingEngine>,
    pub axes: Vec<Arc<DimensionColumns>>,
    pub columns: Vec<Column>,
    pub schema: SchemaRef,
    /// The table's own measure over all periods; a scan fills in nodes and periods.
    pub everything: Query,
    /// For each axis its nodes under the names of their columns, last the periods.
    groups: Vec<RecordBatch>,
}

impl TidyTable {
    pub fn new(library: Arc<Library>, engine: Arc<ServingEngine>, table: usize, dimensions: &[Arc<DimensionColumns>]) -> Result<Self> {
        let entry = &library.tables[table];
        let axes: Vec<Arc<DimensionColumns>> = entry.axes.iter().map(|axis| Arc::clone(&dimensions[axis.dimension])).collect();
        let mut columns = vec![Column::Period];
        let mut fields = vec![Field::new("period", DataType::Utf8View, false)];
        for (axis, told) in axes.iter().enumerate() {
            columns.extend((0..told.traits.len()).map(|at| Column::Axis(axis, at)));
            fields.extend(told.fields());
        }
        columns.extend([Column::Value, Column::Status]);
        fields.push(Field::new("value", DataType::Int64, true));
        fields.push(Field::new("status", DataType::Utf8View, true));

        let mut groups = axes.iter().map(|axis| axis.batch()).collect::<Result<Vec<_>>>()?;
        let periods: StringViewArray = entry.span.iter().map(|&release| Some(library.period(release))).collect();
        groups.push(RecordBatch::try_new(Arc::new(Schema::new(vec![fields[0].clone()])), vec![Arc::new(periods)])?);

        let choose = |variable: &str, value: &str| Selection { variable: variable.into(), codelist: None, values: vec![value.into()] };
        let request = Request { selections: vec![choose(CONTENTS, &entry.table.contents.code), choose(TIME, "*")], ..Request::default() };
        let everything =
            resolve(&library, table, &request, u64::MAX).map_err(|error| Error::Internal(format!("{}: {error}", entry.table.id)))?;
        Ok(Self { library, engine, axes, columns, schema: Arc::new(Schema::new(fields)), everything, groups })
    }

    /// The one group of columns that a condition speaks of: an axis, or behind the axes the period.
    fn group_of(&self, condition: &Expr) -> Option<usize> {
        let asks_more = |part: &Expr| {
            matches!(
                part,
                Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) | Expr::OuterReferenceColumn(..) | Expr::Placeholder(_)
            )
        };
        if condition.is_volatile() || condition.exists(|part| Ok(asks_more(part))).unwrap_or(true) {
            return None;
        }
        let groups: Option<HashSet<usize>> = condition.column_refs().into_iter().map(|column| self.group_of_column(&column.name)).collect();
        let groups = groups?;
        if groups.len() == 1 { groups.into_iter().next() } else { None }
    }

    fn group_of_column(&self, name: &str) -> Option<usize> {
        match self.columns[self.schema.index_of(name).ok()?] {
            Column::Period => Some(self.axes.len()),
            Column::Axis(axis, _) => Some(axis),
            Column::Value | Column::Status => None,
        }
    }

    /// The nodes of every axis and the periods that meet all conditions.
    fn choose(&self, state: &dyn Session, conditions: &[Expr]) -> PlanResult<Chosen> {
        let entry = &self.library.tables[self.everything.table];
        let mut nodes: Vec<Vec<u32>> = entry.axes.iter().map(|axis| axis.nodes.to_vec()).collect();
        let mut periods: Vec<usize> = (0..entry.span.len()).collect();
        for condition in conditions {
            let Some(group) = self.group_of(condition) else { continue };
            let batch = &self.groups[group];
            let schema = DFSchema::try_from(batch.schema())?;
            let met = state.create_physical_expr(condition.clone(), &schema)?.evaluate(batch)?.into_array(batch.num_rows())?;
            let met = met.as_boolean();
            let holds = |at: usize| met.is_valid(at) && met.value(at);
            match nodes.get_mut(group) {
                Some(nodes) => nodes.retain(|&node| holds(node as usize)),
                None => periods.retain(|&at| holds(at)),
            }
        }
        Ok(Chosen { nodes, releases: periods.into_iter().map(|at| entry.span[at]).collect() })
    }
}

#[async_trait]
impl TableProvider for TidyTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, conditions: &[&Expr]) -> PlanResult<Vec<TableProviderFilterPushDown>> {
        let support = |condition: &&Expr| match self.group_of(condition) {
            Some(_) => TableProviderFilterPushDown::Exact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(conditions.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let chosen = self.choose(state, filters)?;
        let wanted: Vec<usize> = projection.cloned().unwrap_or_else(|| (0..self.columns.len()).collect());
        let scan = Scan::new(self, &wanted, chosen, limit)?;
        let schema = Arc::clone(scan.schema());
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![Arc::new(scan)], None, [], false, limit)?))
    }
}
