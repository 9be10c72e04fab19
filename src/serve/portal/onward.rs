//! Where people are sent on to: nowhere but to addresses of our own, whoever asked for it.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use url::{Position, Url};

use super::secured;

/// An address that stands for our own while a path is read as browsers read it.
const OURS: &str = "http://ours.invalid/";

/// A path of our own with its query, as a browser would ask for it; nothing where the text means anything else to a browser.
///
/// Browsers take tabs and line breaks out of addresses, read `\` as `/` and resolve dots, and what then begins with two slashes is the
/// name of another server. So a text is read by the same rules, and what is given back is what came out, not what came in.
pub fn own_address(text: &str) -> Option<String> {
    let is_plain = |byte: u8| byte > b' ' && byte != b'\\' && byte != 0x7f;
    if !text.starts_with('/') || text.starts_with("//") || !text.bytes().all(is_plain) {
        return None;
    }
    let ours = Url::parse(OURS).ok()?;
    let read = ours.join(text).ok()?;
    let is_ours = read.origin() == ours.origin() && read.username().is_empty() && read.password().is_none();
    (is_ours && !read.path().starts_with("//")).then(|| read[Position::BeforePath..Position::AfterQuery].to_owned())
}

/// Sends somebody on to an address of our own; to the front page where it is none.
pub fn onward(to: &str) -> Response {
    let location = own_address(to).and_then(|to| HeaderValue::from_str(&to).ok()).unwrap_or(HeaderValue::from_static("/"));
    secured((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_our_own_stay_what_they_are() {
        for own in ["/", "/tables/people?lang=en", "/tables/a?valueCodes[Region]=34,51&x=(1)&y=%C3%A9", "/regions/34?a=//b", "/a/%09/b"] {
            assert_eq!(own_address(own).as_deref(), Some(own));
        }
        assert_eq!(own_address("/tables/../regions/34#below").as_deref(), Some("/regions/34"));
        assert_eq!(own_address("/wilayah é?q=é").as_deref(), None);
        assert_eq!(own_address("/é?q=é").as_deref(), Some("/%C3%A9?q=%C3%A9"));
    }

    #[test]
    fn whatever_leads_to_another_server_is_refused() {
        for other in [
            "",
            "evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r/evil.example",
            "\t//evil.example",
            " //evil.example",
            "/ /evil.example",
            "/.//evil.example",
            "/..//evil.example",
            "/%2e//evil.example",
            "/%2E%2e//evil.example",
            "/a/..//evil.example",
            "/a/../..//evil.example",
            "/./\t/evil.example",
            "/\u{0}/evil.example",
            "/\u{7f}/evil.example",
        ] {
            assert_eq!(own_address(other), None, "{other:?}");
            assert_eq!(onward(other).headers()[header::LOCATION], "/", "{other:?}");
        }
    }

    #[test]
    fn whatever_is_given_back_is_ours_to_a_browser() {
        // Every text of a few characters that mean something in addresses.
        const SIGNS: [char; 10] = ['/', '\\', '.', '%', '2', 'e', '\t', '@', ':', '?'];
        let ours = Url::parse("https://data.example/sign-in").unwrap();
        let mut given = 0;
        for number in 0..100_000u32 {
            let text: String = (0..5).map(|place| SIGNS[(number / 10u32.pow(place) % 10) as usize]).collect();
            if let Some(own) = own_address(&format!("/{text}evil.example")) {
                let read = ours.join(&own).unwrap();
                assert_eq!(read.origin(), ours.origin(), "{text:?} became {own}");
                given += 1;
            }
        }
        assert!(given > 1000, "{given}");
    }
}
