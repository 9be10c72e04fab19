//! Exhaustive proof in the small: an oracle that shares nothing with protection, audit or attack.
//!
//! ```text
//! a tiny register at random -> protected, audited, published, corrected -> every list of people and households that agrees with all that was
//! published -> the smallest and the largest value of each small count -> is it what the rule promises?
//! ```
//!
//! # What an attacker knows
//!
//! - every published cell of every table of every revision, of people and of households;
//! - the definitions: hierarchies, structural zeros, which households each size stands for, the threshold and the rest of the rule;
//! - that all members of a household live where its head lives (the dimensions that [`MembersLink::shared`] names), and that every
//!   counted household has exactly one head, who is one of the people, so that what [`HeadPair`]s compare is the same of both;
//! - how many people live outside of counted households, exactly, in every finest place. This is more than most will know: nobody publishes it;
//! - for every cell that two revisions have whether its count is the same in both, published or not, because he may know what a correction did
//!   not touch. Where it is not the same he knows nothing of how the two differ.
//!
//! He knows no person, and not how a pattern of withheld cells was come by.
//!
//! # Lists
//!
//! A *list* is, for each revision, some people (a value in every dimension) and some households: a head among the people, a number of members that
//! fits its size, members who live where it does. Whatever is published is a function of how many people there are of each finest
//! combination (`n`), and how many households of each combination of head and size (`h`), so that the oracle looks at these numbers alone. Which
//! of them are those of a list? Exactly those where
//!
//! 1. `n >= 0`, `h >= 0`, and both are zero where a structural zero says so;
//! 2. for everything that can be said of a head and of anybody in the same words (pairs and shared dimensions together, at their base
//!    leaves) `h <= n`, both summed over what the words leave open;
//! 3. in every finest place `people = members + people outside`, where `members` is between the sum of the fewest and the sum of the most
//!    members of its households.
//!
//! They are needed: heads are distinct people, places are where members live. They are enough: take `n` as people. In every place the words
//! sort people into classes, households into the same classes, and no class has more households than people, so that every household finds a head;
//! let it take anybody of its class. There are `people - outside` others and heads, by (3) at least as many as the households need at least, and
//! not more than they can hold, so that each can be given its fewest members and then more, one by one, until `outside` are left. Who they are does not
//! matter: of members nothing is published but how many they are. Dimensions that no table and no link names can be filled in at will. A
//! correction adds equations between the numbers of two revisions and nothing else, so that lists of each can be made by themselves.
//!
//! [`lists`] does just that for every solution that a verdict rests on in a test, and counts again; another test makes every list of up to four
//! people and compares their numbers with all that keep the rules above.
//!
//! # What the rule promises
//!
//! No published cell is primary. For every small count, in any table, at any level, of any revision that is published, some list gives it at most
//! [`Rule::low`], and some at least [`Rule::high`]. For a count of people that is not small but comes from fewer households than
//! [`Rule::contributors`], [`Rule::goals`] says how far. Where all of a small group is in one category, some list has somebody of it in another. What
//! somebody knows before anything is published (three people outside of all households make a village of at least three) is no fault of a
//! release: an end that is closed to him anyway is counted apart, and must still come as near as silence would. Somebody who does not know
//! that must not learn it either: for him the end must be open.
//!
//! That a published count comes from several households tells of lists too. The oracle can reckon with it ([`oracle::Contributors`]), for the
//! figures in [`strictness`].
//!
//! # How it is found out
//!
//! By a search that misses nothing ([`solver`], [`programs`]) within a budget; what it leaves undecided is counted. A second, much plainer program ([`plain`])
//! enumerates all solutions where there are few, and the two are compared. Tests print what they counted with `--nocapture`; `CASES` sets the
//! number of registers, `SEED` looks at one.
//!
//! [`HeadPair`]: cacah::register::HeadPair
//! [`MembersLink::shared`]: cacah::register::MembersLink::shared
//! [`Rule::contributors`]: cacah::worlds::Rule::contributors
//! [`Rule::goals`]: cacah::worlds::Rule::goals
//! [`Rule::high`]: cacah::worlds::Rule::high
//! [`Rule::low`]: cacah::worlds::Rule::low

mod changes;
mod checks;
mod contributors;
mod counting;
mod examples;
mod generator;
mod guided;
mod knowledge;
mod lists;
mod omissions;
mod oracle;
mod plain;
mod program;
mod programs;
mod promise;
mod protecting;
mod publishing;
mod random;
mod register;
mod report;
mod seeds;
mod solver;
mod strictness;
