//! Codes with their names and their places in the hierarchy.

use super::{
    artefacts::List,
    components::{CONFIDENTIALITIES, STATUSES, Text},
    message::texts,
    names::{Names, encode},
    structures::Reach,
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

/// Every code of a list.
pub fn codes(xml: &mut Xml<'_>, names: &Names<'_>, list: List, reach: &Reach) {
    let library = names.library;
    match list {
        List::Frequency => own(xml, library, &[(library.register.frequency.sdmx(), words::frequency(library.register.frequency))]),
        List::Status => own(xml, library, &STATUSES),
        List::Confidentiality => own(xml, library, &CONFIDENTIALITIES),
        List::Unit => {
            for unit in &names.units {
                xml.element("str:Code", &[("id", &unit.id)], |xml| texts(xml, "com:Name", library, Text::Label(unit.label)));
            }
        }
        List::Contents(table) => measures(xml, library, table),
        List::Dimension(dimension) => {
            let level = reach.level(library, dimension).unwrap_or(u8::MAX);
            nodes(xml, library, dimension, level);
        }
    }
}

fn own(xml: &mut Xml<'_>, library: &Library, codes: &[(&str, &'static Phrase)]) {
    for (code, phrase) in codes {
        xml.element("str:Code", &[("id", code)], |xml| texts(xml, "com:Name", library, Text::Phrase(phrase)));
    }
}

fn measures(xml: &mut Xml<'_>, library: &Library, table: usize) {
    // A table can always be asked for as a whole.
    let Ok(query) = everything(library, table, &[]) else { return };
    let languages = &library.register.languages;
    let named: Vec<_> = (0..languages.len()).map(|language| library.categories(&query, Variable::Contents, language)).collect();
    for (at, measure) in named.first().into_iter().flatten().enumerate() {
        xml.element("str:Code", &[("id", &encode(measure.code))], |xml| {
            for (language, categories) in languages.iter().zip(&named) {
                xml.text("com:Name", &[("xml:lang", &language.id)], categories[at].label);
            }
        });
    }
}

fn nodes(xml: &mut Xml<'_>, library: &Library, dimension: usize, level: u8) {
    let nodes = &library.dimensions[dimension].nodes;
    for node in nodes.iter().filter(|node| node.level <= level) {
        xml.element("str:Code", &[("id", &encode(&node.code))], |xml| {
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
