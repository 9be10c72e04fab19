//! Reading from an exported file where it comes from ([`super::provenance`]).

use std::ops::Range;

use bytes::Bytes;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde::Deserialize;

use super::provenance::{Provenance, is_sealed};

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// JSON-stat.
    JsonStat,
    /// Parquet.
    Parquet,
    /// A workbook.
    Xlsx,
    /// A chart as SVG.
    Svg,
    /// A chart as PNG.
    Png,
    /// A chart as PDF.
    Pdf,
}

impl ExportFormat {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::JsonStat => "JSON-stat",
            Self::Parquet => "Parquet",
            Self::Xlsx => "XLSX",
            Self::Svg => "SVG",
            Self::Png => "PNG",
            Self::Pdf => "PDF",
        }
    }

    /// The kind of a file, by its content.
    fn of(file: &[u8]) -> Option<Self> {
        let start = file.trim_ascii_start();
        Some(match file {
            _ if file.starts_with(PNG) => Self::Png,
            _ if file.starts_with(b"%PDF-") => Self::Pdf,
            _ if file.starts_with(b"PK\x03\x04") => Self::Xlsx,
            _ if file.starts_with(b"PAR1") => Self::Parquet,
            _ if start.starts_with(b"{") => Self::JsonStat,
            _ if start.starts_with(b"<svg") || start.starts_with(b"<?xml") => Self::Svg,
            _ => return None,
        })
    }
}

/// What a file says of itself.
#[derive(Debug, Clone)]
pub struct Exported {
    /// What kind of file it is.
    pub format: ExportFormat,
    /// Where it comes from.
    pub provenance: Provenance,
    /// Whether it is still whole.
    pub is_whole: bool,
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The keyword of the text of a PNG that says where it comes from, as it stands in its chunk: not compressed, without language.
const PNG_TEXT: &[u8] = b"Provenance\0\0\0\0\0";

/// Reads what an exported file says of itself.
///
/// # Errors
/// Says why that cannot be read.
pub fn read_export(file: &Bytes) -> Result<Exported, String> {
    let format =
        ExportFormat::of(file).ok_or("is of no kind that says where it comes from; JSON-stat, Parquet, XLSX, SVG, PNG and PDF do so")?;
    let mut exempt = None;
    let mut is_whole = true;
    let text = match format {
        ExportFormat::JsonStat => json_stat(file),
        ExportFormat::Parquet => parquet(file),
        ExportFormat::Xlsx => archive_comment(file).map(str::to_owned),
        ExportFormat::Svg => svg(file),
        ExportFormat::Pdf => pdf(file),
        ExportFormat::Png => png_text(file).map(|PngText { text, chunk, checksum }| {
            is_whole = crc32(&file[chunk]).to_be_bytes() == file[checksum.clone()];
            exempt = Some(checksum);
            text.to_owned()
        }),
    };
    let text = text.ok_or_else(|| {
        format!("is a file of {} that does not say where it comes from: it is none of ours, or another program has saved it", format.name())
    })?;
    let provenance: Provenance =
        serde_json::from_str(&text).map_err(|error| format!("says where it comes from in a way that cannot be read: {error}"))?;
    is_whole &= is_sealed(file, &provenance.seal, exempt);
    Ok(Exported { format, provenance, is_whole })
}

fn json_stat(file: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Document {
        extension: Extension,
    }
    #[derive(Deserialize)]
    struct Extension {
        provenance: serde_json::Value,
    }
    let document: Document = serde_json::from_slice(file).ok()?;
    Some(document.extension.provenance.to_string())
}

fn parquet(file: &Bytes) -> Option<String> {
    let reader = SerializedFileReader::new(file.clone()).ok()?;
    let found = reader.metadata().file_metadata().key_value_metadata()?.iter().find(|pair| pair.key == "cacah")?;
    found.value.clone()
}

/// The comment at the end of a ZIP archive.
fn archive_comment(file: &[u8]) -> Option<&str> {
    let at = memchr::memmem::rfind(file, b"PK\x05\x06")?;
    let length = u16::from_le_bytes(file.get(at + 20..at + 22)?.try_into().ok()?);
    let comment = file.get(at + 22..)?;
    (comment.len() == usize::from(length)).then(|| std::str::from_utf8(comment).ok()).flatten()
}

fn svg(file: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(file).ok()?;
    let told = text.split_once("<metadata>")?.1.split_once("</metadata>")?.0;
    Some(told.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

fn pdf(file: &[u8]) -> Option<String> {
    let at = memchr::memmem::rfind(file, b"\n%cacah ")?;
    let line = file[at + 8..].split(|byte| *byte == b'\n').next()?;
    std::str::from_utf8(line).ok().map(str::to_owned)
}

/// The text of a PNG that says where it comes from.
#[derive(Debug)]
pub struct PngText<'a> {
    /// The text.
    pub text: &'a str,
    /// What the checksum is of: the kind of the chunk and its content, which ends with the text.
    pub chunk: Range<usize>,
    /// Where the checksum stands.
    pub checksum: Range<usize>,
}

/// Finds the text of a PNG that says where it comes from.
pub fn png_text(file: &[u8]) -> Option<PngText<'_>> {
    let mut at = PNG.len();
    loop {
        let length = u32::from_be_bytes(file.get(at..at + 4)?.try_into().ok()?) as usize;
        let (kind, content) = (file.get(at + 4..at + 8)?, file.get(at + 8..(at + 8).checked_add(length)?)?);
        let checksum = at + 8 + length..at + 12 + length;
        if kind == b"iTXt" && content.starts_with(PNG_TEXT) {
            file.get(checksum.clone())?;
            let text = std::str::from_utf8(&content[PNG_TEXT.len()..]).ok()?;
            return Some(PngText { text, chunk: at + 4..checksum.start, checksum });
        }
        at = checksum.end;
    }
}

/// The checksum of chunks of PNG (CRC-32).
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_png() {
        assert_eq!(crc32(b"IEND"), 0xAE42_6082);
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn what_says_nothing_is_refused_and_nothing_panics() {
        for file in [&b""[..], b"{", b"{}", b"PK\x03\x04", b"PAR1", PNG, b"%PDF-1.7\n%cacah {", b"<svg>", b"letters"] {
            for end in 0..=file.len() {
                assert!(read_export(&Bytes::copy_from_slice(&file[..end])).is_err());
            }
        }
        let huge = [PNG, &u32::MAX.to_be_bytes(), b"iTXt"].concat();
        assert!(read_export(&huge.into()).is_err());
    }
}
