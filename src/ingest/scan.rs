//! Finds record and field borders in delimiter-separated text, 64 bytes at a time.
//!
//! Each step compares 64 bytes with the four characters that matter and works on the resulting bit masks, as simdjson
//! does (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", VLDB Journal 28, 2019): a prefix XOR over the
//! quote mask marks what lies between quotes. Measured on 19-column register files that is 3 to 4 times as fast as
//! looking for one separator after the other.
//!
//! The masks only understand quotes that enclose a whole field without line breaks. A block in which a quote stands
//! anywhere else is *irregular*: a state machine finds its last record, and the csv crate cuts it.

mod loops;

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

/// Looks for the last whole record among the first `length` bytes; the text starts outside of quotes.
pub fn survey(text: &[u8], length: usize, delimiter: u8) -> Survey {
    let survey = survey_regular(text, length, delimiter);
    if survey.regular { survey } else { survey_irregular(&text[..length], delimiter) }
}

fn survey_regular(text: &[u8], length: usize, delimiter: u8) -> Survey {
    #[cfg(target_arch = "x86_64")]
    {
        if loops::avx512::available() {
            // SAFETY: the processor has what the function is compiled for.
            return unsafe { loops::avx512::survey(text, length, delimiter) };
        }
        if loops::avx2::available() {
            // SAFETY: the processor has what the function is compiled for.
            return unsafe { loops::avx2::survey(text, length, delimiter) };
        }
    }
    loops::portable::survey(text, length, delimiter)
}

/// Finds all fields and records among the first `length` bytes of a regular block.
pub fn borders(text: &[u8], length: usize, delimiter: u8, found: &mut Borders) {
    #[cfg(target_arch = "x86_64")]
    {
        if loops::avx512::available() {
            // SAFETY: the processor has what the function is compiled for.
            return unsafe { loops::avx512::borders(text, length, delimiter, found) };
        }
        if loops::avx2::available() {
            // SAFETY: the processor has what the function is compiled for.
            return unsafe { loops::avx2::borders(text, length, delimiter, found) };
        }
    }
    loops::portable::borders(text, length, delimiter, found);
}

/// The survey by a state machine that takes a quote within an unquoted field as a character like any other.
fn survey_irregular(text: &[u8], delimiter: u8) -> Survey {
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
        check("a,\"b\"\r\nc,\"d\"\r\n", 14, 2, true, false);
        check("a\"b,c\n", 6, 1, false, false);
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

    /// A survey, and borders, by one instruction set.
    type Loops = (fn(&[u8], usize, u8) -> Survey, fn(&[u8], usize, u8, &mut Borders));

    /// The loops that this processor can run.
    fn all_loops() -> Vec<Loops> {
        let mut all: Vec<Loops> = vec![(loops::portable::survey, loops::portable::borders)];
        #[cfg(target_arch = "x86_64")]
        {
            // SAFETY: the processor has what the functions are compiled for.
            if loops::avx2::available() {
                all.push((
                    |text, length, delimiter| unsafe { loops::avx2::survey(text, length, delimiter) },
                    |text, length, delimiter, found| unsafe {
                        loops::avx2::borders(text, length, delimiter, found);
                    },
                ));
            }
            // SAFETY: the processor has what the functions are compiled for.
            if loops::avx512::available() {
                all.push((
                    |text, length, delimiter| unsafe { loops::avx512::survey(text, length, delimiter) },
                    |text, length, delimiter, found| unsafe {
                        loops::avx512::borders(text, length, delimiter, found);
                    },
                ));
            }
        }
        all
    }

    proptest! {
        #[test]
        fn masks_agree_with_the_state_machine(pieces in prop::collection::vec(prop::sample::select(vec!["a", ",", "\n", "\"", "\"\"", "\r\n", "\"x\"", ",,,,,,,,", "long field of text"]), 0..120)) {
            let text = pieces.concat();
            let (bytes, length) = padded(&text);
            let slow = survey_irregular(text.as_bytes(), b',');
            for (survey, borders) in all_loops() {
                let fast = survey(&bytes, length, b',');
                if !fast.regular {
                    continue;
                }
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
