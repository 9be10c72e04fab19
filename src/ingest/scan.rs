//! Finds record and field borders in delimiter-separated text, 64 bytes at a time.
//!
//! Each step compares 64 bytes with the four characters that matter and works on the resulting bit masks, as simdjson
//! does (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", VLDB Journal 28, 2019): a prefix XOR over the
//! quote mask marks what lies between quotes. Measured on 19-column register files that is 3 to 4 times as fast as
//! looking for one separator after the other.
//!
//! The masks only understand quotes that enclose a whole field. A block in which a quote stands anywhere else is
//! *irregular* and left to [`borders`], a plain state machine.

/// Bytes that a block must have behind its end, so that the last step may read them.
pub const PADDING: usize = 64;

/// What a look over a block found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Survey {
    /// One past the line break of the last whole record; 0 without any.
    pub end: usize,
    /// Line breaks up to there, those between quotes included.
    pub lines: u64,
    /// Whether all quotes up to there enclose whole fields without line breaks.
    pub regular: bool,
    /// Whether the block ends between quotes.
    pub open: bool,
}

/// Where the fields of a regular block end.
#[derive(Debug, Default)]
pub struct Borders {
    /// Positions of all delimiters and line breaks, in order; behind the last record's there may be remains of an earlier block.
    pub separators: Vec<u32>,
    /// For each record the number of separators up to and including its line break.
    pub records: Vec<u32>,
}

/// Which of the 64 bytes equal `byte`.
///
/// Sixteen at a time even where the processor could take 32: wider instructions do not inline into the loops here, and
/// measured three times slower for it.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn mask(block: &[u8; 64], byte: u8) -> u64 {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_set1_epi8};
    let mut mask = 0;
    for part in 0..4 {
        // SAFETY: SSE2 is part of every x86-64; the 16 bytes read lie within the 64 of the block.
        let equal = unsafe {
            let bytes = _mm_loadu_si128(block.as_ptr().add(part * 16).cast());
            _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte as i8)))
        };
        mask |= u64::from(equal as u32) << (part * 16);
    }
    mask
}

/// Which of the 64 bytes equal `byte`.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn mask(block: &[u8; 64], byte: u8) -> u64 {
    block.iter().enumerate().fold(0, |mask, (at, &found)| mask | u64::from(found == byte) << at)
}

/// Bit `i` of the result is the parity of the bits up to and including `i`.
#[inline(always)]
fn prefix_xor(mut mask: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        mask ^= mask << shift;
    }
    mask
}

#[inline(always)]
fn steps(text: &[u8], length: usize) -> impl Iterator<Item = (usize, &[u8; 64], u64)> {
    debug_assert!(text.len() >= length + PADDING, "a block is padded");
    (0..length).step_by(64).filter_map(move |at| {
        let block: &[u8; 64] = text[at..at + 64].try_into().ok()?;
        let valid = if length - at >= 64 { u64::MAX } else { (1 << (length - at)) - 1 };
        Some((at, block, valid))
    })
}

#[inline(always)]
fn survey_body(text: &[u8], length: usize, delimiter: u8) -> Survey {
    let mut survey = Survey { regular: true, ..Survey::default() };
    // Each carry is the bit that the previous step hands to the first byte of this one.
    let (mut inside, mut may_open, mut must_close) = (0u64, 1u64, 0u64);
    let (mut lines, mut sound) = (0u64, true);
    for (at, block, valid) in steps(text, length) {
        let quotes = mask(block, b'"') & valid;
        let breaks = mask(block, b'\n') & valid;
        if quotes | inside | must_close == 0 {
            if breaks != 0 {
                let last = 63 - breaks.leading_zeros() as usize;
                survey = Survey { end: at + last + 1, lines: lines + u64::from(breaks.count_ones()), regular: sound, open: false };
                lines += u64::from(breaks.count_ones());
            }
            may_open = ((breaks | mask(block, delimiter)) & valid) >> 63;
            continue;
        }
        let delimiters = mask(block, delimiter) & valid;
        let between = prefix_xor(quotes) ^ inside;
        let border = delimiters | breaks | quotes;
        let opening = quotes & between;
        let closing = quotes & !between;
        let after_border = border << 1 | may_open;
        let after_closing = closing << 1 | must_close;
        let mut fault = (opening & !after_border) | (after_closing & !border & valid) | (breaks & between);
        if fault != 0 {
            // A closing quote may also stand before a carriage return; rare enough to look only now.
            fault &= !(after_closing & mask(block, b'\r')) | (opening & !after_border) | (breaks & between);
        }
        let ends = breaks & !between;
        if ends != 0 {
            let last = 63 - ends.leading_zeros();
            let up_to = u64::MAX >> (63 - last);
            let regular = sound && fault & up_to == 0;
            survey = Survey { end: at + last as usize + 1, lines: lines + u64::from((breaks & up_to).count_ones()), regular, open: false };
        }
        sound &= fault == 0;
        lines += u64::from(breaks.count_ones());
        inside = ((between as i64) >> 63) as u64;
        may_open = border >> 63;
        must_close = closing >> 63;
    }
    survey.open = inside != 0;
    // A fault behind the last whole record may also have hidden its true end.
    survey.regular &= sound;
    survey
}

#[inline(always)]
fn borders_body(text: &[u8], length: usize, delimiter: u8, found: &mut Borders) {
    found.records.clear();
    let mut inside = 0u64;
    let mut filled = 0;
    for (at, block, valid) in steps(text, length) {
        let quotes = mask(block, b'"') & valid;
        let breaks = mask(block, b'\n') & valid;
        let delimiters = mask(block, delimiter) & valid;
        let between = if quotes | inside == 0 { 0 } else { prefix_xor(quotes) ^ inside };
        inside = ((between as i64) >> 63) as u64;
        let mut separators = (delimiters | breaks) & !between;
        let mut ends = breaks & !between;
        while ends != 0 {
            let end = ends.trailing_zeros();
            found.records.push(filled as u32 + (separators & (u64::MAX >> (63 - end))).count_ones());
            ends &= ends - 1;
        }
        if found.separators.len() < filled + 64 {
            found.separators.resize((filled + 64) * 2, 0);
        }
        // Writing eight at a time whether or not there are as many spares a branch that is hard to predict.
        let count = separators.count_ones() as usize;
        let slots = &mut found.separators[filled..filled + 64];
        for eight in slots.chunks_exact_mut(8).take(count.div_ceil(8)) {
            for slot in eight {
                *slot = at as u32 + separators.trailing_zeros();
                separators &= separators.wrapping_sub(1);
            }
        }
        filled += count;
    }
}

#[cfg(target_arch = "x86_64")]
mod wide {
    //! The same bodies, compiled for processors with bit-counting instructions.

    use super::{Borders, Survey, borders_body, survey_body};

    pub fn available() -> bool {
        is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("popcnt")
    }

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    pub fn survey(text: &[u8], length: usize, delimiter: u8) -> Survey {
        survey_body(text, length, delimiter)
    }

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    pub fn borders(text: &[u8], length: usize, delimiter: u8, found: &mut Borders) {
        borders_body(text, length, delimiter, found);
    }
}

/// Looks for the last whole record among the first `length` bytes; the text starts outside of quotes.
pub fn survey(text: &[u8], length: usize, delimiter: u8) -> Survey {
    #[cfg(target_arch = "x86_64")]
    if wide::available() {
        // SAFETY: the processor has what the function is compiled for.
        return unsafe { wide::survey(text, length, delimiter) };
    }
    survey_body(text, length, delimiter)
}

/// Finds all fields and records among the first `length` bytes of a regular block.
pub fn borders(text: &[u8], length: usize, delimiter: u8, found: &mut Borders) {
    #[cfg(target_arch = "x86_64")]
    if wide::available() {
        // SAFETY: the processor has what the function is compiled for.
        return unsafe { wide::borders(text, length, delimiter, found) };
    }
    borders_body(text, length, delimiter, found);
}

/// The same survey by a state machine that takes a quote within an unquoted field as a character like any other.
pub fn survey_irregular(text: &[u8], delimiter: u8) -> Survey {
    #[derive(PartialEq)]
    enum State {
        Start,
        Plain,
        Quoted,
        QuoteWithin,
    }
    let mut survey = Survey::default();
    let mut state = State::Start;
    let mut lines = 0;
    for (at, &byte) in text.iter().enumerate() {
        lines += u64::from(byte == b'\n');
        state = match (state, byte) {
            (State::Start, b'"') | (State::QuoteWithin, b'"') => State::Quoted,
            (State::Quoted, b'"') => State::QuoteWithin,
            (State::Quoted, _) => State::Quoted,
            (_, b'\n') => {
                survey = Survey { end: at + 1, lines, regular: false, open: false };
                State::Start
            }
            (_, byte) if byte == delimiter => State::Start,
            _ => State::Plain,
        };
    }
    survey.open = state == State::Quoted;
    survey
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn padded(text: &str) -> (Vec<u8>, usize) {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(text.len() + PADDING, 0);
        (bytes, text.len())
    }

    fn survey_of(text: &str) -> Survey {
        let (bytes, length) = padded(text);
        survey(&bytes, length, b',')
    }

    #[test]
    fn whole_records() {
        let check = |text: &str, end: usize, lines: u64, regular: bool, open: bool| {
            assert_eq!(survey_of(text), Survey { end, lines, regular, open }, "{text:?}");
        };
        check("", 0, 0, true, false);
        check("a,b\nc", 4, 1, true, false);
        check("\"a,\"\"x\"\"\",b\r\n\"", 13, 1, true, true);
        check("a\"b,c\n", 0, 0, false, true);
        check("\"a\nb\",c\n", 8, 2, false, false);
        check("\"a\" ,c\n", 7, 1, false, false);
    }

    #[test]
    fn fields() {
        let (bytes, length) = padded("a,\"b,\nc\",d\n\n1,2,3\n");
        let mut found = Borders::default();
        borders(&bytes, length, b',', &mut found);
        assert_eq!(found.separators[..7], [1, 8, 10, 11, 13, 15, 17]);
        assert_eq!(found.records, [3, 4, 7]);
    }

    proptest! {
        #[test]
        fn masks_agree_with_the_state_machine(pieces in prop::collection::vec(prop::sample::select(vec!["a", ",", "\n", "\"", "\"\"", "\r\n", "\"x\"", "long field of text"]), 0..120)) {
            let text = pieces.concat();
            let (bytes, length) = padded(&text);
            let fast = survey(&bytes, length, b',');
            let slow = survey_irregular(text.as_bytes(), b',');
            if fast.regular {
                prop_assert_eq!((fast.end, fast.lines, fast.open), (slow.end, slow.lines, slow.open));
                let mut found = Borders::default();
                borders(&bytes, fast.end, b',', &mut found);
                let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&bytes[..fast.end]);
                let expected: Vec<usize> = reader.byte_records().map(|record| record.unwrap().len()).collect();
                let mut before = 0;
                let mut counts = Vec::new();
                for &record in &found.records {
                    let fields = (record - before) as usize;
                    let end = found.separators[record as usize - 1] as usize;
                    let start = if before == 0 { 0 } else { found.separators[before as usize - 1] as usize + 1 };
                    if fields > 1 || !bytes[start..end].iter().all(|byte| *byte == b'\r') {
                        counts.push(fields);
                    }
                    before = record;
                }
                prop_assert_eq!(counts, expected);
            }
        }
    }
}
