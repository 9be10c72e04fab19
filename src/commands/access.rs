//! `cacah access`

use std::{collections::BTreeSet, fs, io::Read as _, path::Path};

use anyhow::{Context as _, Result, bail};
use chrono::Utc;

use super::say::say;
use crate::{
    access::{Access, Handover, Institution, Request, Role, Standing, User},
    cli::{AccessAction, AccessArgs, ChangeUserArgs, InstitutionArgs, RequestArgs},
    register::{Dimension, Role as DimensionRole},
    release::Catalogue,
    storage::Store,
};

/// Runs the command.
pub async fn access(args: AccessArgs) -> Result<()> {
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
            for user in access.request_users(&desk.requests(given).await?, by, now)? {
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
    dimension: Dimension,
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
        Ok((Regions { dimension: dimension.clone(), root }, tables))
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

    async fn requests(&self, given: RequestArgs) -> Result<Vec<Request>> {
        let regions = self.regions().await?;
        let requests = match &given.file {
            Some(file) => read_requests(file)?,
            None => {
                let identity = match given.identity.as_deref() {
                    Some("-") => {
                        let mut text = String::new();
                        std::io::stdin().take(100).read_to_string(&mut text).context("reading the identity number")?;
                        Some(text.trim().to_owned())
                    }
                    other => other.map(str::to_owned),
                };
                vec![Request {
                    institution: given.institution.unwrap_or_default(),
                    region: given.region,
                    role: given.role,
                    employee_number: given.employee_number.unwrap_or_default(),
                    name: given.name.unwrap_or_default(),
                    position: given.position.unwrap_or_default(),
                    local_id: given.local_id.unwrap_or_default(),
                    identity,
                }]
            }
        };
        let faults: Vec<String> = requests
            .iter()
            .enumerate()
            .filter_map(|(at, request)| Some(format!("{}: {}", at + 1, regions.fault(request.region.as_deref()?)?)))
            .collect();
        if faults.is_empty() { Ok(requests) } else { bail!("{}", faults.join("\n")) }
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
    /// Why an office cannot be in a region. Offices are where the finest level is divided, not within its parts.
    fn fault(&self, code: &str) -> Option<String> {
        let Some(node) = self.dimension.nodes.iter().find(|node| node.code == code) else {
            return Some(format!("there is no region '{code}' in the newest release"));
        };
        let finest = self.dimension.finest();
        let level = &self.dimension.levels[usize::from(node.level)].id;
        (node.level >= finest).then(|| format!("region {code} is of level {level}; an office is of a coarser level"))
    }
}

/// Users from a file.
fn read_requests(file: &Path) -> Result<Vec<Request>> {
    const COLUMNS: [&str; 8] = ["institution", "region", "role", "employee_number", "name", "position", "local_id", "identity"];
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(file).with_context(|| format!("opening {}", file.display()))?;
    let headers = reader.headers().with_context(|| format!("reading {}", file.display()))?.clone();
    if let Some(unknown) = headers.iter().find(|name| !COLUMNS.contains(name)) {
        bail!("{}:1: there is no column '{unknown}'; expected {}", file.display(), COLUMNS.join(", "));
    }
    let place = |name: &str| headers.iter().position(|header| header == name);
    if let Some(missing) =
        COLUMNS.iter().filter(|name| !matches!(**name, "region" | "role" | "identity")).find(|name| place(name).is_none())
    {
        bail!("{}:1: column '{missing}' is missing", file.display());
    }
    let (mut requests, mut faults) = (Vec::new(), Vec::new());
    for (at, record) in reader.records().enumerate() {
        let line = at + 2;
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                faults.push(format!("{}:{line}: {error}", file.display()));
                continue;
            }
        };
        let get = |name: &str| place(name).and_then(|at| record.get(at)).unwrap_or("").to_owned();
        let given = |name: &str| Some(get(name)).filter(|text| !text.is_empty());
        let role = given("role").map_or(Ok(Role::Reader), |role| role.parse());
        match role {
            Ok(role) => requests.push(Request {
                institution: get("institution"),
                region: given("region"),
                role,
                employee_number: get("employee_number"),
                name: get("name"),
                position: get("position"),
                local_id: get("local_id"),
                identity: given("identity"),
            }),
            Err(error) => faults.push(format!("{}:{line}: {error}", file.display())),
        }
    }
    if faults.is_empty() { Ok(requests) } else { bail!("{}", faults.join("\n")) }
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
            let mut institutions = Vec::new();
            for record in records {
                institutions.push(access.institution(&record.user.request.institution)?);
            }
            fs::write(file, super::handover::page(records, &institutions).into_string())
                .with_context(|| format!("writing {}", file.display()))?;
            say!("{} handover records in {}", records.len(), file.display());
        }
    }
    Ok(())
}
