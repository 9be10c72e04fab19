//! The definitions of a made-up country, small enough to be read here.

use cacah::register::{Definitions, Sources};

const REGISTER: &str = r#"
id = "toyland"
label = { id = "Register negeri mainan", en = "Register of Toyland" }
agency = "TOY"
source = { id = "Kantor mainan", en = "Toy office" }
license = "https://example.org/licence"
frequency = "semester"
publication_days = 10
contact = { name = "Toy office", mail = "toys@example.org" }

[[languages]]
id = "id"
label = "Bahasa Indonesia"

[[languages]]
id = "en"
label = "English"
"#;

const REGION: &str = r#"
id = "region"
variable = "Region"
label = { id = "wilayah", en = "region" }

[[level]]
id = "country"
label = { id = "Negara", en = "Country" }

[[level]]
id = "province"
label = { id = "Provinsi", en = "Province" }

[[level]]
id = "regency"
label = { id = "Kabupaten", en = "Regency" }

[reference]
file = "regions.csv"
code = ["code"]
name = ["name"]
parent = ["parent"]
level = ["level"]
area = ["area"]

[reference.root]
code = "TOY"
label = { id = "Negeri Mainan", en = "Toyland" }

[source]
kind = "region"
parts = [{ column = "P", digits = 2 }, { column = "R", digits = 2 }]
"#;

/// Regions as they were counted first.
pub const OLD_REGIONS: &str = "code,name,level,parent
11,North,province,
1101,Ash,regency,11
1102,Birch \"upper\",regency,11
12,South,province,
1201,Cedar,regency,12
";

/// Regions of the last count, some with their areas.
pub const NEW_REGIONS: &str = "code,name,level,parent,area
11,North,province,,
1101,Ash,regency,11,2.5
1103,Dogwood,regency,11,\"0,5\"
12,South,province,,
1201,Cedar,regency,12,4
1202,\"Elm, lower\",regency,12,
";

const SEX: &str = r#"
id = "sex"
variable = "Sex"
label = { id = "jenis kelamin", en = "sex" }
nodes = "sex.csv"

[[level]]
id = "total"
label = { id = "Jumlah", en = "Total" }

[[level]]
id = "sex"
label = { id = "Jenis kelamin", en = "Sex" }

[source]
kind = "code"
column = "S"
"#;

const SEXES: &str = "level,code,parent,id,en
total,T,,Jumlah,Total
sex,L,T,Laki-laki,Male
sex,P,T,Perempuan,Female
";

const AGE: &str = r#"
id = "age"
variable = "Age"
label = { id = "umur", en = "age" }
nodes = "age.csv"

[[level]]
id = "total"
label = { id = "Jumlah", en = "Total" }

[[level]]
id = "band"
label = { id = "Kelompok", en = "Band" }

[[level]]
id = "year"
label = { id = "Tahun", en = "Year" }

[source]
kind = "age"
column = "B"
formats = ["YYYY-MM-DD"]
earliest = "1900-01-01"

[[grouping]]
id = "care"
label = { id = "Asuhan", en = "Care" }
values = [
    { code = "K", label = { id = "Kecil", en = "Small" }, nodes = ["Y0", "Y1"] },
    { code = "S", label = { id = "Sekolah", en = "School" }, nodes = ["Y1", "Y2"] },
    { code = "E", label = { id = "Besar", en = "Big" }, nodes = ["A", "O"] },
]

[[grouping]]
id = "halves"
label = { id = "Paruh", en = "Halves" }
values = [
    { code = "YOUNG", label = { id = "Muda", en = "Young" }, nodes = ["C"] },
    { code = "OLD", label = { id = "Tua", en = "Old" }, nodes = ["A", "O"] },
]
"#;

const AGES: &str = "level,code,parent,id,en,from
total,T,,Jumlah,Total,
band,C,T,Anak,Child,
year,Y0,C,0 tahun,0 years,0
year,Y1,C,1 tahun,1 year,1
band,A,T,Dewasa,Adult,
year,Y2,A,2 tahun,2 years,2
year,Y3,A,3 tahun,3 years,3
band,O,T,Tua,Old,4
";

const CHARTS: &str = r#"
[pyramid]
ages = "age"
sides = { dimension = "sex", codes = ["L", "P"] }
band = "A"

[tiles]
dimension = "region"
grid = """
11 12
"""
names = { 11 = "North" }
"#;

const ZEROS: &str = r#"
[[zero]]
id = "no-old-men"
nodes = { sex = ["L"], age = ["O"] }
"#;

/// Measures of every kind: code, kind, decimals, and what else its kind needs.
fn measures() -> String {
    let measure = |(code, kind, decimals, more): (&str, &str, u8, &str)| {
        let text = |what: &str| format!("{{ id = '{what} {code}', en = '{what} {code}' }}");
        format!(
            "[[measure]]\ncode = '{code}'\nkind = '{kind}'\nlabel = {}\nunit = {}\nmethod = {}\ndecimals = {decimals}\n{more}\n",
            text("Measure"),
            text("unit"),
            text("Method")
        )
    };
    let all = [
        ("share-place", "share", 1, "dimension = 'region'"),
        ("share-row", "share-of-row", 2, ""),
        ("share-column", "share-of-column", 0, ""),
        ("change", "change", 0, ""),
        ("growth", "growth", 1, ""),
        ("sex-ratio", "ratio", 1, "dimension = 'sex'\nof = ['L']\nto = ['P']\nper = 1000"),
        ("dependency", "ratio", 1, "dimension = 'age'\nof = ['C', 'O']\nto = ['A']"),
        ("median", "median", 2, "dimension = 'age'\nlevel = 'band'"),
        ("density", "density", 1, "dimension = 'region'"),
        ("houses", "share", 1, "dimension = 'region'\ncounts = 'household'"),
    ];
    all.map(measure).concat()
}

const NOTES: &str = r#"
[[note]]
mandatory = true
text = { id = "Mainan bukan orang", en = "Toys are no people" }

[[note]]
dimension = "age"
text = { id = "Umur ditaksir", en = "Ages are guessed" }

[[note]]
dimension = "age"
node = "O"
mandatory = true
text = { id = "Tidak ditanyakan", en = "Nobody asks" }
"#;

/// A table's definition; axes as `dimension level`.
fn table(id: &str, subject: &str, axes: &[&str]) -> String {
    let mut text = format!(
        r#"
id = "{id}"
label = {{ id = "Penduduk {id}", en = "People {id}" }}
description = {{ id = "Tabel {id} & lain", en = "Table {id} & more" }}
subject = {{ id = "{subject}", en = "{subject}" }}
unit = "person"

[contents]
code = "persons"
label = {{ id = "Penduduk", en = "People" }}
unit = {{ id = "orang", en = "people" }}
"#
    );
    if id == "people" {
        text.push_str(NOTES);
    }
    for axis in axes {
        let (dimension, level) = axis.split_once(' ').unwrap();
        text.push_str(&format!("\n[[axis]]\ndimension = \"{dimension}\"\nlevel = \"{level}\"\n"));
    }
    text
}

/// Definitions with these regions, the table `people` by age down to a level, and some of the tables.
pub fn definitions(regions: &str, finest_age: &str, tables: &[&str]) -> Definitions {
    let people = table("people", "Kependudukan Umum", &["region regency", "sex sex", &format!("age {finest_age}")]);
    let files = [
        ("register.toml", REGISTER.to_owned()),
        ("structural-zeros.toml", ZEROS.to_owned()),
        ("measures.toml", measures()),
        ("charts.toml", CHARTS.to_owned()),
        ("dimensions/region.toml", REGION.to_owned()),
        ("dimensions/regions.csv", regions.to_owned()),
        ("dimensions/sex.toml", SEX.to_owned()),
        ("dimensions/sex.csv", SEXES.to_owned()),
        ("dimensions/age.toml", AGE.to_owned()),
        ("dimensions/age.csv", AGES.to_owned()),
        ("tables/people.toml", people),
        ("tables/bands.toml", table("bands", "Umur", &["region province", "age band"])),
        ("tables/sparse.toml", table("sparse", "Kependudukan Umum", &["region province", "sex sex"])),
        ("tables/gone.toml", table("gone", "Lama", &["region country", "sex sex"])),
    ];
    let mut sources: Sources = files.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
    sources.retain(|name, _| {
        let table = name.strip_prefix("tables/").and_then(|name| name.strip_suffix(".toml"));
        table.is_none_or(|table| tables.contains(&table))
    });
    Definitions::parse(&sources, None).unwrap()
}
