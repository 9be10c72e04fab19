//! The one place that calls what is judged: protection, and the audit of what it made.

use cacah::{
    audit::{Effort, audit},
    protect::{Settings, protect},
    register::Status,
    worlds::{Census, Earlier, Proof, Rule},
};

/// What became of a revision that was to be published.
#[derive(Debug)]
pub enum Outcome {
    /// It may be published with these statuses.
    Protected { statuses: Vec<Vec<Status>>, proof: Proof },
    /// It cannot be protected beside what is published already, and is refused.
    Refused,
}

/// Protects and audits one revision; an error tells what went wrong.
pub fn protect_revision(census: &Census<'_>, rule: &Rule, earlier: &[Earlier<'_>]) -> Result<Outcome, String> {
    let settings = Settings { threads: 1, ..Settings::new(rule.clone()) };
    let protected = protect(census, &settings, earlier).map_err(|error| error.to_string())?;
    if !protected.unprotected.is_empty() {
        return if earlier.is_empty() { Err(format!("{:?} are not protected", protected.unprotected)) } else { Ok(Outcome::Refused) };
    }
    let effort = Effort { threads: 1, ..Effort::default() };
    let report = audit(census, &protected.statuses, &protected.proof, rule, &effort, earlier).map_err(|error| error.to_string())?;
    if !report.is_clean() {
        return Err(format!("the audit finds {:?} {:?}", report.faults, report.examples));
    }
    Ok(Outcome::Protected { statuses: protected.statuses, proof: protected.proof })
}
