//! `cacah access`

use std::{collections::BTreeSet, fs, io::Read as _, path::Path, sync::Arc};

use anyhow::{Context as _, Result, bail};
use chrono::Utc;

use super::say::say;
use crate::{
    access::{Access, Handover, Institution, Listed, Request, Standing, User, handover_page, office_fault, read_requests},
    cli::{AccessAction, AccessArgs, ChangeUserArgs, InstitutionArgs, RequestArgs},
    register::{Dimension, Role as DimensionRole},
    release::Catalogue,
    storage::Store,
};

/// Runs the command.
pub async fn access(args: AccessArgs) -> Result<()> {
    if let AccessAction::Restore { folder, replace } = &args.action {
        return restore(folder, *replace, &args);
    }
    let desk = Desk { access: Access::open(&args.database)?, by: args.by.unwrap_or_else(user_of_this_machine), releases: args.releases };
    let (access, by, now) = (&desk.access, desk.by.as_str(), Utc::now());
    match args.action {
        AccessAction::Institutions => list_institutions(access)?,
        AccessAction::AddInstitution(given) => {
            let institution = desk.institution(&given).await?;
            access.add_institution(&institution, by, &given.reason, now)?;
            say!("{} added", institution.code);
        }
        AccessAction::ChangeInstitution(given) => {
            let institution = Institution { standing: access.institution(&given.code)?.standing, ..desk.institution(&given).await? };
            access.change_institution(&institution, by, &given.reason, now)?;
            say!("{} changed", institution.code);
        }
        AccessAction::SuspendInstitution(given) => {
            access.put_institution(&given.name, Standing::Suspended, given.until, by, &given.reason, now)?;
            say!("{} suspended", given.name);
        }
        AccessAction::ReactivateInstitution(given) => {
            access.put_institution(&given.name, Standing::Active, None, by, &given.reason, now)?;
            say!("{} reactivated", given.name);
        }
        AccessAction::EndInstitution(given) => {
            access.put_institution(&given.name, Standing::Ended, None, by, &given.reason, now)?;
            say!("{} ended", given.name);
        }
        AccessAction::Users { institution } => list_users(&access.users(institution.as_deref())?),
        AccessAction::Request(given) => {
            let (requests, regions) = (requests(given)?, desk.regions().await?);
            for user in access.request_users(&requests, &|code| regions.fault(code), by, now)? {
                say!("{} {} requested", user.called(), user.request.name);
            }
        }
        AccessAction::Approve { users, handover, reason } => {
            let root = desk.regions().await?.root;
            let mut records = Vec::new();
            for name in &users {
                records.push(access.approve(name, &root, by, &reason, now)?);
            }
            hand_over(access, &records, handover.as_deref())?;
        }
        AccessAction::ChangeUser(given) => {
            let user = desk.changed(&given).await?;
            let user = access.change_user(&given.name, &user, by, &given.reason, now)?;
            say!("{} changed", user.called());
        }
        AccessAction::ResetPassword(given) => {
            let record = access.reset_password(&given.name, by, &given.reason, now)?;
            hand_over(access, &[record], None)?;
        }
        AccessAction::Suspend(given) => {
            access.suspend(&given.name, given.until, by, &given.reason, now)?;
            say!("{} suspended", given.name);
        }
        AccessAction::Reactivate(given) => {
            access.reactivate(&given.name, by, &given.reason, now)?;
            say!("{} reactivated", given.name);
        }
        AccessAction::Remove(given) => {
            access.remove(&given.name, by, &given.reason, now)?;
            say!("{} removed", given.name);
        }
        AccessAction::Keys { user } => {
            for key in access.keys(user.as_deref())? {
                let state = if key.revoked { "revoked" } else { "" };
                say!("{:<20} {:<24} ends {} {state}", key.user_id, key.name, key.ends.format("%Y-%m-%d"));
            }
        }
        AccessAction::AddKey { user, name, days } => {
            let (key, secret) = access.add_key(&user, &name, days, by, now)?;
            say!("{secret}");
            say!(
                "key '{}' of {} holds until {}; it is shown this once and kept nowhere",
                key.name,
                key.user_id,
                key.ends.format("%Y-%m-%d")
            );
        }
        AccessAction::RevokeKey { user, name, reason } => {
            access.revoke_key(&user, &name, by, &reason, now)?;
            say!("key '{name}' of {user} revoked");
        }
        AccessAction::FourEyes { state, reason } => {
            access.set_four_eyes(state == "on", by, &reason, now)?;
            say!("four eyes: {state}");
        }
        AccessAction::SecondFactor { state, reason } => {
            access.set_second_factor(state == "on", by, &reason, now)?;
            say!("second factor for administrators: {state}");
        }
        AccessAction::Backup { folder } => {
            let backup = access.back_up(&folder, now)?;
            say!("{} files in {}: database, key and log", backup.files(), folder.display());
        }
        AccessAction::Restore { .. } => unreachable!("it needs no database and was done before"),
        AccessAction::Changes { user, institution, most } => {
            let subject = user.as_deref().map(|user| ("user", user)).or_else(|| institution.as_deref().map(|code| ("institution", code)));
            for change in access.changes(subject, most)? {
                let until = change.until.map_or_else(String::new, |until| format!(" until {until}"));
                let why = if change.reason.is_empty() { String::new() } else { format!(": {}", change.reason) };
                say!("{}  {:<16} {:<20} {}{until}{why}", change.at.format("%Y-%m-%d %H:%M:%S"), change.by, change.subject_id, change.what);
            }
        }
    }
    Ok(())
}

fn restore(folder: &Path, replace: bool, args: &AccessArgs) -> Result<()> {
    let by = args.by.clone().unwrap_or_else(user_of_this_machine);
    let (access, backup) = Access::restore(folder, &args.database, replace, &by, Utc::now())?;
    say!("{} restored as it was on {} UTC; all sessions have ended", access.path().display(), backup.at.format("%Y-%m-%d %H:%M"));
    if !access.has_log()? {
        return Ok(());
    }
    let found = access.verify_log()?;
    say!("the log has {} records, all as they were written", found.records);
    say!("what was changed since is not in it: look whether keys were revoked or users suspended after that time");
    Ok(())
}

/// Who sits at the terminal.
pub fn user_of_this_machine() -> String {
    let name = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()).filter(|name| !name.is_empty());
    format!("terminal:{}", name.as_deref().unwrap_or("unknown"))
}

/// A place to administer from.
struct Desk {
    access: Access,
    by: String,
    releases: String,
}

/// The regions of the newest release.
struct Regions {
    dimension: Arc<Dimension>,
    root: String,
}

impl Desk {
    async fn newest(&self) -> Result<(Regions, BTreeSet<String>)> {
        let catalogue = Catalogue::open(&Store::open(&self.releases)?).await?;
        let Some(newest) = catalogue.releases().last() else {
            bail!("{} holds no release; publish one, or name another store with --releases", self.releases);
        };
        let Some(dimension) = newest.dimensions.iter().find(|dimension| dimension.role == DimensionRole::Geo) else {
            bail!("{}: the newest release has no regions", self.releases);
        };
        let root = dimension.nodes.first().map(|node| node.code.clone()).unwrap_or_default();
        let tables = newest.edition.manifest.tables.iter().map(|table| table.table.id.clone()).collect();
        Ok((Regions { dimension: Arc::clone(dimension), root }, tables))
    }

    async fn regions(&self) -> Result<Regions> {
        Ok(self.newest().await?.0)
    }

    async fn institution(&self, given: &InstitutionArgs) -> Result<Institution> {
        let tables: BTreeSet<String> = given.tables.iter().map(|table| table.trim().to_owned()).filter(|table| !table.is_empty()).collect();
        if !tables.is_empty() {
            let there = self.newest().await?.1;
            if let Some(unknown) = tables.difference(&there).next() {
                bail!("there is no table '{unknown}'; there is {}", there.iter().map(String::as_str).collect::<Vec<_>>().join(", "));
            }
        }
        Ok(Institution {
            code: given.code.clone(),
            name: given.name.clone(),
            kind: given.kind,
            agreement: given.agreement.clone(),
            valid_from: given.from,
            valid_to: given.to,
            reports: !given.no_report,
            tables: (!tables.is_empty()).then_some(tables),
            standing: Standing::Active,
            until: None,
        })
    }

    async fn changed(&self, given: &ChangeUserArgs) -> Result<Request> {
        let mut request = self.access.user(&given.name)?.request;
        match given.region.as_deref() {
            None => {}
            Some("*") => request.region = None,
            Some(code) => {
                if let Some(fault) = self.regions().await?.fault(code) {
                    bail!("{fault}");
                }
                request.region = Some(code.to_owned());
            }
        }
        request.role = given.role.unwrap_or(request.role);
        for (field, new) in [(&mut request.position, &given.position), (&mut request.local_id, &given.local_id)] {
            if let Some(new) = new {
                field.clone_from(new);
            }
        }
        Ok(request)
    }
}

impl Regions {
    fn fault(&self, code: &str) -> Option<String> {
        let node = self.dimension.nodes.iter().find(|node| node.code == code);
        let level = node.map(|node| (node.level, self.dimension.levels[usize::from(node.level)].id.as_str()));
        office_fault(code, level, self.dimension.finest())
    }
}

/// Who is asked for, at the terminal or in a file.
fn requests(given: RequestArgs) -> Result<Vec<Listed>> {
    if let Some(file) = &given.file {
        let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        return read_requests(&bytes).with_context(|| file.display().to_string());
    }
    let identity = match given.identity.as_deref() {
        Some("-") => {
            let mut text = String::new();
            std::io::stdin().take(100).read_to_string(&mut text).context("reading the identity number")?;
            Some(text.trim().to_owned())
        }
        other => other.map(str::to_owned),
    };
    let request = Request {
        institution: given.institution.unwrap_or_default(),
        region: given.region,
        role: given.role,
        employee_number: given.employee_number.unwrap_or_default(),
        name: given.name.unwrap_or_default(),
        position: given.position.unwrap_or_default(),
        local_id: given.local_id.unwrap_or_default(),
        identity,
    };
    Ok(vec![Listed { line: None, request }])
}

fn list_institutions(access: &Access) -> Result<()> {
    for institution in access.institutions()? {
        let until = institution.until.map_or_else(String::new, |until| format!(" until {until}"));
        let tables =
            institution.tables.map_or_else(|| "every table".to_owned(), |tables| tables.into_iter().collect::<Vec<_>>().join(", "));
        say!(
            "{:<12} {:<10}{until} {} {} to {}  {} ({tables})",
            institution.code,
            institution.standing.word(),
            institution.agreement,
            institution.valid_from,
            institution.valid_to,
            institution.name
        );
    }
    Ok(())
}

fn list_users(users: &[User]) {
    for user in users {
        let until = user.until.map_or_else(String::new, |until| format!(" until {until}"));
        let request = &user.request;
        say!(
            "{:<22} {:<10}{until} {:<13} {:<10} {}, {}",
            user.called(),
            user.state.word(),
            request.role.word(),
            request.region.as_deref().unwrap_or("all"),
            request.name,
            request.position
        );
    }
}

/// Shows one-time passwords, or writes them onto pages to be signed.
fn hand_over(access: &Access, records: &[Handover], file: Option<&Path>) -> Result<()> {
    match file {
        None => {
            for record in records {
                say!("{}  {}  to be used once, by {}", record.user.called(), record.password, record.until);
            }
        }
        Some(file) => {
            let mut papers = Vec::new();
            for record in records {
                papers.push((record.clone(), access.institution(&record.user.request.institution)?));
            }
            fs::write(file, handover_page(&papers).into_string()).with_context(|| format!("writing {}", file.display()))?;
            say!("{} handover records in {}", records.len(), file.display());
        }
    }
    Ok(())
}
