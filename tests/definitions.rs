//! The shipped definitions say what they should, another country's parse too, and a wrong file is told from a right one.

mod faults;

use std::{collections::HashMap, fs, path::Path};

use cacah::{
    register::{self, Definitions, Dimension, Frequency, Role, Source, Sources, Unit, normalise},
    sample::OCCUPATIONS,
};

/// Every file below a folder of the repository.
fn read_set(folder: &str) -> Sources {
    fn gather(root: &Path, folder: &Path, sources: &mut Sources) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                gather(root, &path, sources);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                sources.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut sources = Sources::new();
    gather(&root, &root, &mut sources);
    sources
}

fn shipped() -> Definitions {
    Definitions::parse(&register::shipped(), None).unwrap()
}

fn dimension<'a>(definitions: &'a Definitions, id: &str) -> &'a Dimension {
    definitions.dimension(id).unwrap().1
}

/// How many nodes stand on each level.
fn population(dimension: &Dimension) -> Vec<(&str, usize)> {
    let on = |at: usize| dimension.nodes.iter().filter(|node| usize::from(node.level) == at).count();
    dimension.levels.iter().enumerate().map(|(at, level)| (level.id.as_str(), on(at))).collect()
}

/// What a code or text of a column means: the code of the node.
fn meaning(definitions: &Definitions, id: &str, text: &str) -> Option<String> {
    let (at, dimension) = definitions.dimension(id).unwrap();
    let Source::Code { texts, .. } = &definitions.sources[at] else { panic!("{id} has no texts") };
    let leaf = *texts.get(&normalise(text))?;
    Some(dimension.nodes[dimension.base_leaves()[leaf as usize] as usize].code.clone())
}

/// The meanings of all numbers of a coding, by number.
fn coding(definitions: &Definitions, id: &str, coding: &str) -> Vec<(u64, String)> {
    let (at, dimension) = definitions.dimension(id).unwrap();
    let Source::Code { codings, .. } = &definitions.sources[at] else { panic!("{id} has no codings") };
    let coding = codings.iter().find(|candidate| candidate.id == coding).unwrap();
    let leaves = dimension.base_leaves();
    let mut meanings: Vec<(u64, String)> =
        coding.codes.iter().map(|(number, leaf)| (*number, dimension.nodes[leaves[*leaf as usize] as usize].code.clone())).collect();
    meanings.sort();
    meanings
}

#[test]
fn the_program_ships_every_definition_file() {
    let whole = read_set("queries");
    assert_eq!(register::shipped(), register::definitions_alone(whole.clone()));
    let queries = whole.into_iter().filter_map(|(path, text)| Some((path.strip_prefix("sql/")?.to_owned(), text)));
    assert_eq!(register::shipped_queries(), queries.collect());
}

#[test]
fn the_shipped_register() {
    let definitions = shipped();
    assert_eq!(definitions.id, "dukcapil");
    assert_eq!(definitions.frequency, Frequency::Semester);
    assert_eq!(definitions.languages.iter().map(|language| language.id.as_str()).collect::<Vec<_>>(), ["id", "en"]);
    let identity = definitions.identity.as_ref().unwrap();
    assert_eq!((identity.column.as_str(), identity.least, identity.most), ("NIK", 16, 16));
    let household = definitions.household.as_ref().unwrap();
    assert_eq!((household.key.column.as_str(), household.key.least, household.key.most), ("NO_KK", 16, 17));
    let relation = &definitions.dimensions[household.relation];
    assert_eq!(relation.id, "relation");
    assert_eq!(household.heads.iter().filter(|head| **head).count(), 1);
    let head = household.heads.iter().position(|head| *head).unwrap();
    assert_eq!(relation.nodes[relation.base_leaves()[head] as usize].label.text(0), "Kepala keluarga");
}

#[test]
fn links_that_nobody_declared_are_known_to_be_implied() {
    let mut sources = register::shipped();
    let declared = shipped();
    assert!(!declared.implied_links);
    assert!(declared.links.members[0].members.iter().all(|members| members.most.is_some()), "the shipped links have a limit");
    sources.remove("links.toml").unwrap();
    let implied = Definitions::parse(&sources, None).unwrap();
    assert!(implied.implied_links && !implied.links.is_empty());
    assert_eq!(implied.links.members[0].shared, ["region"]);
    assert_eq!(implied.links.members[0].members.last().unwrap().most, None, "nobody knows of a limit");
}

#[test]
fn the_shipped_dimensions_have_their_levels() {
    let definitions = shipped();
    let check = |id: &str, expect: &[(&str, usize)]| assert_eq!(population(dimension(&definitions, id)), expect, "{id}");
    check("region", &[("country", 1), ("province", 2), ("regency", 14), ("district", 135), ("village", 1154)]);
    check("sex", &[("total", 1), ("sex", 2)]);
    // Only 15-64 is divided into stages of life.
    check("age", &[("total", 1), ("broad", 3), ("stage", 3), ("five-year", 16), ("year", 101)]);
    check("marital", &[("total", 1), ("status", 4)]);
    check("religion", &[("total", 1), ("religion", 7)]);
    check("relation", &[("total", 1), ("relation", 11)]);
    // Four states and "other" are groups without codes below them: 94 + 5 register codes.
    check("occupation", &[("total", 1), ("activity", 2), ("group", 15), ("code", 94)]);
    check("household-size", &[("total", 1), ("size", 7)]);
    check("head-age", &[("total", 1), ("head-age", 3)]);
    assert_eq!(definitions.dimensions.len(), 9);
    let roles: Vec<&str> = definitions.dimensions.iter().filter(|d| d.role == Role::Geo).map(|d| d.id.as_str()).collect();
    assert_eq!(roles, ["region"]);
}

#[test]
fn every_level_of_age_covers_everybody_once() {
    let definitions = shipped();
    let age = dimension(&definitions, "age");
    let frontier = |level: &str| {
        let axis = age.axis(age.level(level).unwrap());
        axis.leaves.iter().map(|leaf| age.nodes[axis.nodes[*leaf as usize] as usize].code.clone()).collect::<Vec<_>>()
    };
    assert_eq!(frontier("broad"), ["Y0T14", "Y15T64", "Y_GE65"]);
    assert_eq!(frontier("stage"), ["Y0T14", "Y15T29", "Y30T44", "Y45T64", "Y_GE65"]);
    let five = frontier("five-year");
    assert_eq!(five.len(), 16);
    assert_eq!([five[0].as_str(), five[1].as_str(), five[14].as_str(), five[15].as_str()], ["Y0T4", "Y5T9", "Y70T74", "Y_GE75"]);
    let years = frontier("year");
    assert_eq!(years.len(), 101);
    assert_eq!([years[0].as_str(), years[99].as_str(), years[100].as_str()], ["Y0", "Y99", "Y_GE100"]);

    let Source::Age { leaves, .. } = &definitions.sources[definitions.dimension("age").unwrap().0] else {
        panic!("age has another source")
    };
    assert_eq!(leaves.len(), 101, "one leaf for each completed year, the last one open");
    assert!(leaves.iter().enumerate().all(|(years, leaf)| years == *leaf as usize));
}

#[test]
fn groupings_consist_of_nodes_and_have_ids_of_their_own() {
    let definitions = shipped();
    let mut seen = HashMap::new();
    for dimension in &definitions.dimensions {
        for grouping in &dimension.groupings {
            assert_eq!(seen.insert(grouping.id.clone(), dimension.id.clone()), None, "{}", grouping.id);
        }
    }
    // Groupings that are parts of a whole leave nobody out.
    for (id, grouping) in [
        ("age", "age-working"),
        ("age", "age-adult"),
        ("age", "age-simple"),
        ("occupation", "occupation-income"),
        ("marital", "marital-ever"),
    ] {
        let dimension = dimension(&definitions, id);
        let axis = dimension.axis(dimension.finest());
        let positions = dimension.positions();
        let found = dimension.groupings.iter().find(|candidate| candidate.id == grouping).unwrap();
        let covered: usize =
            found.values.iter().flat_map(|group| &group.nodes).map(|code| axis.bases[positions[code.as_str()] as usize].len()).sum();
        assert_eq!(covered, axis.leaves.len(), "{grouping}");
    }
    let health = dimension(&definitions, "age").groupings.iter().find(|grouping| grouping.id == "age-health").unwrap();
    assert_eq!(health.values.len(), 8);
    assert_eq!(health.values[0].nodes, ["Y0"]);
}

#[test]
fn the_shipped_tables_have_their_cells() {
    let definitions = shipped();
    // Regions down to villages: 1306 nodes, to districts 152; ages: 23 nodes to five-year bands, 124 in all, 7 to stages.
    let check = |id: &str, unit: Unit, nodes: &[usize]| {
        let table = definitions.tables.iter().find(|table| table.id == id).unwrap_or_else(|| panic!("there is no table {id}"));
        let shape = definitions.shape(table);
        assert_eq!(shape.axes.iter().map(|axis| axis.nodes.len()).collect::<Vec<_>>(), nodes, "{id}");
        assert_eq!(shape.cells, nodes.iter().map(|nodes| *nodes as u64).product::<u64>(), "{id}");
        assert_eq!(table.unit, unit, "{id}");
    };
    check("population", Unit::Person, &[1306, 3, 23]);
    check("population-single-age", Unit::Person, &[152, 3, 124]);
    check("marital", Unit::Person, &[1306, 3, 5]);
    check("marital-age", Unit::Person, &[152, 3, 23, 5]);
    check("occupation", Unit::Person, &[1306, 3, 18]);
    check("occupation-detail", Unit::Person, &[152, 112]);
    check("occupation-sex", Unit::Person, &[17, 3, 112]);
    check("labour", Unit::Person, &[152, 3, 23, 18]);
    check("market", Unit::Person, &[152, 7, 18, 5]);
    check("religion", Unit::Person, &[1306, 3, 8]);
    check("households", Unit::Household, &[1306, 8]);
    check("households-head", Unit::Household, &[1306, 3, 4]);
    check("households-detail", Unit::Household, &[152, 3, 4, 8]);
    assert_eq!(definitions.tables.len(), 13);
}

#[test]
fn every_text_of_the_registers_code_lists_is_recognised() {
    let definitions = shipped();
    let check = |id: &str, texts: &[&str], codes: &[&str]| {
        assert_eq!(texts.len(), codes.len());
        for (text, code) in texts.iter().zip(codes) {
            assert_eq!(meaning(&definitions, id, text).as_deref(), Some(*code), "{id}: {text}");
        }
    };
    check("sex", &["LAKI-LAKI", "PEREMPUAN"], &["L", "P"]);
    let religions = ["ISLAM", "KRISTEN", "KATHOLIK", "HINDU", "BUDHA", "KHONGHUCU", "Kepercayaan Terhadap Tuhan YME / Lainnya"];
    check("religion", &religions, &["1", "2", "3", "4", "5", "6", "7"]);
    check("religion", &["KEPERCAYAAN THD TUHAN YME", "katolik", "Buddha"], &["7", "3", "5"]);
    check("marital", &["BELUM KAWIN", "KAWIN", "CERAI HIDUP", "CERAI MATI"], &["S", "M", "D", "W"]);
    let six = ["BELUM KAWIN", "KAWIN TERCATAT", "KAWIN BELUM TERCATAT", "CERAI HIDUP TERCATAT", "CERAI HIDUP BELUM TERCATAT", "CERAI MATI"];
    check("marital", &six, &["S", "M", "M", "D", "D", "W"]);
    let relations =
        ["KEPALA KELUARGA", "SUAMI", "ISTRI", "ANAK", "MENANTU", "CUCU", "ORANGTUA", "MERTUA", "FAMILI LAIN", "PEMBANTU", "LAINNYA"];
    check("relation", &relations, &["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11"]);

    let codes: Vec<String> = (1..=99).map(|code| format!("{code:02}")).collect();
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    check("occupation", &OCCUPATIONS, &codes);
    check("occupation", &["LAINNYA", "belum / tidak bekerja", "PNS"], &["99", "01", "05"]);
    assert_eq!(meaning(&definitions, "occupation", "ASTRONOT"), None);
    // A group is no answer to the question for an occupation.
    assert_eq!(meaning(&definitions, "occupation", "Economically active"), None);
}

#[test]
fn the_codings_of_marital_status_and_occupation_differ_where_they_should() {
    let definitions = shipped();
    let numbered = |pairs: &[(u64, &str)]| pairs.iter().map(|(number, code)| (*number, (*code).to_owned())).collect::<Vec<_>>();
    assert_eq!(coding(&definitions, "marital", "4"), numbered(&[(1, "S"), (2, "M"), (3, "D"), (4, "W")]));
    assert_eq!(coding(&definitions, "marital", "6"), numbered(&[(1, "S"), (2, "M"), (3, "M"), (4, "D"), (5, "D"), (6, "W")]));
    let new = coding(&definitions, "occupation", "99");
    let old = coding(&definitions, "occupation", "89");
    assert_eq!(new, (1..=99).map(|code| (code, format!("{code:02}"))).collect::<Vec<_>>());
    assert_eq!(old[..88], new[..88]);
    assert_eq!(old[88..], [(89, "99".to_owned())]);
    assert_eq!(coding(&definitions, "sex", "code"), numbered(&[(1, "L"), (2, "P")]));
    // One numbering only: it is the node's own code.
    assert_eq!(coding(&definitions, "religion", "code").len(), 7);
    assert_eq!(coding(&definitions, "relation", "code")[10], (11, "11".to_owned()));
}

#[test]
fn region_codes_lose_their_dots_and_keep_them_as_official() {
    let definitions = shipped();
    let region = dimension(&definitions, "region");
    let positions = region.positions();
    let village = &region.nodes[positions["3471011001"] as usize];
    assert_eq!(village.official.as_deref(), Some("34.71.01.1001"));
    let above = |at: u32| region.nodes[at as usize].parent.unwrap();
    let district = above(positions["3471011001"]);
    assert_eq!(region.nodes[district as usize].code, "347101");
    assert_eq!(region.nodes[above(above(district)) as usize].label.text(0), "Daerah Istimewa Yogyakarta");
    assert_eq!(region.nodes[0].code, "ID");
    let Source::Region { parts, leaves } = &definitions.sources[definitions.dimension("region").unwrap().0] else { panic!("no regions") };
    assert_eq!(parts.iter().map(|part| part.column.as_str()).collect::<Vec<_>>(), ["NO_PROP", "NO_KAB", "NO_KEC", "NO_KEL"]);
    assert_eq!(leaves.len(), 1154);
    assert!(leaves.contains_key(&5_171_011_001));
}

#[test]
fn a_reference_with_indonesian_headings_replaces_the_shipped_one() {
    let reference = "kode,nama,level,kode_induk\n31,DKI JAKARTA,prov,\n31.01,KAB. ADM. KEP. SERIBU,kab,31\n\
        31.01.01,Kepulauan Seribu Utara,kec,31.01\n31.01.01.1001,Pulau Panggang,kel,31.01.01\n31.01.01.1002,Pulau Kelapa,desa,31.01.01\n";
    let definitions = Definitions::parse(&register::shipped(), Some(("vintages/wilayah_2022.csv", reference))).unwrap();
    assert_eq!(definitions.vintage, "wilayah_2022");
    let region = dimension(&definitions, "region");
    assert_eq!(population(region), [("country", 1), ("province", 1), ("regency", 1), ("district", 1), ("village", 2)]);
    assert_eq!(region.nodes[5].label.text(1), "Pulau Kelapa");
    assert_ne!(definitions.digest, shipped().digest);
    assert_eq!(shipped().digest, shipped().digest);
    assert_eq!(shipped().vintage, "idn-area-data 4.0.1");
}

#[test]
fn a_vintage_is_called_what_somebody_says_it_is() {
    let parse = |remark: &str| {
        let village = "3401,Kulon Progo,regency,34\n340101,Temon,district,3401\n3401012001,Jangkaran,village,340101\n";
        let reference = format!("{remark}code,name,level,parent\n34,Yogyakarta,province,\n{village}");
        Definitions::parse(&register::shipped(), Some(("there/wilayah_2022.csv", &reference)))
    };
    let check = |remark: &str, expect: &str| assert_eq!(parse(remark).unwrap().vintage, expect, "{remark:?}");
    check("", "wilayah_2022");
    check("# vintage: 300.2.2-2430/2025\n", "300.2.2-2430/2025");
    check("\u{feff}# from the ministry\n#vintage:  Kepmendagri 050-145 (2022) \r\n# checked\n", "Kepmendagri 050-145 (2022)");
    check("# vintages are many\n", "wilayah_2022");
    let error = parse("# nothing\n# vintage:\n").unwrap_err();
    assert_eq!((error.file.as_str(), error.line), ("there/wilayah_2022.csv", 2));
    assert!(error.problem.contains("expected a name of 1 to 80 characters"), "{error}");
    // Remarks do not shift the lines that faults name.
    let text = "# one\n# two\ncode,name,level,parent\n34,Yogyakarta,planet,\n";
    assert_eq!(Definitions::parse(&register::shipped(), Some(("r.csv", text))).unwrap_err().line, 4);

    let renamed = shipped().with_vintage("2024");
    assert_eq!(renamed.vintage, "2024");
    assert_ne!(renamed.digest, shipped().digest);
    assert_eq!(renamed, shipped().with_vintage("2024"));
}

#[test]
fn structural_zeros_name_only_what_is_impossible() {
    let definitions = shipped();
    assert_eq!(definitions.zeros.len(), 5);
    let age = dimension(&definitions, "age").base_leaves().len();
    for zero in &definitions.zeros {
        let side = zero.sides.iter().find(|side| side.dimension == "age").unwrap();
        assert_eq!(side.leaves.len(), age);
        assert!(side.leaves[..10].iter().all(|below_ten| *below_ten), "{}", zero.id);
        assert!(side.leaves[10..].iter().all(|from_ten| !*from_ten), "{}", zero.id);
    }
}

#[test]
fn another_country_needs_other_files_only() {
    let definitions = Definitions::parse(&read_set("data-samples/other-register/definitions"), None).unwrap();
    assert_eq!(definitions.frequency, Frequency::Annual);
    assert_eq!(definitions.vintage, "places-2024");
    assert_eq!(definitions.household, None);
    assert_eq!(definitions.identity.as_ref().unwrap().most, 11);
    assert_eq!(population(dimension(&definitions, "place")), [("state", 1), ("county", 4), ("municipality", 10)]);
    assert_eq!(population(dimension(&definitions, "citizenship")), [("all", 1), ("bloc", 4), ("state", 5)]);
    let cells: Vec<(&str, u64)> = definitions.tables.iter().map(|table| (table.id.as_str(), definitions.shape(table).cells)).collect();
    assert_eq!(cells, [("RV01", 15 * 3 * 6), ("RV02", 15 * 10 * 3), ("RV03", 5 * 5 * 4 * 6)]);
    assert_eq!(meaning(&definitions, "citizenship", "läti").as_deref(), Some("LV"));
    assert_eq!(coding(&definitions, "tenure", "code"), [(10, "10".to_owned()), (20, "20".to_owned()), (30, "30".to_owned())]);
}
