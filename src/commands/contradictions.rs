//! What `cacah release` says of links between people and households that nobody declared, and of those that the counts contradict.

use anyhow::{Result, bail};

use super::say::say;
use crate::{
    audit::{Contradicted, Contradictions, contradictions},
    cube::grouped,
    register::{Definitions, Links, MembersLink},
    worlds::Census,
};

/// Prints which links are only implied, and where the counts contradict a link; never how many people that concerns.
///
/// # Errors
/// A link that is contradicted at more than half of all places: that is no fault of the data.
pub fn say_contradictions(definitions: &Definitions, census: &Census<'_>) -> Result<()> {
    say_implied(definitions);
    let file = if definitions.implied_links { "links that nobody declared" } else { "links.toml" };
    for found in contradictions(census) {
        let link = found.link.and_then(|at| definitions.links.members.get(at));
        for (contradicted, is_size) in [(&found.people, false), (&found.sizes, true)] {
            let Some(example) = &contradicted.example else { continue };
            let told = tell(&found, contradicted, example, link, is_size);
            let cure = cure(definitions, link, is_size);
            if contradicted.places * 2 > found.compared {
                bail!(
                    "{file}: {told}; a link that is false at most places is no link, and nothing can be protected by it: {cure}; then build \
                     again, because a build keeps the definitions that it was counted by"
                );
            }
            say!("{file}: {told}; what follows from the link does not hold there: {cure}");
        }
    }
    Ok(())
}

/// Says which links come from the definitions alone, and of which sizes of households no limit is known.
fn say_implied(definitions: &Definitions) {
    let links = &definitions.links;
    if links.is_empty() {
        return;
    }
    let unlimited = links.members.iter().filter(|link| largest(link).is_none());
    let unlimited: Vec<&str> = unlimited.map(|link| link.size.as_str()).collect();
    if definitions.implied_links {
        say!("there is no links.toml, so that the definitions imply what people and households tell of each other: {}", names(links));
    }
    if !unlimited.is_empty() {
        let sizes = unlimited.join(", ");
        say!(
            "nobody said how many members a household can have ({sizes}), so that any number is possible: whoever knows of a limit knows more \
             of households of the open size than is reckoned with; expected 'largest' in links.toml, such as largest = 40 below [[members]]"
        );
    }
}

/// What contradicts a link, and where.
fn tell(found: &Contradictions, contradicted: &Contradicted, example: &str, link: Option<&MembersLink>, is_size: bool) -> String {
    let what = match link {
        None => "more households have heads of a kind than people of that kind live there ([heads])".to_owned(),
        Some(link) if is_size => {
            let limit = largest(link).map_or_else(String::new, |most| format!(" and largest = {most}"));
            format!("households have more members than '{}'{limit} allow ([[members]])", link.size)
        }
        Some(link) => {
            format!("households have more members than people live there ([[members]], size = '{}', shared = {:?})", link.size, link.shared)
        }
    };
    let (places, compared) = (grouped(contradicted.places as u64), grouped(found.compared as u64));
    format!("at {places} of {compared} places with households, for example {example}, {what}")
}

/// What to do about it.
fn cure(definitions: &Definitions, link: Option<&MembersLink>, is_size: bool) -> String {
    let write = if definitions.implied_links { "write a links.toml: " } else { "" };
    match link {
        None => format!("{write}leave out below [heads] the pairs of dimensions that do not say the same of a head and of everybody"),
        Some(_) if is_size => {
            format!("{write}let 'largest' be the most members of any household, or look for households that share a key by mistake")
        }
        Some(link) => {
            let none = if link.shared.len() > 1 {
                "leave in 'shared' only what all members of a household have in common, such as the region"
            } else {
                "if members of a household often stand elsewhere than its head, there is no such link: write members = [] for [[members]]"
            };
            format!("{write}{none}; or look for households whose members are in different places by mistake")
        }
    }
}

/// The most members that anybody believes a household to have; `None`: any number.
fn largest(link: &MembersLink) -> Option<u32> {
    link.members.iter().map(|members| members.most).collect::<Option<Vec<u32>>>()?.into_iter().max()
}

/// What the links say, in short.
fn names(links: &Links) -> String {
    let members = links.members.iter().map(|link| format!("members stand where heads do by {}", link.shared.join(", ")));
    let heads: Vec<String> = links
        .heads
        .iter()
        .map(|pair| if pair.head == pair.person { pair.head.clone() } else { format!("{} ({})", pair.head, pair.person) })
        .collect();
    let heads = (!heads.is_empty()).then(|| format!("heads are people by {}", heads.join(", ")));
    members.chain(heads).collect::<Vec<_>>().join("; ")
}
