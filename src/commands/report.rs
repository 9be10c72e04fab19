//! `cacah report`

use std::fs;

use anyhow::{Context as _, Result, bail};
use chrono::{Days, Utc};

use super::{access::user_of_this_machine, say::say};
use crate::{
    access::{Access, Duty, Search, begin_of, office_time},
    cli::{ReportAction, ReportArgs, UsageArgs},
    usage::{Sheet, Thresholds, Usage, duty_text, hints},
    words::Tongue,
};

/// Days that are looked back for hints, if nobody says otherwise.
const BACK: u64 = 7;

/// Runs the command.
pub fn report(args: ReportArgs) -> Result<()> {
    let access = Access::existing(&args.database)?;
    let now = Utc::now();
    match args.action {
        ReportAction::Usage(wanted) => usage(&access, &wanted)?,
        ReportAction::File { institution, period, note } => {
            access.file_report(&institution, period, &note, &args.by.unwrap_or_else(user_of_this_machine), now)?;
            say!("report of {institution} for {period} filed");
        }
        ReportAction::Duties { period, overdue } => {
            let filed = access.reports(period)?;
            for institution in access.institutions()? {
                let duty = institution.duty(period, &filed, now);
                if !overdue || matches!(duty, Duty::Overdue(_)) {
                    say!("{:<12} {:<40} {}", institution.code, duty_text(&duty, Tongue::English), institution.name);
                }
            }
        }
        ReportAction::Hints { since, burst, crawl, night, refusals } => {
            let since = since.unwrap_or(office_time(now).date() - Days::new(BACK));
            let search = Search { since: Some(begin_of(since)), ..Search::default() };
            for hint in hints(&access, &search, Thresholds { burst, crawl, night, refusals })? {
                say!("{}  {:<22} {:<12} {:<10} {}", hint.day, hint.who, hint.institution, hint.oddity.id(), hint.count);
            }
        }
    }
    Ok(())
}

fn usage(access: &Access, wanted: &UsageArgs) -> Result<()> {
    let usage = Usage::gather(access, wanted.period, wanted.institution.as_deref(), Utc::now())?;
    let tongue = if wanted.lang == "en" { Tongue::English } else { Tongue::Indonesian };
    let Some(out) = &wanted.out else {
        say!("{}", usage.title(tongue));
        usage.sheets(tongue).iter().filter(|sheet| !sheet.rows.is_empty()).for_each(show);
        return Ok(());
    };
    let written = match out.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => usage.csv()?,
        Some("xlsx") => usage.workbook(tongue)?,
        _ => bail!("{}: expected a file that ends in .csv or .xlsx", out.display()),
    };
    fs::write(out, written).with_context(|| format!("writing {}", out.display()))?;
    say!("{} in {}", usage.title(tongue), out.display());
    Ok(())
}

/// A table at the terminal, its columns as wide as what stands in them.
fn show(sheet: &Sheet) {
    let rows: Vec<Vec<String>> = std::iter::once(sheet.columns.iter().map(|&column| column.to_owned()).collect())
        .chain(sheet.rows.iter().map(|row| row.iter().map(crate::usage::Item::plain).collect()))
        .collect();
    let widths: Vec<usize> = (0..sheet.columns.len()).map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0)).collect();
    say!("\n{}", sheet.name);
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(text, &width)| format!("{text:<width$}")).collect();
        say!("{}", cells.join("  ").trim_end());
    }
}
