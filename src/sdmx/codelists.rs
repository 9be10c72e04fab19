//! Codes with their names and their places in the hierarchy.

use super::{
    artefacts::List,
    components::{CONFIDENTIALITIES, STATUSES, Text},
    message::texts,
    names::{Names, encode},
    structures::{Items, Reach},
    xml::Xml,
};
use crate::{
    tables::{Library, Variable, everything},
    words::{self, Phrase},
};

/// The name of a code list.
pub fn name(library: &Library, list: List) -> Text<'_> {
    match list {
        List::Frequency => Text::Phrase(&words::FREQUENCY),
        List::Dimension(dimension) => Text::Label(&library.dimensions[dimension].label),
        List::Contents(table) => Text::Label(&library.tables[table].table.label),
        List::Status => Text::Phrase(&words::OBSERVATION_STATUS),
        List::Confidentiality => Text::Phrase(&words::CONFIDENTIALITY),
        List::Unit => Text::Phrase(&words::UNIT_OF_MEASURE),
    }
}

/// Whether a dimension goes on below a level.
pub fn is_cut(library: &Library, dimension: usize, level: u8) -> bool {
    library.dimensions[dimension].nodes.iter().any(|node| node.level > level)
}

/// The identifiers of all codes of a list.
pub fn ids(names: &Names<'_>, list: List) -> Vec<String> {
    let library = names.library;
    let own = |codes: &[(&str, &'static Phrase)]| codes.iter().map(|(code, _)| (*code).to_owned()).collect();
    match list {
        List::Frequency => vec![library.register.frequency.sdmx().to_owned()],
        List::Status => own(&STATUSES),
        List::Confidentiality => own(&CONFIDENTIALITIES),
        List::Unit => names.units.iter().map(|unit| unit.id.clone()).collect(),
        List::Contents(table) => {
            let Ok(query) = everything(library, table, &[]) else { return Vec::new() };
            library.categories(&query, Variable::Contents, 0).into_iter().map(|measure| encode(measure.code).into_owned()).collect()
        }
        List::Dimension(dimension) => library.dimensions[dimension].nodes.iter().map(|node| encode(&node.code).into_owned()).collect(),
    }
}

/// The codes of a list that are among some items.
pub fn codes(xml: &mut Xml<'_>, names: &Names<'_>, list: List, reach: &Reach, items: &Items) {
    let library = names.library;
    match list {
        List::Frequency => {
            own(xml, library, &[(library.register.frequency.sdmx(), words::frequency(library.register.frequency))], items);
        }
        List::Status => own(xml, library, &STATUSES, items),
        List::Confidentiality => own(xml, library, &CONFIDENTIALITIES, items),
        List::Unit => {
            for unit in names.units.iter().filter(|unit| items.has(&unit.id)) {
                xml.element("str:Code", &[("id", &unit.id)], |xml| texts(xml, "com:Name", library, Text::Label(unit.label)));
            }
        }
        List::Contents(table) => measures(xml, library, table, items),
        List::Dimension(dimension) => {
            let level = reach.level(library, dimension).unwrap_or(u8::MAX);
            nodes(xml, library, dimension, level, items);
        }
    }
}

fn own(xml: &mut Xml<'_>, library: &Library, codes: &[(&str, &'static Phrase)], items: &Items) {
    for (code, phrase) in codes.iter().filter(|(code, _)| items.has(code)) {
        xml.element("str:Code", &[("id", code)], |xml| texts(xml, "com:Name", library, Text::Phrase(phrase)));
    }
}

fn measures(xml: &mut Xml<'_>, library: &Library, table: usize, items: &Items) {
    // A table can always be asked for as a whole.
    let Ok(query) = everything(library, table, &[]) else { return };
    let languages = &library.register.languages;
    let named: Vec<_> = (0..languages.len()).map(|language| library.categories(&query, Variable::Contents, language)).collect();
    for (at, measure) in named.first().into_iter().flatten().enumerate() {
        let id = encode(measure.code);
        if !items.has(&id) {
            continue;
        }
        xml.element("str:Code", &[("id", &id)], |xml| {
            for (language, categories) in languages.iter().zip(&named) {
                xml.text("com:Name", &[("xml:lang", &language.id)], categories[at].label);
            }
        });
    }
}

fn nodes(xml: &mut Xml<'_>, library: &Library, dimension: usize, level: u8, items: &Items) {
    let nodes = &library.dimensions[dimension].nodes;
    for node in nodes.iter().filter(|node| node.level <= level) {
        let id = encode(&node.code);
        if !items.has(&id) {
            continue;
        }
        xml.element("str:Code", &[("id", &id)], |xml| {
            if let Some(official) = &node.official {
                xml.element("com:Annotations", &[], |xml| {
                    xml.element("com:Annotation", &[], |xml| {
                        xml.text("com:AnnotationTitle", &[], official).text("com:AnnotationType", &[], "OFFICIAL_CODE");
                    });
                });
            }
            texts(xml, "com:Name", library, Text::Label(&node.label));
            if let Some(parent) = node.parent {
                let code = encode(&nodes[parent as usize].code);
                xml.element("str:Parent", &[], |xml| {
                    xml.empty("Ref", &[("id", &code)]);
                });
            }
        });
    }
}
