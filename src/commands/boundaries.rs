//! `cacah boundaries`

use anyhow::{Context, Result, anyhow};

use super::{Releases, open_releases, say::say};
use crate::{charts::Boundaries, cli::BoundariesAdd, register::Role};

/// Codes that are named when there are more of them.
const NAMED: usize = 8;

/// Installs a file of outlines beside the releases, and tells what matched.
pub async fn add_boundaries(args: BoundariesAdd) -> Result<()> {
    let text = std::fs::read_to_string(&args.file).with_context(|| format!("reading {}", args.file.display()))?;
    let name = args.file.file_name().and_then(|name| name.to_str()).and_then(|name| name.split('.').next()).unwrap_or("");
    let sound = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !sound {
        return Err(anyhow!("'{}' has a name that cannot be kept; rename it to letters, digits, '-' and '_'", args.file.display()));
    }
    let Releases { store, library, .. } = open_releases(&args.releases).await?;
    let region = library.dimensions.iter().find(|dimension| dimension.role == Role::Geo);
    let region = region.ok_or_else(|| anyhow!("the releases have no regions"))?;
    let (boundaries, matched) = Boundaries::parse(&text, &args.file.display().to_string(), region)?;
    boundaries.install(&store, name).await?;
    say!("{} regions have an outline now", matched.matched);
    told("no region has the code", &matched.unknown);
    told("no outline is there for", &matched.missing);
    Ok(())
}

/// Tells of codes, some of them by name.
fn told(what: &str, codes: &[String]) {
    if codes.is_empty() {
        return;
    }
    let some = codes.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = codes.len().saturating_sub(NAMED);
    if more > 0 {
        say!("{what} {some} and {more} more");
    } else {
        say!("{what} {some}");
    }
}
