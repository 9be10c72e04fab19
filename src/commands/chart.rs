//! `cacah chart`

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::{Context as _, Result, anyhow, bail};

use super::{Releases, files_in, open_releases, say::say};
use crate::{
    charts::{
        self, Boundaries, CHART_KINDS, ChartKind, PICTURE_FORMATS, Picture, PictureFormat, Rows, Wishes, picture, picture_of_rows, plan,
        provenance,
    },
    cli::Chart,
    engine::{ServingEngine, SqlSettings},
    formats::{Context, address},
    sql::Sql,
    tables::{Library, Request, Selection, listed},
    words::Tongue,
};

/// Where the service offers the same numbers.
const BASE: &str = "/api/v2";

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
    let scale = wishes.scale;
    let boundaries = Arc::new(Boundaries::load(&store).await?);
    let own = own_address(&args, kind, format, &library.register.languages[language].id);
    let found = Found { library, engine, boundaries, language, own };
    let drawn = match &args.query {
        Some(name) => found.of_query(name, &args, kind, &wishes).await?,
        None => found.of_table(args.table.as_deref().unwrap_or(""), &args, kind, wishes).await?,
    };
    drawn.fits(format, scale).map_err(|message| anyhow!("{}", message.text(Tongue::English)))?;
    let bytes = drawn.write(format, scale)?;
    std::fs::write(&args.out, &bytes).with_context(|| format!("writing {}", args.out.display()))?;
    say!("{}: {} ({} kB)", args.out.display(), drawn.title, bytes.len().div_ceil(1000));
    Ok(())
}

/// What charts are drawn from.
struct Found {
    library: Arc<Library>,
    engine: Arc<ServingEngine>,
    boundaries: Arc<Boundaries>,
    language: usize,
    /// The address at which the service draws the same picture.
    own: String,
}

impl Found {
    async fn of_table(self, table: &str, args: &Chart, kind: ChartKind, wishes: Wishes) -> Result<Picture> {
        let Self { library, engine, boundaries, language, own } = self;
        let Some(table) = library.tables.iter().position(|entry| entry.table.id.eq_ignore_ascii_case(table)) else {
            let there: Vec<&str> = library.tables.iter().map(|entry| entry.table.id.as_str()).collect();
            bail!("there is no table '{table}'; there is {}", there.join(", "));
        };
        let plan = plan(&library, table, kind, &request(args), &wishes.options)
            .map_err(|error| anyhow!("{}", error.detail.text(Tongue::English)))?;
        let context = Context { library: Arc::clone(&library), language, base: BASE.to_owned() };
        let address = address(&context, &plan.query, "csv").unwrap_or_else(|| format!("{BASE}/tables/{}", library.tables[table].table.id));
        let provenance = provenance(&library, language, own, address, plan.query.releases.iter().copied());
        let drawing = picture(Arc::clone(&library), Arc::clone(&engine), plan, wishes, language, boundaries, provenance);
        engine.compute(drawing).await?.map_err(|error| anyhow!("{}", error.detail.text(Tongue::English)))
    }

    async fn of_query(self, name: &str, args: &Chart, kind: ChartKind, wishes: &Wishes) -> Result<Picture> {
        let Self { library, engine, boundaries, language, own } = self;
        let sql = Sql::open(&library, &engine, &files_in(args.queries.as_deref())?, SqlSettings::default()).await?;
        let Some(query) = sql.query(name) else {
            let there: Vec<&str> = sql.queries().iter().map(|query| query.name.as_str()).collect();
            bail!("there is no query '{name}'; there is {}", there.join(", "));
        };
        let pairs: Vec<(&str, &str)> = args.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let bound = sql.bind(query, language, &pairs).map_err(|error| anyhow!("--param: {}", error.detail.text(Tongue::English)))?;
        let given = bound.given.clone();
        let (_, batches) = sql.run(bound).await?.collect().await?;
        let address = format!("{BASE}/{}", query.address(&given));
        let provenance = provenance(&library, language, own, address, 0..library.releases.len());
        let rows = Rows { library: &library, query, given: &given, language, batches: &batches, boundaries: &boundaries };
        picture_of_rows(&rows, kind, &args.columns, wishes, provenance)?.map_err(|refused| anyhow!("{}", refused.text(Tongue::English)))
    }
}

/// The address of a picture, as the service understands it.
fn own_address(args: &Chart, kind: ChartKind, format: PictureFormat, language: &str) -> String {
    let mut pairs = vec![("lang".to_owned(), language.to_owned()), ("columns".to_owned(), args.columns.join(","))];
    pairs.extend(args.table.iter().map(|table| ("table".to_owned(), table.clone())));
    pairs.extend(args.query.iter().map(|query| ("query".to_owned(), query.clone())));
    pairs.extend(args.select.iter().map(|(variable, codes)| (format!("valueCodes[{variable}]"), codes.clone())));
    pairs.extend(args.codelists.iter().map(|(variable, list)| (format!("codelist[{variable}]"), list.clone())));
    pairs.extend(args.parameters.iter().cloned());
    // Of what is wished twice the last holds.
    let wished: BTreeMap<String, &String> = args.with.iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    pairs.extend(wished.into_iter().map(|(name, value)| (name, value.clone())));
    charts::address(kind, format, pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
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
