//! Choosing from a long list, such as the regions of a country: by walking down, by name, by pasting codes.

use maud::{Markup, html};

use super::{
    super::{Page, texts},
    choice::{lists, part},
    state::{State, level_button},
};
use crate::tables::{CodeListKind, Expression, UnionDimension};

/// Names that a search shows.
const FOUND: usize = 40;
/// Choices that are named one by one.
const NAMED: usize = 200;

/// The part of the form for an axis with many nodes.
pub fn picker(page: &Page, state: &State, axis: usize, list: Option<usize>, count: usize, of: usize) -> Markup {
    let library = &page.shared.library;
    let described = &library.tables[state.table].axes[axis];
    let dimension = &library.dimensions[described.dimension];
    let variable = dimension.variable.as_str();
    let name = format!("valueCodes[{variable}]");
    let values = state.request.selections.iter().find(|one| one.variable.eq_ignore_ascii_case(variable)).map_or(&[][..], |one| &one.values);
    let find = page.parameters.get(&format!("find[{variable}]")).unwrap_or("");
    let is_seen = |node: &u32| described.seen.as_ref().is_none_or(|seen| seen.contains(*node));
    let asked = page.parameters.get(&format!("at[{variable}]")).and_then(|code| dimension.find(code)).filter(is_seen);
    // Where nobody has walked yet: above what was chosen first.
    let chosen = values.iter().find_map(|value| node_of(dimension, value));
    let at = asked
        .or_else(|| {
            chosen.map(|node| if described.divides(dimension, node) { node } else { dimension.nodes[node as usize].parent.unwrap_or(0) })
        })
        .unwrap_or(0);
    let label = |node: u32| dimension.nodes[node as usize].label.text(page.language);
    let below: Vec<u32> = dimension.children(at).into_iter().filter(|node| described.nodes.binary_search(node).is_ok()).collect();
    let found: Vec<u32> = library
        .find_nodes(described.dimension, find, FOUND)
        .into_iter()
        .filter(|node| described.nodes.binary_search(node).is_ok())
        .collect();
    let step = |node: u32, text: &str| {
        html! { button.small type="submit" name={ "at[" (variable) "]" } value=(dimension.nodes[node as usize].code) id={ "at-" (variable) "-" (dimension.nodes[node as usize].code) } { (text) } }
    };
    let tick = |value: &str, text: &str, checked: bool| {
        html! { label { input type="checkbox" name=(name) value=(value) checked[checked]; span { (text) } } }
    };
    let is_chosen = |node: u32| values.contains(&dimension.nodes[node as usize].code);
    // Levels below, with how many lie on each within the place that was walked to.
    let levels: Vec<(String, &str, usize)> = described
        .codelists
        .iter()
        .filter_map(|&list| {
            let list = &library.codelists[list];
            let CodeListKind::Valueset(nodes) = &list.kind else { return None };
            let range = dimension.subtree(at);
            let within = nodes.iter().filter(|&&node| node != at && range.contains(&node)).count();
            let deeper = list.level > dimension.nodes[at as usize].level && within > 0;
            let value = level_button(&list.id, &dimension.nodes[at as usize].code);
            deeper.then(|| (value, list.label.text(page.language), within))
        })
        .collect();
    let inner = html! {
        (lists(page, variable, &described.codelists, list))
        @if !values.is_empty() {
            p.label { (page.say(&texts::CHOSEN)) }
            ul.codes id={ "codes-" (variable) } data-keep-scroll {
                @for value in values.iter().take(NAMED) { li { (tick(value, &named(page, dimension, value), true)) } }
            }
            // What is not named is chosen still.
            @for value in values.iter().skip(NAMED) { input type="hidden" name=(name) value=(value); }
            @if values.len() > NAMED { p.muted { (texts::AND_OTHERS.with((values.len() - NAMED) as u64).text(page.tongue)) } }
        }
        p.label { (page.say(&texts::BROWSE)) }
        div.row { @for node in dimension.path(at).into_iter().chain([at]) { (step(node, label(node))) } }
        @if !levels.is_empty() {
            p.label { (texts::ALL_WITHIN.with(label(at)).text(page.tongue)) }
            div.row {
                @for (value, name, within) in &levels {
                    button.small type="submit" name={ "level[" (variable) "]" } value=(value) id={ "level-" (variable) "-" (value) } { (name) " (" (page.count(*within as u64)) ")" }
                }
            }
        }
        ul.codes id={ "tree-" (variable) } data-keep-scroll {
            @if !is_chosen(at) { li { (tick(&dimension.nodes[at as usize].code, label(at), false)) } }
            @if below.len() > 1 {
                @let all = format!("children({})", dimension.nodes[at as usize].code);
                @if !values.contains(&all) { li { (tick(&all, &texts::ALL_IN.with(label(at)).text(page.tongue), false)) } }
            }
            @for &node in &below {
                li {
                    @if is_chosen(node) { label { "✓ " (label(node)) } } @else { (tick(&dimension.nodes[node as usize].code, label(node), false)) }
                    @if described.divides(dimension, node) { (step(node, "›")) }
                }
            }
        }
        div.row {
            input type="search" name={ "find[" (variable) "]" } value=(find) aria-label={ (page.say(&texts::SEARCH_IN)) " " (dimension.label.text(page.language)) } placeholder=(page.say(&texts::SEARCH));
            button.small type="submit" id={ "find-" (variable) } { (page.say(&texts::SEARCH)) }
        }
        @if !find.is_empty() {
            @if found.is_empty() { p.muted { (texts::NOTHING_FOUND.with(find.chars().take(60).collect::<String>()).text(page.tongue)) } }
            @else {
                ul.codes id={ "found-" (variable) } {
                    @for &node in &found {
                        @let above = dimension.path(node).into_iter().skip(1).rev().map(label).collect::<Vec<_>>().join(", ");
                        li { (tick(&dimension.nodes[node as usize].code, &if above.is_empty() { label(node).to_owned() } else { format!("{}, {above}", label(node)) }, is_chosen(node))) }
                    }
                }
            }
        }
        details id={ "paste-" (variable) } {
            summary { (page.say(&texts::PASTE)) }
            label.visually-hidden for={ "pasted-" (variable) } { (page.say(&texts::PASTE)) }
            textarea id={ "pasted-" (variable) } name={ "paste[" (variable) "]" } placeholder="3404 34.71 5103010001" {}
        }
    };
    part(page, variable, dimension.label.text(page.language), count, of, true, &inner)
}

/// The node that a choice speaks of.
fn node_of(dimension: &UnionDimension, value: &str) -> Option<u32> {
    match Expression::parse(value).ok()? {
        Expression::Code(code) | Expression::Children(code) | Expression::Within(code) => dimension.find(&code),
        _ => None,
    }
}

/// A choice in words.
fn named(page: &Page, dimension: &UnionDimension, value: &str) -> String {
    let Some(label) = node_of(dimension, value).map(|node| dimension.nodes[node as usize].label.text(page.language)) else {
        return if value == "*" { page.say(&texts::EVERYTHING).to_owned() } else { value.to_owned() };
    };
    match Expression::parse(value) {
        Ok(Expression::Children(_)) => texts::ALL_IN.with(label).text(page.tongue),
        Ok(Expression::Within(_)) => texts::ALL_WITHIN.with(label).text(page.tongue),
        _ => label.to_owned(),
    }
}
