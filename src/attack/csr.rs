//! Lists by number, all in one piece: compressed sparse rows.

/// For each of some numbers a list of `u32`.
#[derive(Debug, Clone, Default)]
pub(super) struct Csr {
    /// Where each list begins; one more than there are lists.
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Csr {
    /// Groups items by their numbers, which are below `count`; each list is in the order in which its items come. The items are gone
    /// through twice.
    pub fn group(count: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut starts = vec![0u32; count + 1];
        for (number, _) in pairs.clone() {
            starts[number as usize + 1] += 1;
        }
        for at in 0..count {
            starts[at + 1] += starts[at];
        }
        let mut items = vec![0; starts[count] as usize];
        let mut next = starts.clone();
        for (number, item) in pairs {
            let at = &mut next[number as usize];
            items[*at as usize] = item;
            *at += 1;
        }
        Self { starts, items }
    }

    /// Number of lists.
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The list of a number.
    pub fn of(&self, number: u32) -> &[u32] {
        let at = number as usize;
        &self.items[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}
