//! Each way to get a definition file wrong, and what is said about it.

use cacah::register::{Definitions, Sources};

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

/// The same set, whose people have a role of their own in their household.
fn with_role() -> Sources {
    let mut sources = small();
    let register = sources.get_mut("register.toml").unwrap();
    *register = register.replace("relation = 'sex', heads = ['M']", "relation = 'role', heads = ['H']");
    let role = sources["dimensions/sex.toml"].split("[[grouping]]").next().unwrap().replace("sex", "role");
    sources.insert("dimensions/role.toml".into(), role.replace("Sex", "Role").replace("'SEX'", "'ROLE'"));
    let nodes = "level,code,parent,en,texts,coding:a\nall,T,,All,,\nrole,H,T,Head,head,1\nrole,O,T,Other,other,2\n";
    sources.insert("dimensions/role.csv".into(), nodes.into());
    sources
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
    check(
        "agency",
        "agencey",
        "register.toml:3: unknown field `agencey`, expected one of `id`, `label`, `agency`, `source`, `license`, `frequency`, `contact`, `publication_days`, `note`, `languages`, `identity`, `household`, `protection`",
    );
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
fn contributors_are_told_where_they_belong() {
    let check = |from: &str, to: &str, expect: &str| assert_eq!(fault("register.toml", from, to), expect, "{from} -> {to}");
    let move_it = "where it means nothing; move it below the line [protection], and if there is no such line, add [protection] at the end \
                   of the file and put it below that";
    check(
        "agency = 'A'\n",
        "agency = 'A'\ncontributors = 3\n",
        &format!("register.toml:4: 'contributors' stands under no section at all, {move_it}"),
    );
    check(
        "label = 'English'\n",
        "label = 'English'\ncontributors = 3\n",
        &format!("register.toml:12: 'contributors' stands under [languages], {move_it}"),
    );
    check(
        "heads = ['M'] }",
        "heads = ['M'], contributors = 3 }",
        &format!("register.toml:8: 'contributors' stands under [household], {move_it}"),
    );
    let protection = |rest: &str| format!("label = 'English'\n[protection]\n{rest}\n");
    check(
        "label = 'English'\n",
        &protection("contributors = 'two'"),
        "register.toml:13: expected contributors = 2, or another whole number between 1 and 5, without quotes",
    );
    check("label = 'English'\n", &protection("contributors = 6"), "register.toml:13: expected between 1 and 5 contributing households");
    check(
        "label = 'English'\n",
        &protection("contributers = 2"),
        "register.toml:13: unknown field `contributers`, expected `contributors`",
    );
}

#[test]
fn a_wrong_file_of_charts_is_told_where_and_what() {
    let check = |text: &str, expect: &str| {
        let mut sources = small();
        sources.insert("charts.toml".into(), text.into());
        let error = Definitions::parse(&sources, None).unwrap_err().to_string();
        assert_eq!(error, format!("charts.toml:{expect}"), "{text}");
    };
    check("[pyramid]\nages = 'old'\nsides = { dimension = 'sex', codes = ['M', 'F'] }", "2: there is no dimension 'old'");
    check("[pyramid]\nages = 'age'\nsides = { dimension = 'sex', codes = ['M', 'X'] }", "3: dimension 'sex' has no node 'X'");
    check("[pyramid]\nages = 'age'\nsides = { dimension = 'sex', codes = ['M', 'M'] }", "3: expected two different sides");
    check(
        "[pyramid]\nages = 'age'\nband = 'NONE'\nsides = { dimension = 'sex', codes = ['M', 'F'] }",
        "3: dimension 'age' has no node 'NONE'",
    );
    check("[tiles]\ndimension = 'place'\ngrid = '01 01'", "3: '01' stands in the grid twice");
    check("[tiles]\ndimension = 'place'\ngrid = '. .'", "3: expected a grid of 1 to 1000 codes, with '.' where there is none");
    check("[tiles]\ndimension = 'place'\ngrid = '01'\nnames = { 02 = 'B' }", "3: '02' has a name but no place in the grid");
    check("[chart]", "1: unknown field `chart`, expected `pyramid` or `tiles`");
}

#[test]
fn a_link_that_cannot_be_meant_is_told_where_and_how_to_mend_it() {
    let households = "\
id = 'homes'
label = { en = 'Homes' }
description = { en = 'All homes' }
subject = { en = 'Homes' }
unit = 'household'
contents = { code = 'h', label = { en = 'Homes' }, unit = { en = 'homes' } }
axis = [{ dimension = 'place', level = 'town' }, { dimension = 'size', level = 'size' }]
";
    let size = "\
id = 'size'
variable = 'Size'
label = { en = 'Size' }
level = [{ id = 'all', label = { en = 'All' } }, { id = 'size', label = { en = 'Size' } }]
nodes = 'size.csv'
source = { kind = 'household-size' }
";
    let with = |links: &str| {
        let mut sources = with_role();
        sources.insert("tables/homes.toml".into(), households.into());
        sources.insert("dimensions/size.toml".into(), size.into());
        sources.insert("dimensions/size.csv".into(), "level,code,parent,en,from\nall,A,,All,\nsize,S1,A,One,1\nsize,S2,A,More,2\n".into());
        sources.insert("links.toml".into(), links.into());
        Definitions::parse(&sources, None).err().map_or_else(String::new, |error| error.to_string())
    };
    let check = |links: &str, expect: &str| {
        let expect = if expect.is_empty() { String::new() } else { format!("links.toml:{expect}") };
        assert_eq!(with(links), expect, "{links}");
    };
    check("[[members]]\nsize = 'size'\nshared = ['place']\nlargest = 12\n[heads]\nplace = 'place'", "");
    let known = "expected one of age, place, role, sex, size";
    check("[[members]]\nsize = 'sizes'\nshared = ['place']", &format!("2: there is no dimension 'sizes'; {known}"));
    check(
        "[[members]]\nsize = 'sex'\nshared = ['place']",
        "2: the categories of 'sex' are no numbers of members; expected a dimension whose [source] is of the kind household-size",
    );
    check("[[members]]\nsize = 'size'\nshared = ['village']", &format!("3: there is no dimension 'village'; {known}"));
    check(
        "[[members]]\nsize = 'size'\nshared = []",
        "2: expected in 'shared' at least one dimension, such as the region, that all members share",
    );
    check("[[members]]\nsize = 'size'\nshared = ['size']", "3: 'size' is no dimension of people");
    check(
        "[[members]]\nsize = 'size'\nshared = ['place', 'sex']",
        "3: no table of households shows 'sex', so that nothing can be linked by it; leave it out",
    );
    check(
        "[[members]]\nsize = 'size'\nshared = ['place']\nlargest = 1",
        "4: the largest household has 1 members, but a size begins at 2; expected at least that",
    );
    let number = "expected a whole number such as 40, without quotes: the most members that a household can have";
    for wrong in ["'forty'", "4.5", "-3", "[40]", "5_000_000_000"] {
        check(&format!("[[members]]\nsize = 'size'\nshared = ['place']\nlargest = {wrong}"), &format!("4: {number}"));
    }
    let members = "write [[members]] with two brackets, one for each link, and below it size, shared and largest";
    let heads = "write a line [heads] with one pair of brackets, and below it pairs such as region = \"region\"";
    check("# Links.\n[members]\nsize = 'size'\nshared = ['place']", &format!("2: {members}"));
    check("members = ['size']", &format!("1: {members}"));
    check("[[heads]]\nplace = 'place'", &format!("1: {heads}"));
    check("\n[[member]]\nsize = 'size'", &format!("2: nothing is called 'member' here; either {members}; or {heads}"));
    let size = "expected size = \"...\", the dimension of household sizes; this register has: size";
    check("\n[[members]]\nshared = ['place']", &format!("2: {size}"));
    check("[[members]]\nsize = ['size']\nshared = ['place']", &format!("2: {size}"));
    let shared = "expected shared = [\"...\"], the dimensions in which all members of a household stand where its head stands; this register \
                  has regions: place";
    check("[[members]]\nsize = 'size'\nshared = ['place']\n[[members]]\nsize = 'size'", &format!("4: {shared}"));
    check("[[members]]\nsize = 'size'\nshared = 'place'", &format!("3: {shared}"));
    check("[[members]]\nsize = 'size'\nshared = [1]", &format!("3: {shared}"));
    check(
        "[[members]]\nsize = 'size'\nshared = ['place']\nmost = 12",
        "4: a link of members has no 'most'; expected size, shared and, if there is a limit, largest",
    );
    check(
        "[heads]\nplace = true",
        "2: expected the dimension of people that says the same of everybody, in quotes, as in region = \"region\"",
    );
    // Nothing is linked where somebody says so.
    check("members = []\n[heads]", "");
    check("[heads]\ncolour = 'sex'", &format!("2: there is no dimension 'colour'; {known}"));
    check("[heads]\nsex = 'sex'", "2: no table of households shows 'sex', so that there is nothing to compare; leave the pair out");
    check(
        "[heads]\nplace = 'sex'",
        "2: heads by 'place' (regions) cannot be compared with people by 'sex' (codes in the column SEX): the two do not say the same of a \
         person; leave this pair out, or write the same dimension on both sides, or two dimensions of ages from one column of birth dates, \
         the second as fine as the first or finer",
    );
    // Ages of heads that ages of people do not tell: what is young for people is two ages for heads.
    let ages = |heads: &str| {
        let mut sources = small();
        let head_age = sources["dimensions/age.toml"].replace("'age'\nvariable = 'Age'", "'head-age'\nvariable = 'HeadAge'");
        sources.insert("dimensions/head-age.toml".into(), head_age.replace("age.csv", "head-age.csv"));
        sources.insert("dimensions/head-age.csv".into(), heads.into());
        let heads = households.replace("'size'", "'head-age'").replace("level = 'head-age'", "level = 'band'");
        sources.insert("tables/homes.toml".into(), heads);
        let people = sources.get_mut("tables/people.toml").unwrap();
        *people = people.replace("dimension = 'sex'\nlevel = 'sex'", "dimension = 'age'\nlevel = 'band'");
        sources.insert("links.toml".into(), "[heads]\nhead-age = 'age'".into());
        Definitions::parse(&sources, None).err().map_or_else(String::new, |error| error.to_string())
    };
    assert_eq!(ages("level,code,parent,en,from\nall,A,,All,\nband,YOUNG,A,Young,0\nband,OLD,A,Old,30\n"), "");
    assert_eq!(
        ages("level,code,parent,en,from\nall,A,,All,\nband,YOUNG,A,Young,0\nband,MIDDLE,A,Middle,20\n"),
        "links.toml:2: heads by 'head-age' cannot be compared with people by 'age': a category of 'age' holds ages that 'head-age' tells \
         apart; leave this pair out, or write the same dimension on both sides, or two dimensions of ages from one column of birth dates, \
         the second as fine as the first or finer"
    );
    // Without households there is nothing to link.
    let mut sources = small();
    let register = sources.get_mut("register.toml").unwrap();
    *register = register.replace("household = { column = 'HH', digits = [3, 3], relation = 'sex', heads = ['M'] }\n", "");
    sources.insert("links.toml".into(), "[heads]\nplace = 'place'".into());
    let error = Definitions::parse(&sources, None).unwrap_err().to_string();
    assert!(error.starts_with("links.toml:1: links join people and households; expected a [household] section"), "{error}");
}

#[test]
fn a_wrong_dimension_file_is_told_where_and_what() {
    let check = |file: &str, from: &str, to: &str, expect: &str| {
        assert_eq!(fault(&format!("dimensions/{file}"), from, to), format!("dimensions/{expect}"), "{file}: {from} -> {to}");
    };
    check("sex.toml", "variable = 'Sex'", "variable = 'PLACE'", "sex.toml:1: another file defines the dimension 'sex' or its variable");
    check(
        "sex.toml",
        "kind = 'code'",
        "kind = 'guess'",
        "sex.toml:6: unknown variant `guess`, expected one of `code`, `age`, `region`, `household-size`",
    );
    check("sex.toml", "nodes = 'sex.csv'", "nodes = 'sexes.csv'", "sex.toml:5: there is no file 'dimensions/sexes.csv'");
    check(
        "sex.toml",
        "nodes = 'sex.csv'",
        "",
        "sex.toml:1: expected either 'nodes' (a file of nodes) or a [reference] section (a file of regions)",
    );
    check("sex.toml", "'all'", "'sex'", "sex.toml:4: level 'sex' is named twice");
    check("sex.toml", "['M', 'F']", "['M', 'X']", "sex.toml:10: dimension 'sex' has no node 'X'");
    check("sex.toml", "['M', 'F']", "['T', 'F']", "sex.toml:10: 'T' and 'F' overlap; expected disjoint nodes");
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
    check(
        "sex.csv",
        "sex,F,T,Woman,she,2",
        "sex,M,T,Woman,she,2",
        "sex.csv:4: code 'M' stands here a second time; codes are unique over all levels",
    );
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
    assert!(
        uneven.starts_with("dimensions/sex.csv:4: ") && uneven.ends_with("expected comma-separated lines under one heading line"),
        "{uneven}"
    );
}

#[test]
fn a_wrong_table_or_zero_file_is_told_where_and_what() {
    let check = |file: &str, from: &str, to: &str, expect: &str| assert_eq!(fault(file, from, to), expect, "{file}: {from} -> {to}");
    let table = "tables/people.toml";
    check(table, "", "", "tables/:1: expected at least one table file");
    check(table, "'people'\n", "'peo ple'\n", "tables/people.toml:1: 'peo ple' is no table id; expected letters, digits, '_' and '-' only");
    check(
        table,
        "'sex'\nlevel",
        "'colour'\nlevel",
        "tables/people.toml:11: there is no dimension 'colour'; expected one of age, place, sex",
    );
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

#[test]
fn tables_that_tell_of_each_other_unseen_are_refused() {
    let table = |id: &str, unit: &str, axes: &[(&str, &str)]| {
        let mut text = small()["tables/people.toml"].split("[[axis]]").next().unwrap().replace("'people'\n", &format!("'{id}'\n"));
        text = text.replace("'person'", &format!("'{unit}'"));
        for (dimension, level) in axes {
            text += &format!("[[axis]]\ndimension = '{dimension}'\nlevel = '{level}'\n");
        }
        text
    };
    let size = |id: &str| {
        let size = with_role()["dimensions/role.toml"].replace("role", id).replace("Role", id);
        size.replace("kind = 'code', column = 'ROLE'", "kind = 'household-size'")
    };
    let sizes = |at: &str| format!("level,code,parent,en,from\nall,A,,All,\n{at},S1,A,One,1\n{at},S2,A,More,2\n");
    let parse = |tables: &[(&str, String)]| {
        let mut sources = with_role();
        for id in ["size", "bands"] {
            sources.insert(format!("dimensions/{id}.toml"), size(id));
            sources.insert(format!("dimensions/{id}.csv"), sizes(id));
        }
        let area = sources["dimensions/sex.toml"].split("[[grouping]]").next().unwrap().replace("sex", "area").replace("Sex", "Area");
        sources.insert("dimensions/area.toml".into(), area.replace("'SEX'", "'TOWN'"));
        sources.insert(
            "dimensions/area.csv".into(),
            "level,code,parent,en,texts,coding:a\nall,T,,All,,\narea,N,T,North,1,1\narea,S,T,South,2,2\n".into(),
        );
        for (name, text) in tables {
            sources.insert(format!("tables/{name}.toml"), text.clone());
        }
        Definitions::parse(&sources, None).err().map_or_else(String::new, |error| error.to_string())
    };
    let place = ("place", "town");
    let homes = ("homes", table("homes", "household", &[place, ("size", "size")]));
    assert_eq!(parse(std::slice::from_ref(&homes)), "");
    // Sizes of households in two ways.
    let bands = table("homes-by-bands", "household", &[place, ("bands", "bands")]);
    let said = parse(&[homes.clone(), ("homes2", bands)]);
    assert!(said.starts_with("tables/homes2.toml:11: 'bands' and 'size' are read from the same column, or both are sizes"), "{said}");
    // A column of the region by itself.
    let said = parse(&[("areas", table("areas", "person", &[place, ("area", "area")]))]);
    assert!(said.starts_with("tables/areas.toml:"), "{said}");
    assert!(said.contains("'place' and 'area' are read from the same column") || said.contains("'area' and 'place' are read"), "{said}");
    // Heads are households.
    let roles = table("roles", "person", &[place, ("role", "role")]);
    assert_eq!(parse(&[("roles", roles.clone())]), "");
    for homes_first in [true, false] {
        let said = parse(&[(if homes_first { "a" } else { "z" }, homes.1.clone()), ("roles", roles.clone())]);
        assert!(said.contains("a table of people by 'role' tells how many heads there are"), "{said}");
    }
}

#[test]
fn a_wrong_measure_is_told_where_and_what() {
    let ratio = "kind = 'ratio'\ndimension = 'sex'\nof = ['M']\nto = ['F']\n";
    let check = |code: &str, rest: &str, expect: &str| {
        let texts = "label = { en = 'M' }\nunit = { en = 'u' }\nmethod = { en = 'm' }";
        let mut sources = small();
        sources.insert("measures.toml".into(), format!("[[measure]]\ncode = '{code}'\n{texts}\n{rest}"));
        let found = Definitions::parse(&sources, None).err().map_or_else(String::new, |error| error.to_string());
        assert_eq!(found, expect, "{code} {rest}");
    };
    check("ratio", ratio, "");
    check("a b", ratio, "measures.toml:2: 'a b' is no code of a measure; expected letters, digits, '-' and '_'");
    check("N", ratio, "measures.toml:2: 'N' is the code of a table's count already");
    check("m", &format!("{ratio}decimals = 7"), "measures.toml:2: expected at most 6 decimals");
    check("m", &format!("{ratio}per = 0"), "measures.toml:2: expected 'per' between 1 and 1000000");
    check("m", &format!("{ratio}level = 'sex'"), "measures.toml:2: a measure of this kind has no 'level'");
    check("m", &ratio.replace("'sex'", "'gender'"), "measures.toml:7: there is no dimension 'gender'");
    check("m", &ratio.replace("['M']", "['X']"), "measures.toml:8: dimension 'sex' has no node 'X'");
    check("m", &ratio.replace("['M']", "['X', 'M']"), "measures.toml:8: dimension 'sex' has no node 'X'");
    check("m", &ratio.replace("['M']", "[]"), "measures.toml:2: expected nodes in 'of' and in 'to'");
    check("m", "kind = 'share'", "measures.toml:2: expected a dimension");
    check("m", "kind = 'change'\ndimension = 'sex'", "measures.toml:2: a measure of this kind has no 'dimension'");
    check("m", "kind = 'median'\ndimension = 'sex'\nlevel = 'sex'", "measures.toml:2: expected the level of a dimension of ages");
    check("m", "kind = 'density'\ndimension = 'sex'", "measures.toml:2: expected the dimension of regions");
}
