//! People and households are one system: what the tables of one tell of the other.

use cacah::{
    protect::{Protected, Settings, protect},
    register::{HeadPair, Links, Members, MembersLink, Shape, Status, Table, Unit, ZeroMask, member_tables},
    worlds::{Census, Counted, Rule},
};

use super::synthetic::{Owned, dimension, flat, table};

fn codes(codes: &[&str]) -> Vec<String> {
    codes.iter().map(|code| (*code).to_owned()).collect()
}

/// Villages by their households of one person, two, ..., and five or more; everybody lives in one, and those of the last have five.
struct Villages {
    owned: Owned,
    members: Vec<(Table, Shape, ZeroMask, Vec<u32>)>,
}

impl Villages {
    fn new(households: &[[u32; 5]], largest: u32) -> Self {
        let villages = households.len();
        let mut nodes = vec![("T".to_owned(), None, 0)];
        nodes.extend((0..villages).map(|village| (format!("v{village}"), Some(0), 1)));
        let dimensions = vec![
            dimension("region", &["country", "village"], nodes),
            flat("sex", &codes(&["m", "f"])),
            flat("size", &codes(&["1", "2", "3", "4", "GE5"])),
        ];
        let tables = vec![
            table("population", &[("region", "village"), ("sex", "sex")], Unit::Person),
            table("households", &[("region", "village"), ("size", "size")], Unit::Household),
        ];
        let people: Vec<u32> = households.iter().map(|sizes| (1..).zip(sizes).map(|(size, count)| size * count).sum()).collect();
        let by_sex = people.iter().flat_map(|&people| [people / 2, people - people / 2]).collect();
        let mut owned = Owned::new(dimensions, tables, &[], vec![by_sex, households.concat()]).unwrap();
        let size = |least: u32, most: u32| Members { least, most: Some(most) };
        owned.links = Links {
            members: vec![MembersLink {
                size: "size".into(),
                shared: vec!["region".into()],
                members: vec![size(1, 1), size(2, 2), size(3, 3), size(4, 4), size(5, largest)],
            }],
            heads: vec![HeadPair { head: "region".into(), person: "region".into(), classes: (0..villages as u32).collect() }],
        };
        let members = member_tables(&owned.links, &owned.tables, &owned.dimensions).into_iter().map(|table| {
            let shape = Shape::new(&table, &owned.dimensions).unwrap();
            let zeros = ZeroMask::new(&table, &shape, &[]);
            let counts = cacah::cube::rollup(&shape, &people);
            (table, shape, zeros, counts)
        });
        Self { members: members.collect(), owned }
    }

    fn protect(&self, links: &Links) -> Protected {
        let counted = self.owned.counted();
        let members: Vec<Counted<'_>> =
            self.members.iter().map(|(table, shape, zeros, counts)| Counted { table, shape, zeros, counts, few: &[] }).collect();
        let census = Census { tables: &counted, joint: &[], members: &members, links, dimensions: &self.owned.dimensions };
        protect(&census, &Settings::new(Rule::threshold(5)), &[]).unwrap()
    }

    /// Sizes of a village that are withheld.
    fn withheld(&self, protected: &Protected, village: usize) -> Vec<usize> {
        (0..5).filter(|size| protected.statuses[1][(village + 1) * 6 + size + 1] == Status::Suppressed).collect()
    }
}

/// The register in which this was found: with sizes 1 and 2 withheld, n1 + n2 = 6 and n1 + 2 n2 = 10 follow from what is published.
#[test]
fn sizes_do_not_follow_from_people() {
    let mut villages = vec![[2, 4, 80, 90, 0]];
    villages.extend((0..5).map(|at| [200 + 10 * at, 210, 300 + at, 280, 0]));
    let villages = Villages::new(&villages, 40);
    let apart = villages.protect(&Links::default());
    assert_eq!(villages.withheld(&apart, 0), [0, 1], "units apart");
    let together = villages.protect(&villages.owned.links);
    let withheld = villages.withheld(&together, 0);
    assert!(withheld.len() >= 3 && withheld.starts_with(&[0, 1]), "{withheld:?}");
    for world in 1..together.proof.worlds.len() as u32 {
        let changes: Vec<_> = together.proof.worlds.world(world).collect();
        println!("{changes:?}");
    }
}

/// Two sizes cannot be exchanged without people, and nobody else has a third to give: households move from one village to another.
#[test]
fn records_move_before_a_total_is_withheld() {
    let mut villages = vec![[2, 40, 0, 0, 0]];
    villages.extend((0..5).map(|at| [200 + 10 * at, 210, 0, 0, 0]));
    let villages = Villages::new(&villages, 5);
    let protected = villages.protect(&villages.owned.links);
    assert_eq!(villages.withheld(&protected, 0), [0]);
    let country = protected.statuses[0][..3].iter().chain(&protected.statuses[1][..6]);
    assert!(country.into_iter().all(|status| *status == Status::Published), "{:?}", protected.statuses);
}
