//! What losing a cell costs decides which cells are lost.

use cacah::{
    protect::{Settings, Weights, protect},
    register::Status,
    worlds::Rule,
};

use super::{
    country,
    synthetic::{Owned, census},
};

/// Secondaries of a table at a level of its regions, under these weights.
fn secondaries(owned: &Owned, table: &str, level: &str, weights: Weights) -> usize {
    let settings = Settings { weights, ..Settings::new(Rule::threshold(5)) };
    let protected = protect(&census(&owned.borrowed()), &settings, &[]).unwrap();
    let at = owned.tables.iter().position(|of| of.id == table).unwrap();
    let region = owned.dimensions.iter().find(|dimension| dimension.id == "region").unwrap();
    let level = region.level(level).unwrap();
    let shape = &owned.shapes[at];
    let axis = owned.tables[at].axes.iter().position(|axis| axis.dimension == "region").unwrap();
    (0..shape.cells)
        .filter(|&cell| protected.statuses[at][cell as usize] == Status::Suppressed && !protected.primary[at][cell as usize])
        .filter(|&cell| {
            let node = shape.axes[axis].nodes[shape.coordinates(cell)[axis] as usize];
            region.nodes[node as usize].level == level
        })
        .count()
}

#[test]
fn dear_tables_and_levels_lose_less() {
    let regions = country::regions(1, 5);
    let lines = regions.lines().filter(|line| !line.starts_with("11.") || line.starts_with("11.01") || line.starts_with("11.02"));
    let regions: String = lines.map(|line| format!("{line}\n")).collect();
    let owned = country::make_over(&regions, 0.1, 5).unwrap().1;
    let plain = || Weights::default();

    let districts = secondaries(&owned, "marital", "district", plain());
    let villages = secondaries(&owned, "marital", "village", plain());
    assert!(districts > 20 && villages > 100, "{districts} {villages}");
    let dear = Weights { levels: vec![("marital".into(), "district".into(), 50.0)], ..plain() };
    assert!(secondaries(&owned, "marital", "district", dear.clone()) < districts * 3 / 4);
    // The cells of marital states without ages are in the table with ages too, which comes first and owns them: they are
    // as dear as in the dearest table that has them.
    let everywhere = Weights { tables: vec![("marital".into(), 50.0)], ..plain() };
    assert!(secondaries(&owned, "marital", "district", everywhere) < districts * 3 / 4);
    // Other tables make up for it.
    assert!(secondaries(&owned, "marital-age", "district", dear) > 0);
}

#[test]
fn weights_beyond_reason_are_refused() {
    let one = "code,name,level,parent\n11,P,province,\n11.01,R,regency,11\n11.01.01,D,district,11.01\n11.01.01.2001,V,village,11.01.01\n";
    let owned = country::make_over(one, 0.01, 1).unwrap().1;
    let check = |weights: Weights, expect: &str| {
        let settings = Settings { weights, ..Settings::new(Rule::threshold(5)) };
        let said = protect(&census(&owned.borrowed()), &settings, &[]).unwrap_err().to_string();
        assert!(said.contains(expect), "{said}");
    };
    check(Weights { tables: vec![("marital".into(), 0.0)], ..Weights::default() }, "weight 0 of 'marital'");
    check(Weights { levels: vec![("marital".into(), "village".into(), 1e9)], ..Weights::default() }, "of 'marital:village'");
    check(Weights { per_total: 20_000, ..Weights::default() }, "too large");
}
