//! The two loops over 64 bytes at a time, once for each instruction set.
//!
//! The loops are the same text; what differs is how 64 bytes are compared, summed up and written out. They are a macro
//! and not generic functions because a function compiled for wider instructions inlines only into functions compiled
//! for the same ones: through an iterator or a trait every step was a call, three times as slow as narrow instructions.

macro_rules! loops {
    ($(#[$features:meta])?) => {
        use $crate::ingest::scan::{Borders, PADDING, Survey};

        /// Looks for the last whole record of a regular block; of an irregular one it says that it is irregular.
        $(#[$features])?
        pub fn survey(text: &[u8], length: usize, delimiter: u8) -> Survey {
            assert!(text.len() >= length + PADDING, "a block is padded");
            // Each carry is the bit that the previous step hands to the first byte of this one.
            let (mut inside, mut may_open, mut must_close) = (0u64, 1u64, 0u64);
            let (mut end, mut lines, mut faults) = (0, 0, 0);
            let mut at = 0;
            while at < length {
                let Some(block) = text[at..].first_chunk::<64>() else { break };
                let valid = u64::MAX >> (64 - (length - at).min(64));
                let quotes = mask(block, b'"') & valid;
                let breaks = mask(block, b'\n') & valid;
                let border = (mask(block, delimiter) & valid) | breaks | quotes;
                let between = prefix_xor(quotes) ^ inside;
                let after_border = border << 1 | may_open;
                let after_closing = (quotes & !between) << 1 | must_close;
                let wrong_opening = quotes & between & !after_border;
                let wrong_closing = after_closing & !border & valid;
                let mut fault = wrong_opening | wrong_closing | (breaks & between);
                if fault != 0 {
                    // A closing quote may also stand before a carriage return; rare enough to look only now.
                    fault &= !(wrong_closing & mask(block, b'\r')) | wrong_opening | (breaks & between);
                }
                faults |= fault;
                let ends = breaks & !between;
                end = if ends == 0 { end } else { at + 64 - ends.leading_zeros() as usize };
                lines += u64::from(breaks.count_ones());
                inside = ((between as i64) >> 63) as u64;
                may_open = border >> 63;
                must_close = (quotes & !between) >> 63;
                at += 64;
            }
            Survey { end, lines, regular: faults == 0, open: inside != 0 }
        }

        /// Finds all fields and records of a regular block.
        $(#[$features])?
        pub fn borders(text: &[u8], length: usize, delimiter: u8, found: &mut Borders) {
            assert!(text.len() >= length + PADDING, "a block is padded");
            found.records.clear();
            let mut inside = 0u64;
            let mut filled = 0;
            let mut at = 0;
            while at < length {
                let Some(block) = text[at..].first_chunk::<64>() else { break };
                let valid = u64::MAX >> (64 - (length - at).min(64));
                let between = prefix_xor(mask(block, b'"') & valid) ^ inside;
                inside = ((between as i64) >> 63) as u64;
                let mut ends = mask(block, b'\n') & valid & !between;
                let separators = (mask(block, delimiter) & valid & !between) | ends;
                while ends != 0 {
                    let end = ends.trailing_zeros();
                    found.records.push(filled as u32 + (separators & (u64::MAX >> (63 - end))).count_ones());
                    ends &= ends - 1;
                }
                if found.separators.len() < filled + 64 {
                    found.separators.resize((filled + 64) * 2, 0);
                }
                if let Some(slots) = found.separators[filled..].first_chunk_mut::<64>() {
                    write_positions(separators, at as u32, slots);
                }
                filled += separators.count_ones() as usize;
                at += 64;
            }
        }
    };
}

/// For any processor.
pub mod portable {
    loops!();

    /// Which of the 64 bytes equal `byte`.
    #[inline]
    fn mask(block: &[u8; 64], byte: u8) -> u64 {
        let mut mask = 0;
        for (part, eight) in block.as_chunks::<8>().0.iter().enumerate() {
            // A byte of `differ` is zero where the text equals `byte`; its top bit ends up set exactly there.
            let differ = u64::from_le_bytes(*eight) ^ (u64::from(byte) * 0x0101_0101_0101_0101);
            let zero = !(((differ & 0x7f7f_7f7f_7f7f_7f7f) + 0x7f7f_7f7f_7f7f_7f7f) | differ) & 0x8080_8080_8080_8080;
            // Gathers the eight top bits into one byte.
            mask |= ((zero >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (part * 8);
        }
        mask
    }

    /// Bit `i` of the result is the parity of the bits up to and including `i`.
    #[inline]
    pub(super) fn prefix_xor(mut mask: u64) -> u64 {
        for shift in [1, 2, 4, 8, 16, 32] {
            mask ^= mask << shift;
        }
        mask
    }

    /// Writes `at` plus the number of each set bit; what lies behind the last one is overwritten with anything.
    #[inline]
    pub(super) fn write_positions(mut bits: u64, at: u32, slots: &mut [u32; 64]) {
        // Eight at a time whether or not there are as many spares a branch that is hard to predict.
        let count = bits.count_ones() as usize;
        for eight in slots.as_chunks_mut::<8>().0.iter_mut().take(count.div_ceil(8)) {
            for slot in eight {
                *slot = at + (bits.trailing_zeros() & 63);
                bits &= bits.wrapping_sub(1);
            }
        }
    }
}

/// For processors with AVX2: Intel since 2013, AMD since 2015.
#[cfg(target_arch = "x86_64")]
pub mod avx2 {
    use std::arch::x86_64::{
        _mm_clmulepi64_si128, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_set1_epi8, _mm256_cmpeq_epi8, _mm256_loadu_si256,
        _mm256_movemask_epi8, _mm256_set1_epi8,
    };

    use super::portable::write_positions;

    pub fn available() -> bool {
        is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt")
            && is_x86_feature_detected!("pclmulqdq")
    }

    loops!(#[target_feature(enable = "avx2,bmi1,lzcnt,popcnt,pclmulqdq")]);

    #[target_feature(enable = "avx2,bmi1,lzcnt,popcnt,pclmulqdq")]
    #[inline]
    fn mask(block: &[u8; 64], byte: u8) -> u64 {
        let wanted = _mm256_set1_epi8(byte as i8);
        // SAFETY: both halves lie within the block; the load needs no alignment.
        let (low, high) = unsafe { (_mm256_loadu_si256(block.as_ptr().cast()), _mm256_loadu_si256(block.as_ptr().add(32).cast())) };
        let part = |bytes| u64::from(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, wanted)) as u32);
        part(low) | part(high) << 32
    }

    /// A product without carries with all ones is the parity of all lower bits.
    #[target_feature(enable = "avx2,bmi1,lzcnt,popcnt,pclmulqdq")]
    #[inline]
    fn prefix_xor(mask: u64) -> u64 {
        _mm_cvtsi128_si64(_mm_clmulepi64_si128::<0>(_mm_cvtsi64_si128(mask as i64), _mm_set1_epi8(-1))) as u64
    }
}

/// For processors with AVX-512 and its byte instructions: Intel since 2019, AMD since 2022.
#[cfg(target_arch = "x86_64")]
pub mod avx512 {
    use std::arch::x86_64::{
        __m128i, __m512i, _mm_clmulepi64_si128, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_set1_epi8, _mm512_add_epi32,
        _mm512_castsi512_si128, _mm512_cmpeq_epi8_mask, _mm512_cvtepu8_epi32, _mm512_extracti32x4_epi32, _mm512_loadu_si512,
        _mm512_maskz_compress_epi8, _mm512_set1_epi8, _mm512_set1_epi32, _mm512_storeu_si512,
    };

    pub fn available() -> bool {
        is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vbmi2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt")
            && is_x86_feature_detected!("pclmulqdq")
    }

    loops!(#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,bmi1,lzcnt,popcnt,pclmulqdq")]);

    /// The numbers from 0 to 63.
    const NUMBERS: [u8; 64] = {
        let mut numbers = [0; 64];
        let mut at = 0;
        while at < 64 {
            numbers[at] = at as u8;
            at += 1;
        }
        numbers
    };

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,bmi1,lzcnt,popcnt,pclmulqdq")]
    #[inline]
    fn load(block: &[u8; 64]) -> __m512i {
        // SAFETY: the block is as long as what is read; the load needs no alignment.
        unsafe { _mm512_loadu_si512(block.as_ptr().cast()) }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,bmi1,lzcnt,popcnt,pclmulqdq")]
    #[inline]
    fn mask(block: &[u8; 64], byte: u8) -> u64 {
        _mm512_cmpeq_epi8_mask(load(block), _mm512_set1_epi8(byte as i8))
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,bmi1,lzcnt,popcnt,pclmulqdq")]
    #[inline]
    fn prefix_xor(mask: u64) -> u64 {
        _mm_cvtsi128_si64(_mm_clmulepi64_si128::<0>(_mm_cvtsi64_si128(mask as i64), _mm_set1_epi8(-1))) as u64
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,bmi1,lzcnt,popcnt,pclmulqdq")]
    #[inline]
    fn write_positions(bits: u64, at: u32, slots: &mut [u32; 64]) {
        let numbers = _mm512_maskz_compress_epi8(bits, load(&NUMBERS));
        let base = _mm512_set1_epi32(at as i32);
        let mut write = |part: usize, numbers: __m128i| {
            let positions = _mm512_add_epi32(_mm512_cvtepu8_epi32(numbers), base);
            // SAFETY: each of the four parts is a quarter of the slots; the store needs no alignment.
            unsafe { _mm512_storeu_si512(slots.as_mut_ptr().add(part * 16).cast(), positions) };
        };
        let count = bits.count_ones();
        write(0, _mm512_castsi512_si128(numbers));
        if count > 16 {
            write(1, _mm512_extracti32x4_epi32::<1>(numbers));
        }
        if count > 32 {
            write(2, _mm512_extracti32x4_epi32::<2>(numbers));
            write(3, _mm512_extracti32x4_epi32::<3>(numbers));
        }
    }
}
