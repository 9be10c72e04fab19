//! The shipped definitions say what they should, another country's parse too, and a wrong file is told from a right one.

use std::{collections::HashMap, fs, path::Path};

use cacah::register::{Definitions, Dimension, Frequency, Role, Source, Sources, Unit, normalise};

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
    Definitions::parse(&read_set("queries"), None).unwrap()
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
fn the_shipped_dimensions_have_their_levels() {
    let definitions = shipped();
    let check = |id: &str, expect: &[(&str, usize)]| assert_eq!(population(dimension(&definitions, id)), expect, "{id}");
    check("region", &[("country", 1), ("province", 2), ("regency", 14), ("district", 135), ("village", 1154)]);
    check("sex", &[("total", 1), ("sex", 2)]);
    // 0-4 and 75+ stand on the ten-year level, with years directly below.
    check("age", &[("total", 1), ("broad", 3), ("ten-year", 9), ("five-year", 14), ("year", 101)]);
    check("marital", &[("total", 1), ("status", 4)]);
    check("religion", &[("total", 1), ("religion", 7)]);
    check("relation", &[("total", 1), ("relation", 11)]);
    // Four states and "other" are groups without codes below them: 94 + 5 register codes.
    check("occupation", &[("total", 1), ("activity", 2), ("group", 15), ("code", 94)]);
    check("household-size", &[("total", 1), ("size", 7)]);
    assert_eq!(definitions.dimensions.len(), 8);
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
    assert_eq!(frontier("ten-year"), ["Y0T4", "Y5T14", "Y15T24", "Y25T34", "Y35T44", "Y45T54", "Y55T64", "Y65T74", "Y_GE75"]);
    let five = frontier("five-year");
    assert_eq!(five.len(), 16);
    assert_eq!([five[0].as_str(), five[1].as_str(), five[14].as_str(), five[15].as_str()], ["Y0T4", "Y5T9", "Y70T74", "Y_GE75"]);
    let years = frontier("year");
    assert_eq!(years.len(), 101);
    assert_eq!([years[0].as_str(), years[99].as_str(), years[100].as_str()], ["Y0", "Y99", "Y_GE100"]);

    let Source::Age { leaves, .. } = &definitions.sources[definitions.dimension("age").unwrap().0] else { panic!("age has another source") };
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
    for (id, grouping) in [("age", "age-working"), ("age", "age-adult"), ("age", "age-simple"), ("occupation", "occupation-income"), ("marital", "marital-ever")] {
        let dimension = dimension(&definitions, id);
        let axis = dimension.axis(dimension.finest());
        let positions = dimension.positions();
        let found = dimension.groupings.iter().find(|candidate| candidate.id == grouping).unwrap();
        let covered: usize = found.values.iter().flat_map(|group| &group.nodes).map(|code| axis.bases[positions[code.as_str()] as usize].len()).sum();
        assert_eq!(covered, axis.leaves.len(), "{grouping}");
    }
    let health = dimension(&definitions, "age").groupings.iter().find(|grouping| grouping.id == "age-health").unwrap();
    assert_eq!(health.values.len(), 8);
    assert_eq!(health.values[0].nodes, ["Y0"]);
}

#[test]
fn the_shipped_tables_have_their_cells() {
    let definitions = shipped();
    // Regions down to villages: 1306 nodes, to districts 152; ages: 27 nodes to five-year bands, 128 in all, 13 to ten-year ones.
    let check = |id: &str, unit: Unit, nodes: &[usize]| {
        let table = definitions.tables.iter().find(|table| table.id == id).unwrap_or_else(|| panic!("there is no table {id}"));
        let shape = definitions.shape(table);
        assert_eq!(shape.axes.iter().map(|axis| axis.nodes.len()).collect::<Vec<_>>(), nodes, "{id}");
        assert_eq!(shape.cells, nodes.iter().map(|nodes| *nodes as u64).product::<u64>(), "{id}");
        assert_eq!(table.unit, unit, "{id}");
    };
    check("population", Unit::Person, &[1306, 3, 27]);
    check("population-single-age", Unit::Person, &[152, 3, 128]);
    check("marital", Unit::Person, &[1306, 3, 5]);
    check("marital-age", Unit::Person, &[152, 3, 27, 5]);
    check("occupation", Unit::Person, &[1306, 3, 18]);
    check("occupation-detail", Unit::Person, &[152, 3, 112]);
    check("labour", Unit::Person, &[152, 3, 27, 18]);
    check("market", Unit::Person, &[152, 13, 18, 5]);
    check("religion", Unit::Person, &[1306, 3, 8]);
    check("households", Unit::Household, &[1306, 3, 4, 8]);
    assert_eq!(definitions.tables.len(), 10);
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
    let sources = read_set("queries");
    let definitions = Definitions::parse(&sources, Some(("vintages/wilayah_2022.csv", reference))).unwrap();
    assert_eq!(definitions.vintage, "wilayah_2022");
    let region = dimension(&definitions, "region");
    assert_eq!(population(region), [("country", 1), ("province", 1), ("regency", 1), ("district", 1), ("village", 2)]);
    assert_eq!(region.nodes[5].label.text(1), "Pulau Kelapa");
    assert_ne!(definitions.digest, shipped().digest);
    assert_eq!(shipped().digest, shipped().digest);
    assert_eq!(shipped().vintage, "regions");
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

/// The register's spelling of its occupations, 1 to 99.
const OCCUPATIONS: [&str; 99] = [
    "BELUM/TIDAK BEKERJA", "MENGURUS RUMAH TANGGA", "PELAJAR/MAHASISWA", "PENSIUNAN", "PEGAWAI NEGERI SIPIL (PNS)",
    "TENTARA NASIONAL INDONESIA (TNI)", "KEPOLISIAN RI (POLRI)", "PERDAGANGAN", "PETANI/PEKEBUN", "PETERNAK", "NELAYAN/PERIKANAN",
    "INDUSTRI", "KONSTRUKSI", "TRANSPORTASI", "KARYAWAN SWASTA", "KARYAWAN BUMN", "KARYAWAN BUMD", "KARYAWAN HONORER",
    "BURUH HARIAN LEPAS", "BURUH TANI/PERKEBUNAN", "BURUH NELAYAN/PERIKANAN", "BURUH PETERNAKAN", "PEMBANTU RUMAH TANGGA",
    "TUKANG CUKUR", "TUKANG LISTRIK", "TUKANG BATU", "TUKANG KAYU", "TUKANG SOL SEPATU", "TUKANG LAS/PANDAI BESI", "TUKANG JAHIT",
    "TUKANG GIGI", "PENATA RIAS", "PENATA BUSANA", "PENATA RAMBUT", "MEKANIK", "SENIMAN", "TABIB", "PARAJI", "PERANCANG BUSANA",
    "PENTERJEMAH", "IMAM MASJID", "PENDETA", "PASTOR", "WARTAWAN", "USTADZ/MUBALIGH", "JURU MASAK", "PROMOTOR ACARA", "ANGGOTA DPR-RI",
    "ANGGOTA DPD", "ANGGOTA BPK", "PRESIDEN", "WAKIL PRESIDEN", "ANGGOTA MAHKAMAH KONSTITUSI", "ANGGOTA KABINET KEMENTERIAN",
    "DUTA BESAR", "GUBERNUR", "WAKIL GUBERNUR", "BUPATI", "WAKIL BUPATI", "WALIKOTA", "WAKIL WALIKOTA", "ANGGOTA DPRD PROVINSI",
    "ANGGOTA DPRD KABUPATEN/KOTA", "DOSEN", "GURU", "PILOT", "PENGACARA", "NOTARIS", "ARSITEK", "AKUNTAN", "KONSULTAN", "DOKTER",
    "BIDAN", "PERAWAT", "APOTEKER", "PSIKIATER/PSIKOLOG", "PENYIAR TELEVISI", "PENYIAR RADIO", "PELAUT", "PENELITI", "SOPIR", "PIALANG",
    "PARANORMAL", "PEDAGANG", "PERANGKAT DESA", "KEPALA DESA", "BIARAWATI", "WIRASWASTA", "ANGGOTA LEMBAGA TINGGI LAINNYA", "ARTIS",
    "ATLIT", "CHEFF", "MANAJER", "TENAGA TATA USAHA", "OPERATOR", "PEKERJA PENGOLAHAN KERAJINAN", "TEKNISI", "ASISTEN AHLI",
    "PEKERJAAN LAINNYA",
];

/// A set small enough to be read here, right in every line.
fn small() -> Sources {
    let register = "\
id = 'r'
label = { en = 'Register' }
agency = 'A'
source = { en = 'Source' }
license = 'https://example.org/licence'
frequency = 'annual'
identity = { column = 'ID', digits = [5, 8] }
household = { column = 'HH', digits = [3, 3], relation = 'sex', heads = ['M'] }
[[languages]]
id = 'en'
label = 'English'
";
    let place = "\
id = 'place'
variable = 'Place'
label = { en = 'Place' }
level = [{ id = 'all', label = { en = 'All' } }, { id = 'town', label = { en = 'Town' } }]
reference = { file = 'places.csv', code = ['code'], name = ['name'], parent = ['parent'], level = ['level'], root = { code = 'X', label = { en = 'All' } } }
source = { kind = 'region', parts = [{ column = 'TOWN', digits = 2 }] }
";
    let sex = "\
id = 'sex'
variable = 'Sex'
label = { en = 'Sex' }
level = [{ id = 'all', label = { en = 'All' } }, { id = 'sex', label = { en = 'Sex' } }]
nodes = 'sex.csv'
source = { kind = 'code', column = 'SEX' }
[[grouping]]
id = 'either'
label = { en = 'Either' }
values = [{ code = 'E', label = { en = 'Either' }, nodes = ['M', 'F'] }]
";
    let age = "\
id = 'age'
variable = 'Age'
label = { en = 'Age' }
level = [{ id = 'all', label = { en = 'All' } }, { id = 'band', label = { en = 'Band' } }]
nodes = 'age.csv'
source = { kind = 'age', column = 'BORN', formats = ['YYYY-MM-DD'], earliest = '1900-01-01' }
";
    let table = "\
id = 'people'
label = { en = 'People' }
description = { en = 'All people' }
subject = { en = 'People' }
unit = 'person'
contents = { code = 'n', label = { en = 'People' }, unit = { en = 'people' } }
[[axis]]
dimension = 'place'
level = 'town'
[[axis]]
dimension = 'sex'
level = 'sex'
";
    let zeros = "\
[[zero]]
id = 'young-men'
nodes = { age = ['YOUNG'], sex = ['M'] }
";
    [
        ("register.toml", register),
        ("dimensions/place.toml", place),
        ("dimensions/places.csv", "code,name,level,parent\n01,Aa,town,\n02,Bb,town,\n"),
        ("dimensions/sex.toml", sex),
        ("dimensions/sex.csv", "level,code,parent,en,texts,coding:a\nall,T,,All,,\nsex,M,T,Man,he,1\nsex,F,T,Woman,she,2\n"),
        ("dimensions/age.toml", age),
        ("dimensions/age.csv", "level,code,parent,en,from\nall,A,,All,\nband,YOUNG,A,Young,0\nband,OLD,A,Old,30\n"),
        ("tables/people.toml", table),
        ("structural-zeros.toml", zeros),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .collect()
}

/// The fault that the small set has once `from` is `to` in a file; an empty `to` for an empty `from` removes the file.
fn fault(file: &str, from: &str, to: &str) -> String {
    let mut sources = small();
    if from.is_empty() {
        sources.remove(file).unwrap();
    } else {
        let text = sources.get_mut(file).unwrap();
        assert!(text.contains(from), "{file} lacks {from}");
        *text = text.replacen(from, to, 1);
    }
    Definitions::parse(&sources, None).unwrap_err().to_string()
}

#[test]
fn the_small_set_is_right() {
    assert_eq!(Definitions::parse(&small(), None).unwrap().tables[0].id, "people");
}

#[test]
fn a_wrong_register_file_is_told_where_and_what() {
    let check = |from: &str, to: &str, expect: &str| assert_eq!(fault("register.toml", from, to), expect, "{from} -> {to}");
    check("", "", "register.toml:1: there is no such file; every set of definitions needs it");
    check("id = 'r'", "id = 'r", "register.toml:1: invalid literal string, expected `'`");
    check("agency", "agencey", "register.toml:3: unknown field `agencey`, expected one of `id`, `label`, `agency`, `source`, `license`, `frequency`, `languages`, `identity`, `household`");
    check("frequency = 'annual'\n", "", "register.toml:1: missing field `frequency`");
    check("'annual'", "'weekly'", "register.toml:6: unknown variant `weekly`, expected one of `annual`, `semester`, `quarter`, `month`");
    check("label = { en = 'Register' }", "label = { fr = 'Registre' }", "register.toml:2: expected a text in language 'en'");
    check("{ en = 'Source' }", "{ en = 'Source', fr = 'Source' }", "register.toml:4: 'fr' is not one of the register's languages");
    check("[5, 8]", "[8, 5]", "register.toml:7: expected [fewest, most] digits between 1 and 18");
    check("[3, 3]", "[3, 19]", "register.toml:8: expected [fewest, most] digits between 1 and 18");
    check("relation = 'sex'", "relation = 'role'", "register.toml:8: there is no dimension 'role'");
    check("heads = ['M']", "heads = ['M', 'HEAD']", "register.toml:8: dimension 'sex' has no node 'HEAD'");
}

#[test]
fn a_wrong_dimension_file_is_told_where_and_what() {
    let check = |file: &str, from: &str, to: &str, expect: &str| {
        assert_eq!(fault(&format!("dimensions/{file}"), from, to), format!("dimensions/{expect}"), "{file}: {from} -> {to}");
    };
    check("sex.toml", "variable = 'Sex'", "variable = 'PLACE'", "sex.toml:1: another file defines the dimension 'sex' or its variable");
    check("sex.toml", "kind = 'code'", "kind = 'guess'", "sex.toml:6: unknown variant `guess`, expected one of `code`, `age`, `region`, `household-size`");
    check("sex.toml", "nodes = 'sex.csv'", "nodes = 'sexes.csv'", "sex.toml:5: there is no file 'dimensions/sexes.csv'");
    check("sex.toml", "nodes = 'sex.csv'", "", "sex.toml:1: expected either 'nodes' (a file of nodes) or a [reference] section (a file of regions)");
    check("sex.toml", "'all'", "'sex'", "sex.toml:4: level 'sex' is named twice");
    check("sex.toml", "['M', 'F']", "['M', 'X']", "sex.toml:10: dimension 'sex' has no node 'X'");
    check("sex.toml", "['M', 'F']", "['T', 'F']", "sex.toml:10: the nodes of group 'E' overlap; expected disjoint ones");
    check("sex.toml", "label = { en = 'Either' }\n", "label = { de = 'Beide' }\n", "sex.toml:9: expected a text in language 'en'");
    check(
        "age.toml",
        "earliest = '1900-01-01' }\n",
        "earliest = '1900-01-01' }\n[[grouping]]\nid = 'either'\nlabel = { en = 'Either' }\nvalues = []\n",
        "sex.toml:1: grouping 'either' is named twice; grouping ids are unique over all dimensions",
    );
    check(
        "age.toml",
        "'YYYY-MM-DD'",
        "'YY-MM-DD'",
        "age.toml:6: 'YY-MM-DD' is no date format; expected one such as YYYY-MM-DD, DD/MM/YYYY, YYYYMMDD",
    );
    check("age.toml", "'1900-01-01'", "'1900-02-30'", "age.toml:6: '1900-02-30' is no date; expected one such as 1880-01-01");
    check("place.toml", "digits = 2", "digits = 20", "place.toml:6: expected region codes of at most 18 digits");
}

#[test]
fn a_wrong_node_file_is_told_where_and_what() {
    let check = |file: &str, from: &str, to: &str, expect: &str| {
        assert_eq!(fault(&format!("dimensions/{file}"), from, to), format!("dimensions/{expect}"), "{file}: {from} -> {to}");
    };
    check("sex.csv", ",en,", ",fr,", "sex.csv:1: expected a column 'en'; the heading is 'level,code,parent,fr,texts,coding:a'");
    check("sex.csv", "sex,F,T,Woman,she,2", "sex,M,T,Woman,she,2", "sex.csv:4: code 'M' stands here a second time; codes are unique over all levels");
    check("sex.csv", "sex,F,", "sex,F.1,", "sex.csv:4: 'F.1' is no code; expected letters, digits, '_' and '-' only");
    check("sex.csv", "sex,F,T", "sex,F,U", "sex.csv:4: the parent 'U' of 'F' is not in the file");
    check("sex.csv", "sex,F,T", "sex,F,M", "sex.csv:4: 'F' must lie on a finer level than its parent 'M'");
    check("sex.csv", "sex,F,T", "kind,F,T", "sex.csv:4: there is no level 'kind'; expected one of all, sex");
    check("sex.csv", "sex,F,T", "all,F,", "sex.csv:4: 'F' has no parent; expected exactly one node without a parent, on the first level");
    check("sex.csv", "she", "HE!", "sex.csv:4: 'HE!' stands for two nodes; expected each text to mean one");
    check("sex.csv", "she,2", "she,1", "sex.csv:4: code 1 of coding 'a' stands for two nodes");
    check("sex.csv", "she,2", "she,two", "sex.csv:4: 'two' is no register code; expected a whole number");
    check("age.csv", "Old,30", "Old,0", "age.csv:4: two nodes begin at 0");
    check("age.csv", "Old,30", "Old,", "age.csv:4: expected a smallest value between 0 and 1000 in the column 'from'");
    check("places.csv", "code,name", "kode,name", "places.csv:1: expected a column 'code'; the heading is 'kode,name,level,parent'");
    check("places.csv", "02,Bb", "2,Bb", "places.csv:3: '2' is no region code; expected 2 digits");
    check("places.csv", "02,Bb,town", "02,Bb,village", "places.csv:3: there is no level 'village'; expected one of all, town");
    let uneven = fault("dimensions/sex.csv", "Woman,she", "Woman");
    assert!(uneven.starts_with("dimensions/sex.csv:4: ") && uneven.ends_with("expected comma-separated lines under one heading line"), "{uneven}");
}

#[test]
fn a_wrong_table_or_zero_file_is_told_where_and_what() {
    let check = |file: &str, from: &str, to: &str, expect: &str| assert_eq!(fault(file, from, to), expect, "{file}: {from} -> {to}");
    let table = "tables/people.toml";
    check(table, "", "", "tables/:1: expected at least one table file");
    check(table, "'people'\n", "'peo ple'\n", "tables/people.toml:1: 'peo ple' is no table id; expected letters, digits, '_' and '-' only");
    check(table, "'sex'\nlevel", "'colour'\nlevel", "tables/people.toml:11: there is no dimension 'colour'; expected one of age, place, sex");
    check(table, "level = 'town'", "level = 'street'", "tables/people.toml:7: dimension 'place' has no level 'street'; it has all, town");
    check(table, "'place'", "'age'", "tables/people.toml:7: expected exactly one region dimension, and that first");
    check(table, "'sex'\nlevel", "'place'\nlevel", "tables/people.toml:7: dimension 'place' is crossed with itself");
    check(table, "'person'", "'dog'", "tables/people.toml:5: unknown variant `dog`, expected `person` or `household`");
    check(table, "unit = 'person'\n", "", "tables/people.toml:1: missing field `unit`");
    let zeros = "structural-zeros.toml";
    check(zeros, "age = ['YOUNG']", "colour = ['RED']", "structural-zeros.toml:3: there is no dimension 'colour'");
    check(zeros, "'YOUNG'", "'BORN'", "structural-zeros.toml:3: dimension 'age' has no node 'BORN'");
    check(zeros, "age = ['YOUNG'], ", "", "structural-zeros.toml:2: expected nodes of at least two dimensions");
}
