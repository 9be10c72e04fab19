//! Reading JSON-stat as a client would, and checking every rule of the standard on the way.

use std::collections::BTreeSet;

use serde_json::Value;

use super::world::Truth;

/// A dataset whose form has been checked.
#[derive(Debug)]
pub struct Dataset {
    pub document: Value,
    pub ids: Vec<String>,
    pub sizes: Vec<usize>,
    /// Codes of each dimension, in order.
    pub codes: Vec<Vec<String>>,
}

/// Checks the rules that hold for every JSON-stat dataset that this service writes, metadata included.
pub fn dataset(document: Value) -> Dataset {
    assert_eq!((document["version"].as_str(), document["class"].as_str()), (Some("2.0"), Some("dataset")));
    for key in ["label", "source", "updated"] {
        assert!(document[key].as_str().is_some_and(|text| !text.is_empty()), "{key}");
    }
    let updated = document["updated"].as_str().unwrap();
    assert!(chrono::DateTime::parse_from_rfc3339(updated).is_ok() && updated.ends_with('Z'), "{updated}");
    let ids: Vec<String> = document["id"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect();
    let sizes: Vec<usize> = document["size"].as_array().unwrap().iter().map(|size| size.as_u64().unwrap() as usize).collect();
    assert_eq!(ids.len(), sizes.len(), "ID_SIZE_LEN_MISMATCH");
    let dimensions = document["dimension"].as_object().unwrap();
    let keys: BTreeSet<&String> = dimensions.keys().collect();
    assert_eq!(keys, ids.iter().collect(), "DIM_KEY_ID_MISMATCH");

    let roles = document["role"].as_object().unwrap();
    for (role, members) in roles {
        assert!(["time", "geo", "metric"].contains(&role.as_str()), "{role}");
        assert!(members.as_array().unwrap().iter().all(|id| keys.contains(&id.as_str().unwrap().to_owned())), "ROLE_ID_UNKNOWN");
    }
    assert_eq!(roles["metric"], serde_json::json!(["ContentsCode"]));
    assert_eq!(roles["time"], serde_json::json!(["Tid"]));

    let mut codes = Vec::new();
    let mut labels = BTreeSet::new();
    for (id, size) in ids.iter().zip(&sizes) {
        let dimension = &dimensions[id];
        assert!(labels.insert(dimension["label"].as_str().unwrap().to_owned()), "two dimensions share the label {}", dimension["label"]);
        codes.push(category(id, dimension, *size, roles));
    }
    let read = Dataset { document, ids, sizes, codes };
    read.check_values();
    read
}

fn category(id: &str, dimension: &Value, size: usize, roles: &serde_json::Map<String, Value>) -> Vec<String> {
    let category = &dimension["category"];
    let index = category["index"].as_object().expect("an index that is an object");
    assert_eq!(index.len(), size, "INDEX_COUNT_MISMATCH {id}");
    // serde_json keeps objects sorted, so the order is taken from the positions, which have to be 0, 1, 2, ...
    let mut codes = vec![String::new(); size];
    for (code, position) in index {
        codes[position.as_u64().unwrap() as usize].clone_from(code);
    }
    assert!(codes.iter().all(|code| !code.is_empty()), "INDEX_POSITIONS_INVALID {id}");
    let known = |code: &String| index.contains_key(code);
    let label = category["label"].as_object().unwrap();
    assert!(label.len() == size && label.keys().all(known) && label.values().all(Value::is_string), "LABEL_KEY_UNKNOWN {id}");
    let is_metric = roles["metric"].as_array().unwrap().iter().any(|metric| metric == id);
    match category.get("unit") {
        Some(units) => {
            let units = units.as_object().unwrap();
            assert!(is_metric && units.len() == size && units.keys().all(known), "UNIT_KEY_UNKNOWN {id}");
            assert!(units.values().all(|unit| unit["decimals"].is_u64() && unit["base"].is_string()));
        }
        None => assert!(!is_metric, "METRIC_UNIT_MISSING {id}"),
    }
    if let Some(child) = category.get("child") {
        let mut parents = std::collections::BTreeMap::new();
        for (parent, children) in child.as_object().unwrap() {
            for child in children.as_array().unwrap() {
                let child = child.as_str().unwrap().to_owned();
                assert!(known(parent) && known(&child), "CHILD_ID_UNKNOWN {id}");
                assert!(parents.insert(child, parent.clone()).is_none(), "two parents in {id}");
            }
        }
        for start in parents.keys() {
            let mut steps = 0;
            let mut at = start;
            while let Some(parent) = parents.get(at) {
                at = parent;
                steps += 1;
                assert!(steps <= size, "CHILD_CYCLE {id}");
            }
        }
    }
    let extension = &dimension["extension"];
    assert!(extension["elimination"].is_boolean() && ["value", "code", "code_value"].contains(&extension["show"].as_str().unwrap()));
    if extension["elimination"] == true {
        assert!(extension["eliminationValueCode"].is_string());
        assert_eq!(extension["codelists"], extension["codeLists"]);
        assert!(extension["codelists"].is_array());
    }
    codes
}

impl Dataset {
    pub fn cells(&self) -> usize {
        self.sizes.iter().product()
    }

    fn check_values(&self) {
        let values = self.document["value"].as_array().expect("values that are a list");
        if values.is_empty() {
            assert!(self.document.get("status").is_none(), "metadata has no statuses");
            return;
        }
        assert_eq!(values.len(), self.cells(), "VALUE_LEN_MISMATCH");
        let none = serde_json::Map::new();
        let statuses = match self.document.get("status") {
            Some(statuses) => statuses.as_object().expect("sparse statuses"),
            None => &none,
        };
        for key in statuses.keys() {
            assert!(key.parse::<usize>().unwrap() < values.len(), "SPARSE_KEY_OUT_OF_RANGE");
        }
        for (at, value) in values.iter().enumerate() {
            match statuses.get(&at.to_string()) {
                // A suppressed cell has no number anywhere.
                Some(mark) => assert!(value.is_null() && ["c", "z", "x"].contains(&mark.as_str().unwrap()), "cell {at}: {value} {mark}"),
                None => assert!(value.is_number(), "cell {at}: {value}"),
            }
        }
    }

    /// The number of a cell, or its status.
    pub fn number(&self, cell: usize) -> Result<f64, &'static str> {
        match self.document["value"][cell].as_f64() {
            Some(number) => Ok(number),
            None => Err(self.mark(cell)),
        }
    }

    /// Every count with its codes.
    pub fn each(&self, mut check: impl FnMut(&[(&str, &str)], Truth)) {
        self.each_place(|codes, cell| check(codes, self.cell(cell)));
    }

    /// Every cell with its codes.
    pub fn each_place(&self, mut check: impl FnMut(&[(&str, &str)], usize)) {
        let mut at = vec![0; self.ids.len()];
        for cell in 0..self.cells() {
            let codes: Vec<(&str, &str)> =
                self.ids.iter().zip(&self.codes).zip(&at).map(|((id, codes), &at)| (id.as_str(), codes[at].as_str())).collect();
            check(&codes, cell);
            for (at, size) in at.iter_mut().zip(&self.sizes).rev() {
                *at += 1;
                if *at < *size {
                    break;
                }
                *at = 0;
            }
        }
    }

    fn cell(&self, at: usize) -> Truth {
        match self.document["value"][at].as_u64() {
            Some(number) => Ok(number),
            None => Err(self.mark(at)),
        }
    }

    fn mark(&self, cell: usize) -> &'static str {
        match self.document["status"][cell.to_string()].as_str() {
            Some("c") => "c",
            Some("z") => "z",
            Some("x") => "x",
            _ => panic!("cell {cell} is no count: {}", self.document["value"][cell]),
        }
    }

    /// The cell at some codes; dimensions with a single code may be left out.
    pub fn at(&self, wanted: &[(&str, &str)]) -> Truth {
        let mut found = None;
        self.each(|codes, cell| {
            if wanted.iter().all(|pair| codes.contains(pair)) {
                assert!(found.replace(cell).is_none(), "{wanted:?} names several cells");
            }
        });
        found.unwrap_or_else(|| panic!("{wanted:?} names no cell"))
    }

    pub fn codes_of(&self, id: &str) -> Vec<&str> {
        let at = self.ids.iter().position(|known| known == id).unwrap_or_else(|| panic!("no dimension {id}"));
        self.codes[at].iter().map(String::as_str).collect()
    }
}
