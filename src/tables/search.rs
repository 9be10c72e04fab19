//! Finding what somebody means by a few words: `petani jawa tengah 15-64`.
//!
//! Words are compared whole, in any case and in every language of the register, with what names consist of. The longest run of
//! words that a name holds is taken for that name; of several names that hold it the one with the fewest other words, then the
//! one that stands higher in its hierarchy.

use super::{
    library::{Library, TableEntry},
    vintages::UnionDimension,
};

/// Names of nodes by the words in them.
#[derive(Debug, Default)]
pub struct Index {
    /// For each dimension.
    words: Vec<Words>,
}

/// The words of one dimension in alphabetical order, each with the nodes that have it in a name. A country has a quarter of a million
/// of them, so they lie in one text.
#[derive(Debug, Default)]
struct Words {
    text: String,
    /// Where each word ends in the text, and how many of the nodes belong to it and those before.
    ends: Vec<(u32, u32)>,
    nodes: Vec<u32>,
}

impl Words {
    fn new(dimension: &UnionDimension) -> Self {
        let mut pairs: Vec<(String, u32)> = Vec::new();
        for (at, node) in dimension.nodes.iter().enumerate() {
            let codes = [Some(&node.code), node.official.as_ref()].into_iter().flatten().map(|code| code.to_lowercase());
            pairs.extend(node.label.texts().flat_map(words).chain(codes).map(|word| (word, at as u32)));
        }
        pairs.sort_unstable();
        pairs.dedup();
        let mut index = Self::default();
        for (word, node) in pairs {
            if index.ends.is_empty() || index.word(index.ends.len() - 1) != word {
                index.text.push_str(&word);
                index.ends.push((index.text.len() as u32, index.nodes.len() as u32));
            }
            index.nodes.push(node);
            if let Some(last) = index.ends.last_mut() {
                last.1 += 1;
            }
        }
        index.text.shrink_to_fit();
        index
    }

    fn word(&self, at: usize) -> &str {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before].0);
        &self.text[start as usize..self.ends[at].0 as usize]
    }

    /// The nodes of some words that stand side by side.
    fn of(&self, words: std::ops::Range<usize>) -> &[u32] {
        if words.is_empty() {
            return &[];
        }
        let start = words.start.checked_sub(1).map_or(0, |before| self.ends[before].1);
        &self.nodes[start as usize..self.ends[words.end - 1].1 as usize]
    }

    /// The first word that is not before another in the alphabet.
    fn place(&self, word: &str) -> usize {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = (low + high) / 2;
            if self.word(middle) < word { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The nodes that have a word.
    fn get(&self, word: &str) -> &[u32] {
        let at = self.place(word);
        if at < self.ends.len() && self.word(at) == word { self.of(at..at + 1) } else { &[] }
    }

    /// The nodes that have a word with this beginning.
    fn beginning(&self, start: &str) -> &[u32] {
        let first = self.place(start);
        let last = (first..self.ends.len()).find(|&at| !self.word(at).starts_with(start)).unwrap_or(self.ends.len());
        self.of(first..last)
    }
}

/// What was found of a few words.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Understood {
    /// Nodes that words name: dimension, node.
    pub nodes: Vec<(usize, u32)>,
    /// Words that name nothing.
    pub rest: Vec<String>,
}

/// Words beyond these are not looked at.
const MOST_WORDS: usize = 12;

/// The words of a text: letters and digits, and what stands between digits.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let chars: Vec<char> = text.to_lowercase().chars().collect();
    let mut word = String::new();
    for (at, &char) in chars.iter().enumerate() {
        let digit = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_digit);
        let joins = matches!(char, '-' | '–' | '.') && digit(at.checked_sub(1)) && digit(Some(at + 1));
        if char.is_alphanumeric() {
            word.push(char);
        } else if joins {
            word.push(if char == '–' { '-' } else { char });
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Whether some words stand side by side in a name, and how many others it has.
fn holds(name: &[String], phrase: &[String]) -> Option<usize> {
    name.windows(phrase.len()).any(|window| window == phrase).then(|| name.len() - phrase.len())
}

impl Index {
    pub(super) fn new(dimensions: &[UnionDimension]) -> Self {
        Self { words: dimensions.iter().map(Words::new).collect() }
    }
}

impl Library {
    /// Nodes of a dimension whose names hold all the words, the last of which may be unfinished; best first, at most so many.
    pub fn find_nodes(&self, dimension: usize, text: &str, most: usize) -> Vec<u32> {
        let asked: Vec<String> = words(text).into_iter().take(MOST_WORDS).collect();
        let Some((last, whole)) = asked.split_last() else { return Vec::new() };
        let index = &self.index.words[dimension];
        let mut found: Vec<u32> = whole.first().map_or_else(|| index.beginning(last), |first| index.get(first)).to_vec();
        found.sort_unstable();
        found.dedup();
        let nodes = &self.dimensions[dimension].nodes;
        let fits = |&at: &u32| {
            let node = &nodes[at as usize];
            let official = node.official.iter().map(String::as_str);
            let mut names =
                node.label.texts().map(words).chain([node.code.as_str()].into_iter().chain(official).map(|code| vec![code.to_lowercase()]));
            names.any(|name| whole.iter().all(|word| name.contains(word)) && name.iter().any(|word| word.starts_with(last.as_str())))
        };
        found.retain(fits);
        let others = |at: u32| nodes[at as usize].label.texts().map(|name| words(name).len()).min().unwrap_or(0);
        found.sort_by_key(|&at| (nodes[at as usize].level, others(at), at));
        found.truncate(most);
        found
    }

    /// Takes words apart into the nodes that they name.
    pub fn understand(&self, text: &str) -> Understood {
        let asked: Vec<String> = words(text).into_iter().take(MOST_WORDS).collect();
        let mut understood = Understood::default();
        let mut at = 0;
        while at < asked.len() {
            let found = (1..=asked.len() - at).rev().find_map(|length| {
                let best = self.named(&asked[at..at + length], &understood)?;
                Some((length, best))
            });
            match found {
                Some((length, node)) => {
                    understood.nodes.push(node);
                    at += length;
                }
                None => {
                    understood.rest.push(asked[at].clone());
                    at += 1;
                }
            }
        }
        understood
    }

    /// The node that a run of words names best, of a dimension of which none was named yet.
    fn named(&self, phrase: &[String], before: &Understood) -> Option<(usize, u32)> {
        let mut best: Option<(usize, u8, usize, u32)> = None;
        for (dimension, index) in self.index.words.iter().enumerate() {
            if before.nodes.iter().any(|(known, _)| *known == dimension) {
                continue;
            }
            for &node in index.get(&phrase[0]) {
                let described = &self.dimensions[dimension].nodes[node as usize];
                // A total is what everything else is part of: nobody looks for it.
                let Some(parent) = described.parent else { continue };
                let codes = [Some(described.code.as_str()), described.official.as_deref()].into_iter().flatten();
                let mut names = described.label.texts().map(words).chain(codes.map(|code| vec![code.to_lowercase()]));
                let others = names.by_ref().filter_map(|name| holds(&name, phrase)).min();
                if let Some(others) = others {
                    let candidate = (others, described.level, dimension, node);
                    if best.is_none_or(|best| candidate < best) && parent < node {
                        best = Some(candidate);
                    }
                }
            }
        }
        best.map(|(_, _, dimension, node)| (dimension, node))
    }

    /// The tables that show all of these nodes, those with the fewest other axes first.
    pub fn tables_with(&self, nodes: &[(usize, u32)]) -> Vec<&TableEntry> {
        let shows = |entry: &&TableEntry| {
            let shown = |(dimension, node): &(usize, u32)| {
                entry.axes.iter().any(|axis| axis.dimension == *dimension && axis.nodes.binary_search(node).is_ok())
            };
            !entry.discontinued && nodes.iter().all(shown)
        };
        let mut found: Vec<&TableEntry> = self.tables.iter().filter(shows).collect();
        found.sort_by_key(|entry| entry.axes.len());
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_consist_of_words() {
        let check = |text: &str, expect: &[&str]| assert_eq!(words(text), expect, "{text}");
        check("", &[]);
        check("Petani/pekebun, DKI Jakarta", &["petani", "pekebun", "dki", "jakarta"]);
        check("15-64 tahun", &["15-64", "tahun"]);
        check("15–64", &["15-64"]);
        check("Kab. Sleman (34.04)", &["kab", "sleman", "34.04"]);
        check("a-b -5 5-", &["a", "b", "5", "5"]);
    }

    #[test]
    fn phrases_stand_side_by_side() {
        let name = words("Papua Barat Daya");
        let check = |phrase: &str, expect: Option<usize>| assert_eq!(holds(&name, &words(phrase)), expect, "{phrase}");
        check("papua barat", Some(1));
        check("papua daya", None);
        check("Papua Barat Daya", Some(0));
        check("papua barat daya x", None);
    }
}
