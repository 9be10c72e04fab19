//! Which format a client would like best, by its `Accept` headers.

use axum::http::{HeaderMap, StatusCode, header};

use super::problem::Problem;
use crate::{
    formats::{FORMATS, MEDIA_TYPES},
    words,
};

/// Something that a client takes: `text/html`, `text/*` or `*/*`, and how much it likes that.
struct Range {
    kind: String,
    subkind: String,
    /// Thousandths, from 0 (not at all) to 1000.
    quality: u32,
}

impl Range {
    /// `None` for what is no range of media types; parameters other than `q` do not matter, because each format has one form.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subkind) = parts.next()?.split_once('/')?;
        let mut quality = 1000;
        for part in parts {
            if let Some((name, value)) = part.split_once('=')
                && name.trim().eq_ignore_ascii_case("q")
            {
                let value: f32 = value.trim().parse().ok().filter(|value| (0.0..=1.0).contains(value))?;
                quality = (value * 1000.0).round() as u32;
            }
        }
        Some(Self { kind: kind.to_ascii_lowercase(), subkind: subkind.to_ascii_lowercase(), quality })
    }

    /// How exactly the range means a media type, if at all.
    fn fits(&self, media: &str) -> Option<u32> {
        let (kind, subkind) = media.split_once('/')?;
        match (self.kind.as_str(), self.subkind.as_str()) {
            ("*", "*") => Some(0),
            (own, "*") if own == kind => Some(1),
            (own, other) if own == kind && other == subkind => Some(2),
            _ => None,
        }
    }
}

/// The name of the format that a client likes best. Of several it likes alike, one that it names comes before one that it only
/// allows, and then the service's own order counts. A client that says nothing gets the first format.
pub fn preferred(headers: &HeaderMap) -> Result<&'static str, Problem> {
    let ranges: Vec<Range> = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(Range::parse)
        .collect();
    if ranges.is_empty() {
        return Ok(MEDIA_TYPES[0].0);
    }
    let mut best: Option<(&'static str, (u32, u32))> = None;
    for (name, media) in MEDIA_TYPES {
        // The most exact range counts, whatever wider ones say.
        let liked = ranges.iter().filter_map(|range| Some((range.fits(media)?, range.quality))).max();
        if let Some((exactness, quality)) = liked
            && quality > 0
            && best.is_none_or(|(_, before)| (quality, exactness) > before)
        {
            best = Some((name, (quality, exactness)));
        }
    }
    best.map(|(name, _)| name).ok_or_else(|| {
        let media = MEDIA_TYPES.map(|(_, media)| media).join(", ");
        Problem::new(StatusCode::NOT_ACCEPTABLE, "Not acceptable", words::NOT_ACCEPTABLE.with(media).and(FORMATS.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(accepts: &[&str]) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        for accept in accepts {
            headers.append(header::ACCEPT, accept.parse().unwrap());
        }
        preferred(&headers).ok()
    }

    #[test]
    fn clients_get_what_they_like_best() {
        let check = |accept: &str, expect: &str| assert_eq!(format(&[accept]), Some(expect), "{accept}");
        check("*/*", "json-stat2");
        check("application/json", "json-stat2");
        check("application/json, text/plain, */*", "json-stat2");
        check("application/json, text/xml, application/xml, */*", "json-stat2");
        check("text/csv", "csv");
        check("Text/CSV; charset=utf-8", "csv");
        check("text/csv, */*", "csv");
        check("text/*", "csv");
        check("text/*;q=0.5, text/html", "html");
        check("application/*", "json-stat2");
        check("application/json;q=0.2, application/vnd.apache.parquet;q=0.9", "parquet");
        check("application/json;q=0, */*", "csv");
        check("application/vnd.apache.arrow.stream", "arrow");
        check("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx");
        // Browsers.
        check("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", "html");
        check("text/csv;q=0.0001, application/json;q=0.001", "json-stat2");
    }

    #[test]
    fn nothing_sound_means_anything() {
        assert_eq!(format(&[]), Some("json-stat2"));
        assert_eq!(format(&["", "nonsense", "text/csv;q=2"]), Some("json-stat2"));
        assert_eq!(format(&["image/png", "text/csv;q=0.1"]), Some("csv"));
    }

    #[test]
    fn what_there_is_not_is_refused() {
        assert_eq!(format(&["image/png"]), None);
        assert_eq!(format(&["*/*;q=0"]), None);
        assert_eq!(format(&["application/json;q=0"]), None);
    }
}
