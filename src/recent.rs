//! Values of which those that were used longest ago go first where room is scarce.

use std::collections::{BTreeMap, HashMap};

/// Values by key, each with a weight.
#[derive(Debug)]
pub struct Recent<T> {
    values: HashMap<String, Value<T>>,
    /// Keys by when they were last used.
    order: BTreeMap<u64, String>,
    weight: u64,
    clock: u64,
}

#[derive(Debug)]
struct Value<T> {
    value: T,
    weight: u64,
    used: u64,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self { values: HashMap::new(), order: BTreeMap::new(), weight: 0, clock: 0 }
    }
}

impl<T> Recent<T> {
    /// A value, which is used thereby.
    pub fn get(&mut self, key: &str) -> Option<&T> {
        let found = self.values.get_mut(key)?;
        self.clock += 1;
        if let Some(key) = self.order.remove(&found.used) {
            self.order.insert(self.clock, key);
        }
        found.used = self.clock;
        Some(&found.value)
    }

    /// Puts a value in, in the place of an earlier one of the same key.
    pub fn put(&mut self, key: String, value: T, weight: u64) {
        self.remove(&key);
        self.clock += 1;
        self.weight += weight;
        self.order.insert(self.clock, key.clone());
        self.values.insert(key, Value { value, weight, used: self.clock });
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: &str) {
        if let Some(value) = self.values.remove(key) {
            self.order.remove(&value.used);
            self.weight -= value.weight;
        }
    }

    /// Takes out what was used longest ago until the rest weighs no more than this; gives back the keys.
    pub fn shrink(&mut self, most: u64) -> Vec<String> {
        let mut gone = Vec::new();
        while self.weight > most
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.weight -= self.values.remove(&oldest).map_or(0, |value| value.weight);
            gone.push(oldest);
        }
        gone
    }

    /// What all values weigh.
    pub fn weight(&self) -> u64 {
        self.weight
    }
}
