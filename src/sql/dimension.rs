//! The nodes of a dimension as columns.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Int32Array, RecordBatch, StringViewArray},
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use datafusion::{catalog::TableProvider, datasource::MemTable};

use super::name;
use crate::{
    error::Result,
    register::{Label, Node},
    tables::{Library, UnionDimension},
};

/// What is told of a node beside its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trait {
    Code,
    /// In the language with this position.
    Label(usize),
    Level,
    Parent,
}

/// Every node of a dimension, in order, with all that is told of it.
#[derive(Debug)]
pub(super) struct DimensionColumns {
    /// How columns of tables begin that tell of this dimension.
    pub name: String,
    /// What columns there are, with what each adds to [`Self::name`].
    pub traits: Vec<(String, Trait)>,
    arrays: Vec<ArrayRef>,
    /// The position of each node.
    ordinals: ArrayRef,
}

impl DimensionColumns {
    pub fn new(library: &Library, dimension: &UnionDimension) -> Self {
        let nodes = &dimension.nodes;
        let mut traits = vec![(String::new(), Trait::Code)];
        for (at, language) in library.register.languages.iter().enumerate() {
            // The first language is the one that everybody reads.
            let ending = if at == 0 { "_label".to_owned() } else { format!("_label_{}", name(&language.id)) };
            traits.push((ending, Trait::Label(at)));
        }
        traits.push(("_level".into(), Trait::Level));
        traits.push(("_parent".into(), Trait::Parent));
        let column = |(_, what): &(String, Trait)| {
            let text = |node: &Node| match what {
                Trait::Code => Some(node.code.clone()),
                Trait::Label(language) => Some(label(&node.label, *language)),
                Trait::Level => dimension.levels.get(usize::from(node.level)).map(|level| level.id.clone()),
                Trait::Parent => node.parent.and_then(|parent| nodes.get(parent as usize)).map(|parent| parent.code.clone()),
            };
            Arc::new(nodes.iter().map(text).collect::<StringViewArray>()) as ArrayRef
        };
        let ordinals = Arc::new(Int32Array::from_iter_values((0..).take(nodes.len())));
        Self { name: name(&dimension.id), arrays: traits.iter().map(column).collect(), traits, ordinals }
    }

    /// The column at a position of [`Self::traits`].
    pub fn array(&self, at: usize) -> &ArrayRef {
        &self.arrays[at]
    }

    /// The fields by which a table tells of the dimension.
    pub fn fields(&self) -> impl Iterator<Item = Field> + '_ {
        self.traits.iter().map(|(ending, what)| Field::new(format!("{}{ending}", self.name), DataType::Utf8View, *what == Trait::Parent))
    }

    /// All nodes under the names that they have in tables.
    pub fn batch(&self) -> Result<RecordBatch> {
        Ok(RecordBatch::try_new(Arc::new(Schema::new(self.fields().collect::<Vec<_>>())), self.arrays.clone())?)
    }

    /// The dimension as a table of its own: `code`, `label`, ..., `level`, `parent`, `ordinal`.
    pub fn table(&self) -> Result<Arc<dyn TableProvider>> {
        let own = |(ending, what): &(String, Trait)| {
            let name = if *what == Trait::Code { "code" } else { ending.trim_start_matches('_') };
            Field::new(name, DataType::Utf8View, *what == Trait::Parent)
        };
        let mut fields: Vec<Field> = self.traits.iter().map(own).collect();
        fields.push(Field::new("ordinal", DataType::Int32, false));
        let mut arrays = self.arrays.clone();
        arrays.push(Arc::clone(&self.ordinals));
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
        Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]])?))
    }
}

fn label(label: &Label, language: usize) -> String {
    label.text(language).to_owned()
}
