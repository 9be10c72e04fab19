//! Data structures: what a key consists of, and what stands beside a number.

use super::{
    artefacts::{Artefact, List},
    components::{CONF_STATUS, CONTENTS, DECIMALS, FREQ, OBS_STATUS, OBS_VALUE, TIME_PERIOD, UNIT_MEASURE},
    structures::Writer,
    xml::Xml,
};

/// The dimensions, attributes and measure of a table.
pub fn components(xml: &mut Xml<'_>, writer: &Writer<'_>, table: usize) {
    let entry = &writer.names.library.tables[table];
    xml.element("str:DataStructureComponents", &[], |xml| {
        xml.element("str:DimensionList", &[("id", "DimensionDescriptor")], |xml| {
            let axes = entry.axes.iter().enumerate().map(|(at, axis)| (writer.names.axis(table, at), List::Dimension(axis.dimension)));
            let dimensions = std::iter::once((FREQ, List::Frequency)).chain(axes).chain([(CONTENTS, List::Contents(table))]);
            let mut position = 1;
            for (id, list) in dimensions {
                xml.element("str:Dimension", &[("id", id), ("position", &position.to_string())], |xml| {
                    concept(xml, writer, id);
                    coded(xml, writer, list);
                });
                position += 1;
            }
            xml.element("str:TimeDimension", &[("id", TIME_PERIOD), ("position", &position.to_string())], |xml| {
                concept(xml, writer, TIME_PERIOD);
                xml.element("str:LocalRepresentation", &[], |xml| {
                    xml.empty("str:TextFormat", &[("textType", "ObservationalTimePeriod")]);
                });
            });
        });
        xml.element("str:AttributeList", &[("id", "AttributeDescriptor")], |xml| {
            let of_list = |list| move |xml: &mut Xml<'_>| coded(xml, writer, list);
            attribute(xml, writer, OBS_STATUS, None, of_list(List::Status));
            attribute(xml, writer, CONF_STATUS, None, of_list(List::Confidentiality));
            attribute(xml, writer, UNIT_MEASURE, Some(CONTENTS), of_list(List::Unit));
            attribute(xml, writer, DECIMALS, Some(CONTENTS), |xml| {
                xml.element("str:LocalRepresentation", &[], |xml| {
                    xml.empty("str:TextFormat", &[("textType", "Integer")]);
                });
            });
        });
        xml.element("str:MeasureList", &[("id", "MeasureDescriptor")], |xml| {
            xml.element("str:PrimaryMeasure", &[("id", OBS_VALUE)], |xml| {
                concept(xml, writer, OBS_VALUE);
                xml.element("str:LocalRepresentation", &[], |xml| {
                    xml.empty("str:TextFormat", &[("textType", "Double")]);
                });
            });
        });
    });
}

/// An attribute of a dimension, or of the observation.
fn attribute(xml: &mut Xml<'_>, writer: &Writer<'_>, id: &str, of: Option<&str>, representation: impl FnOnce(&mut Xml<'_>)) {
    xml.element("str:Attribute", &[("id", id), ("assignmentStatus", "Mandatory")], |xml| {
        concept(xml, writer, id);
        representation(xml);
        xml.element("str:AttributeRelationship", &[], |xml| {
            let (element, id) = of.map_or(("str:PrimaryMeasure", OBS_VALUE), |dimension| ("str:Dimension", dimension));
            xml.element(element, &[], |xml| {
                xml.empty("Ref", &[("id", id)]);
            });
        });
    });
}

fn concept(xml: &mut Xml<'_>, writer: &Writer<'_>, id: &str) {
    xml.element("str:ConceptIdentity", &[], |xml| writer.item(xml, Artefact::Concepts, id, "Concept"));
}

fn coded(xml: &mut Xml<'_>, writer: &Writer<'_>, list: List) {
    xml.element("str:LocalRepresentation", &[], |xml| {
        xml.element("str:Enumeration", &[], |xml| writer.reference(xml, Artefact::Codelist(list)));
    });
}
