//! `cacah chart`

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result, anyhow, bail};

use super::{Releases, open_releases, say::say};
use crate::{
    charts::{Boundaries, CHART_KINDS, ChartKind, PICTURE_FORMATS, PictureFormat, Provenance, Wishes, picture, plan},
    cli::Chart,
    formats::{Context, address},
    tables::{Request, Selection, listed},
    words::Tongue,
};

/// Draws a chart into a file.
pub async fn chart(args: Chart) -> Result<()> {
    let kind =
        ChartKind::parse(&args.kind).ok_or_else(|| anyhow!("there is no chart '{}'; there is {}", args.kind, CHART_KINDS.join(", ")))?;
    let format = format_of(&args.out)?;
    let wishes =
        Wishes::parse(|name| args.with.iter().rev().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()))
            .map_err(|message| anyhow!("--with: {}", message.text(Tongue::English)))?;
    let Releases { store, engine, library } = open_releases(&args.releases).await?;
    let language = library.language(args.lang.as_deref()).ok_or_else(|| {
        let there: Vec<&str> = library.register.languages.iter().map(|language| language.id.as_str()).collect();
        anyhow!("there is no language '{}'; there is {}", args.lang.as_deref().unwrap_or(""), there.join(", "))
    })?;
    let Some(table) = library.tables.iter().position(|entry| entry.table.id.eq_ignore_ascii_case(&args.table)) else {
        let there: Vec<&str> = library.tables.iter().map(|entry| entry.table.id.as_str()).collect();
        bail!("there is no table '{}'; there is {}", args.table, there.join(", "));
    };
    let plan =
        plan(&library, table, kind, &request(&args), &wishes.options).map_err(|error| anyhow!("{}", error.detail.text(Tongue::English)))?;
    let context = Context { library: Arc::clone(&library), language, base: "/api/v2".to_owned() };
    let address = address(&context, &plan.query, "csv").unwrap_or_default();
    let provenance = Provenance::new(&library, language, address, plan.query.releases.iter().copied());
    let boundaries = Arc::new(Boundaries::load(&store).await?);
    let scale = wishes.scale;
    let drawing = picture(Arc::clone(&library), Arc::clone(&engine), plan, wishes, language, boundaries, provenance);
    let drawn = engine.compute(drawing).await?.map_err(|error| anyhow!("{}", error.detail.text(Tongue::English)))?;
    drawn.fits(format, scale).map_err(|message| anyhow!("{}", message.text(Tongue::English)))?;
    let bytes = drawn.write(format, scale)?;
    std::fs::write(&args.out, &bytes).with_context(|| format!("writing {}", args.out.display()))?;
    say!("{}: {} ({} kB)", args.out.display(), drawn.title, bytes.len().div_ceil(1000));
    Ok(())
}

/// The format that a file name asks for.
fn format_of(file: &Path) -> Result<PictureFormat> {
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or("");
    PictureFormat::parse(ending)
        .ok_or_else(|| anyhow!("'{}' ends in no format of pictures; expected one of {}", file.display(), PICTURE_FORMATS.join(", ")))
}

/// What the arguments choose.
fn request(args: &Chart) -> Request {
    let one = |(variable, codes): &(String, String)| Selection { variable: variable.clone(), codelist: None, values: listed(codes) };
    let list =
        |(variable, list): &(String, String)| Selection { variable: variable.clone(), codelist: Some(list.clone()), values: Vec::new() };
    Request { selections: args.select.iter().map(one).chain(args.codelists.iter().map(list)).collect(), ..Request::default() }
}
