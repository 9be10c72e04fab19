//! Links of which one is what there is: how a table or a picture is shown.

use maud::{Markup, html};

use super::{Page, texts};
use crate::{charts::ChartKind, words::Phrase};

/// Turns changes of the parameters into an address.
type Address<'a> = dyn Fn(&[(&str, Option<&str>)]) -> String + 'a;

/// What is chosen on a page.
pub struct Choices<'a> {
    pub page: &'a Page,
    /// The page with some parameters replaced.
    pub address: &'a Address<'a>,
    /// Whether only the part of the page that changes is asked for.
    pub swap: bool,
}

/// The parameters that say how a kind of chart is drawn.
pub fn options_of(kind: ChartKind) -> &'static [&'static str] {
    match kind {
        ChartKind::Pyramid => &["share", "compare"],
        ChartKind::Bars => &["stacking"],
        ChartKind::Lines => &["zero"],
        ChartKind::Ranking => &["lowest", "places"],
        ChartKind::Heat | ChartKind::Map => &["method"],
    }
}

impl Choices<'_> {
    /// One of several, each with its name; what stands for a parameter that is not given has an empty value.
    pub fn of<'t>(&self, legend: &'static Phrase, name: &str, items: impl IntoIterator<Item = (&'t str, &'t str)>) -> Markup {
        let now = self.page.parameters.get(name).unwrap_or("");
        html! {
            fieldset {
                legend { (self.page.say(legend)) }
                @for (value, label) in items {
                    a.button.small.on[now == value] id={ (name) "-" (value) } href=((self.address)(&[(name, Some(value).filter(|value| !value.is_empty()))])) data-swap[self.swap] aria-current=[(now == value).then_some("true")] { (label) }
                }
            }
        }
    }

    /// One of several that the portal has words for.
    pub fn told(&self, legend: &'static Phrase, name: &str, items: &[(&str, &'static Phrase)]) -> Markup {
        self.of(legend, name, items.iter().map(|(value, label)| (*value, self.page.say(label))))
    }

    /// How a kind of chart is drawn.
    pub fn drawn(&self, kind: ChartKind) -> Markup {
        match kind {
            ChartKind::Pyramid => self.told(&texts::SHOWN_AS, "share", &[("", &texts::AS_COUNTS), ("true", &texts::AS_SHARES)]),
            ChartKind::Bars => {
                let ways = [("", &texts::GROUPED), ("stacked", &texts::STACKED), ("full", &texts::FULL)];
                self.told(&texts::SHOWN_AS, "stacking", &ways)
            }
            ChartKind::Lines => self.told(&texts::AXIS, "zero", &[("", &texts::AXIS_FREE), ("true", &texts::AXIS_ZERO)]),
            ChartKind::Ranking => html! {
                (self.told(&texts::SHOWN_AS, "lowest", &[("", &texts::HIGHEST), ("true", &texts::LOWEST)]))
                (self.of(&texts::PLACES, "places", [("", "10"), ("25", "25"), ("50", "50")]))
            },
            ChartKind::Heat | ChartKind::Map => {
                self.told(&texts::CLASSES, "method", &[("", &texts::QUANTILES), ("equal", &texts::EQUAL_WIDTH)])
            }
        }
    }
}
