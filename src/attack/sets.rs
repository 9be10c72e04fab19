//! Disjoint sets of numbers that are joined one by one.

/// Sets of the numbers from 0; the smallest number of a set stands for it.
#[derive(Debug)]
pub(super) struct Sets {
    parents: Vec<u32>,
}

impl Sets {
    /// Each of so many numbers alone.
    pub fn new(count: usize) -> Self {
        Self { parents: (0..count as u32).collect() }
    }

    /// The number that stands for the set of another.
    pub fn find(&mut self, mut at: u32) -> u32 {
        while self.parents[at as usize] != at {
            self.parents[at as usize] = self.parents[self.parents[at as usize] as usize];
            at = self.parents[at as usize];
        }
        at
    }

    /// Joins the sets of two numbers; the numbers that stood for them, the one that stands for both first.
    pub fn join(&mut self, a: u32, b: u32) -> (u32, u32) {
        let (a, b) = (self.find(a), self.find(b));
        let (low, high) = (a.min(b), a.max(b));
        self.parents[high as usize] = low;
        (low, high)
    }
}
