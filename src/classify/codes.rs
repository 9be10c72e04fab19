//! Reads codes and texts of code columns.

use std::collections::HashMap;

use super::{
    MARKS, Reason,
    values::{Column, Value, trimmed},
};
use crate::{
    digits::digits,
    error::{Error, Result},
    register::{Coding, normalise},
};

/// What tells one text of up to 32 bytes from another, and most longer ones: its length and its first 32 bytes, with zeros behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Print {
    bytes: [u8; Print::WHOLE],
    length: usize,
}

/// For each length the bytes to keep.
static KEEP: [[u8; Print::WHOLE]; Print::WHOLE + 1] = {
    let mut masks = [[0; Print::WHOLE]; Print::WHOLE + 1];
    let mut at = 0;
    while at < masks.len() * Print::WHOLE {
        let (length, byte) = (at / Print::WHOLE, at % Print::WHOLE);
        masks[length][byte] = if byte < length { 0xff } else { 0 };
        at += 1;
    }
    masks
};

impl Print {
    /// Bytes up to which a print tells everything.
    const WHOLE: usize = 32;

    /// The print of a text, `within` being the text and whatever stands behind it.
    #[inline(always)]
    fn within(text: &[u8], within: &[u8]) -> Self {
        // No branch depends on the length, which changes from record to record in ways that no processor foresees.
        let Some(&(mut bytes)) = within.first_chunk() else { return Self::of(text) };
        for (byte, keep) in bytes.iter_mut().zip(&KEEP[text.len().min(Self::WHOLE)]) {
            *byte &= keep;
        }
        Self { bytes, length: text.len() }
    }

    fn of(text: &[u8]) -> Self {
        let mut bytes = [0; Self::WHOLE];
        let length = text.len().min(Self::WHOLE);
        bytes[..length].copy_from_slice(&text[..length]);
        Self { bytes, length: text.len() }
    }

    #[inline(always)]
    fn slot(&self) -> usize {
        let word = |at: usize| self.bytes[at..].first_chunk().copied().map_or(0, u64::from_le_bytes);
        let mixed = (word(0) ^ self.length as u64).wrapping_add(word(8).rotate_left(23)).wrapping_add(word(16) ^ word(24).rotate_left(11));
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SLOTS.trailing_zeros())) as usize
    }
}

/// Slots of a [`CodeReader`]'s cache; a power of two.
const SLOTS: usize = 1024;

/// One text met before, in a cache line of its own.
#[derive(Clone, Default)]
#[repr(align(64))]
struct Slot {
    print: Print,
    code: u32,
    /// The whole text, where it is longer than its print tells.
    text: Option<Box<[u8]>>,
}

/// Texts met before, each in the one slot that its print chooses.
struct Cache {
    slots: Vec<Slot>,
}

impl Cache {
    /// The code of a text met before. An empty text never was, and a free slot has an empty print.
    #[inline(always)]
    fn find(&self, text: &[u8], print: &Print) -> Option<u32> {
        let slot = &self.slots[print.slot()];
        let same = slot.print == *print && (text.len() <= Print::WHOLE || slot.text.as_deref() == Some(text));
        (same && !text.is_empty()).then_some(slot.code)
    }

    #[cold]
    fn keep(&mut self, text: &[u8], print: Print, code: u32) -> u32 {
        if !text.is_empty() {
            self.slots[print.slot()] = Slot { print, code, text: (text.len() > Print::WHOLE).then(|| text.into()) };
        }
        code
    }
}

/// Reads codes and texts; remembers texts met before.
pub(super) struct CodeReader {
    cache: Cache,
    ambiguous: bool,
}

impl CodeReader {
    pub fn new(codings: usize) -> Self {
        Self { cache: Cache { slots: vec![Slot::default(); SLOTS] }, ambiguous: codings > 1 }
    }

    /// Reads a column; tells whether it holds marks.
    pub fn read(
        &mut self,
        column: &Column<'_>,
        records: usize,
        codings: &[Coding],
        texts: &HashMap<String, u32>,
        name: &str,
        out: &mut Vec<u32>,
    ) -> Result<bool> {
        let mut clash = None;
        let ambiguous = self.ambiguous;
        let mut number = |number: u64| {
            let mut meanings = codings.iter().filter_map(|coding| coding.codes.get(&number).copied());
            let Some(first) = meanings.next() else { return Reason::UnknownCode.mark() };
            if ambiguous && meanings.any(|meaning| meaning != first) {
                clash = Some(number);
            }
            first
        };
        let mut slow = |text: &[u8]| {
            let text = trimmed(text);
            if let Some(digits) = digits(text) {
                return number(digits);
            }
            match std::str::from_utf8(text) {
                Err(_) => Reason::NotUtf8.mark(),
                Ok("") => Reason::Missing.mark(),
                Ok(text) => texts.get(&normalise(text)).copied().unwrap_or(Reason::UnknownCode.mark()),
            }
        };
        let cache = &mut self.cache;
        let marked = if let Column::Text(chunk, at) = column {
            let mut marked = false;
            out.extend((0..records).map(|record| {
                let (text, within) = chunk.field_within(*at, record);
                let print = Print::within(text, within);
                let code = cache.find(text, &print).unwrap_or_else(|| cache.keep(text, print, slow(text)));
                marked |= code >= MARKS;
                code
            }));
            marked
        } else {
            let mut cached = |text: &[u8]| {
                let print = Print::of(text);
                cache.find(text, &print).unwrap_or_else(|| cache.keep(text, print, slow(text)))
            };
            column.codes(records, out, |value| match value {
                Value::Missing => Reason::Missing.mark(),
                Value::Text(text) => cached(text),
                Value::Number(found) => match u64::try_from(found) {
                    Ok(found) => cached(itoa::Buffer::new().format(found).as_bytes()),
                    Err(_) => Reason::UnknownCode.mark(),
                },
                Value::Date(_) => Reason::UnknownCode.mark(),
            })
        };
        match clash {
            None => Ok(marked),
            Some(number) => {
                let ids = codings.iter().map(|coding| coding.id.as_str()).collect::<Vec<_>>().join(" or ");
                Err(Error::Input(format!(
                    "column {name} holds the number {number}, which means different things in the codings {ids}; \
                     say which one the snapshot uses with --coding DIMENSION=CODING"
                )))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_print_tells_texts_apart_up_to_its_length() {
        let text = b"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF";
        let follows = b"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF and whatever else stands behind it";
        for length in 1..=Print::WHOLE {
            let print = Print::of(&text[..length]);
            assert!(print == Print::within(&text[..length], follows), "{length}");
            for changed in 0..length {
                let mut other = text[..length].to_vec();
                other[changed] = b'-';
                assert!(print != Print::of(&other), "{length} {changed}");
            }
        }
        assert!(Print::of(b"A\0") != Print::of(b"A"));
        assert!(Print::of(&[b'A'; 40]) != Print::of(&[b'A'; 41]));
    }
}
