//! What every SDMX-ML document begins with, and documents that say what went wrong.

use chrono::{DateTime, SecondsFormat, Utc};

use super::{components::Text, names::Names, xml::Xml};
use crate::{
    release::Protection,
    tables::{Library, Query},
    words::{self, Message},
};

const MESSAGE: (&str, &str) = ("xmlns:mes", "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message");
const COMMON: (&str, &str) = ("xmlns:com", "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common");
const FOOTER: (&str, &str) = ("xmlns:footer", "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message/footer");

/// The namespaces of a document: those that all have and its own.
pub fn namespaces<'n>(own: &[(&'n str, &'n str)]) -> Vec<(&'n str, &'n str)> {
    [MESSAGE, COMMON, FOOTER].into_iter().chain(own.iter().copied()).collect()
}

/// A moment as the standard writes it.
pub fn moment(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A text in every language, an element each.
pub fn texts(xml: &mut Xml<'_>, element: &str, library: &Library, text: Text<'_>) {
    for (at, language) in library.register.languages.iter().enumerate() {
        xml.text(element, &[("xml:lang", &language.id)], text.text(library, at));
    }
}

/// The header of a message: who says this, and when it came to be so. `more` writes what stands behind the sender.
pub fn header(xml: &mut Xml<'_>, names: &Names<'_>, id: &str, prepared: DateTime<Utc>, more: impl FnOnce(&mut Xml<'_>)) {
    let library = names.library;
    xml.element("mes:Header", &[], |xml| {
        xml.text("mes:ID", &[], id).text("mes:Test", &[], "false").text("mes:Prepared", &[], &moment(prepared));
        xml.element("mes:Sender", &[("id", &names.agency)], |xml| {
            texts(xml, "com:Name", library, Text::Label(&library.register.label));
        });
        more(xml);
        texts(xml, "mes:Source", library, Text::Label(&library.register.source));
    });
}

/// What readers of data must know: whether they may leave the machine.
pub fn footer(xml: &mut Xml<'_>, library: &Library, query: &Query) {
    let manifests = query.releases.iter().map(|&release| &library.releases[release].manifest);
    if manifests.into_iter().any(|manifest| manifest.protection == Protection::PrimaryOnly) {
        xml.element("footer:Footer", &[], |xml| {
            xml.element("footer:Message", &[("code", "1000"), ("severity", "Warning")], |xml| {
                texts(xml, "com:Text", library, Text::Phrase(&words::PRIMARY_ONLY));
            });
        });
    }
}

/// A document that says in every language what is wrong, under a code of the standard.
pub fn error(library: &Library, code: u16, detail: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    Xml::new(&mut out).declaration().element("mes:Error", &namespaces(&[]), |xml| {
        xml.element("mes:ErrorMessage", &[("code", &code.to_string())], |xml| {
            for (at, language) in library.register.languages.iter().enumerate() {
                xml.text("com:Text", &[("xml:lang", &language.id)], &detail.text(library.tongue(at)));
            }
        });
    });
    out
}
