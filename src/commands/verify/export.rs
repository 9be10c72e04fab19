//! `cacah verify FILE`: from which release an exported file comes, and whether its numbers are the released ones.
//!
//! The file is made again by the service itself, which is started for that on this machine alone, from the address that stands in the file. The bytes are
//! the same where the same version of the program made it of the same releases; otherwise the numbers are compared.

use std::{net::Ipv4Addr, path::PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use bytes::Bytes;
use serde::Serialize;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
};

use super::{
    super::{files_in, say::say},
    numbers::numbers,
};
use crate::{
    cli::Verify,
    release::{Exported, NamedRelease, Provenance, Signature, Signed, StoredRelease, Trust, list_stored, read_export},
    serve::{Application, ServeSettings},
    storage::Store,
    tables::Scope,
};

/// What came of checking a file.
#[derive(Debug, Serialize)]
struct Report {
    file: String,
    format: &'static str,
    /// Version of the program that made it.
    made_by: String,
    releases: Vec<Named>,
    /// Whether no byte was changed since it was made, as far as the file itself tells.
    whole: bool,
    /// What came of comparing it with the releases.
    numbers: Comparison,
    sound: bool,
    faults: Vec<String>,
    notes: Vec<String>,
}

/// A release that a file names.
#[derive(Debug, Serialize)]
struct Named {
    release: String,
    sha256: String,
    /// Id of the trusted key that signed it.
    signed_by: Option<String>,
}

/// How the numbers of a file compare with those of the releases that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Comparison {
    NotCompared,
    /// The whole file is what the releases give, byte for byte.
    SameFile,
    SameNumbers,
    Other,
}

/// Runs `cacah verify FILE`.
pub async fn verify(args: &Verify, trust: &Trust) -> Result<()> {
    let content = Bytes::from(std::fs::read(&args.what).with_context(|| format!("reading {}", args.what))?);
    let exported = read_export(&content).map_err(|problem| anyhow!("{} {problem}", args.what))?;
    let Exported { format, provenance, is_whole } = &exported;
    let mut report = Report {
        file: args.what.clone(),
        format: format.name(),
        made_by: provenance.cacah.clone(),
        releases: Vec::new(),
        whole: *is_whole,
        numbers: Comparison::NotCompared,
        sound: false,
        faults: Vec::new(),
        notes: Vec::new(),
    };
    if !is_whole {
        report.faults.push("was changed since it was made".into());
    }
    if provenance.releases.is_empty() {
        report.faults.push("names no release".into());
    }
    for release in &provenance.releases {
        let signed_by =
            signed_by(release, trust).map_err(|problem| report.faults.push(format!("names release {}, which {problem}", release.id)));
        report.releases.push(Named { release: release.id.clone(), sha256: release.sha256.clone(), signed_by: signed_by.ok() });
    }
    match &args.releases {
        Some(place) => report.compare(&Store::open(place)?, &exported, &content, args.queries.as_ref(), trust).await?,
        None => report.notes.push(
            "whether the numbers are those of the release was not checked: anybody can change a file and seal it anew; --releases names the store to \
             compare them with"
                .into(),
        ),
    }
    report.sound = report.faults.is_empty();
    if args.json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        report.tell();
    }
    if !report.sound {
        bail!("{} {}", args.what, report.faults.join("; it "));
    }
    Ok(())
}

/// The trusted key that signed a release, by what a file says of it.
fn signed_by(release: &NamedRelease, trust: &Trust) -> Result<String, String> {
    let (Some(key), Some(signature)) = (&release.key, &release.signature) else { return Err("is not signed".into()) };
    let signature = Signature::ed25519(key, signature);
    signature.check(Signed::Manifest, &release.id, &release.sha256, trust)?;
    Ok(signature.key)
}

impl Report {
    fn tell(&self) {
        say!("{}: {}, made by cacah {}", self.file, self.format, self.made_by);
        for release in &self.releases {
            let signed_by =
                release.signed_by.as_ref().map_or_else(|| "NOT SIGNED by a trusted key".into(), |key| format!("signed by {key}"));
            say!("  of release {} ({}), {signed_by}", release.release, release.sha256);
        }
        say!("  {}", if self.whole { "no byte was changed since it was made" } else { "CHANGED since it was made" });
        match self.numbers {
            Comparison::NotCompared => {}
            Comparison::SameFile => say!("  byte for byte what the release gives"),
            Comparison::SameNumbers => say!("  its numbers are the released ones"),
            Comparison::Other => say!("  NOT what the release gives"),
        }
        for note in &self.notes {
            say!("note: {note}");
        }
    }

    /// Makes the file again from the releases that it names, and compares.
    async fn compare(
        &mut self,
        store: &Store,
        exported: &Exported,
        content: &Bytes,
        queries: Option<&PathBuf>,
        trust: &Trust,
    ) -> Result<()> {
        let provenance = &exported.provenance;
        let there = list_stored(store).await?;
        let mut named = Vec::new();
        for release in &provenance.releases {
            match there.iter().find(|stored| stored.sha256 == release.sha256 && stored.folder == release.id) {
                Some(stored) => named.push(stored),
                None => self.faults.push(format!("names release {} with a manifest that {store} does not hold", release.id)),
            }
        }
        if named.is_empty() || named.len() < provenance.releases.len() {
            return Ok(());
        }
        for stored in &named {
            if let Some(withdrawn) = &stored.withdrawal {
                let said = &withdrawn.withdrawal;
                self.faults.push(format!("is of release {}, which was withdrawn on {}: {}", stored.folder, said.date, said.reason));
            }
        }
        let is_in_force = |named: &&StoredRelease| {
            let newest =
                there.iter().filter(|other| other.manifest.period == named.manifest.period).map(|other| other.manifest.revision).max();
            named.withdrawal.is_none() && newest == Some(named.manifest.revision)
        };
        if let Some(superseded) = named.iter().find(|named| !is_in_force(named)).filter(|named| named.withdrawal.is_none()) {
            self.notes.push(format!("release {} is no longer in force: a correction has superseded it", superseded.folder));
        }
        let Some((origin, path)) = asked(&provenance.address) else {
            self.faults.push("holds no address by which it could be made again".into());
            return Ok(());
        };
        // As it was made, if all releases that are in force now were so then; else of those alone that it names.
        let digests: Vec<String> = named.iter().map(|named| named.sha256.clone()).collect();
        let states = if named.iter().all(is_in_force) { vec![None, Some(digests)] } else { vec![Some(digests)] };
        let mut refusal = None;
        for only in states {
            let settings = ServeSettings {
                address: (Ipv4Addr::LOCALHOST, 0).into(),
                public: Some(origin.to_owned()),
                open: Some(Scope::default()),
                most_cells: u64::MAX,
                refresh: None,
                queries: files_in(queries.map(PathBuf::as_path))?,
                trust: trust.clone(),
                only,
                verifies_when_asked: true,
                ..ServeSettings::default()
            };
            let again = match made(store, &settings, path).await? {
                Ok(again) => again,
                Err(refused) => {
                    refusal = Some(refused);
                    continue;
                }
            };
            if again == *content {
                self.numbers = Comparison::SameFile;
                return Ok(());
            }
            let (own, right) = (numbers(exported.format, content), numbers(exported.format, &again));
            self.numbers = match (own, right) {
                (Some(own), Some(right)) if own == right => Comparison::SameNumbers,
                _ => Comparison::Other,
            };
            if self.numbers == Comparison::SameNumbers {
                self.notes.push(said_of_texts(provenance));
                return Ok(());
            }
        }
        self.faults.push(match (self.numbers, refusal) {
            (Comparison::NotCompared, Some(refused)) => format!("cannot be made again: {refused}"),
            _ if numbers(exported.format, content).is_none() && provenance.cacah != env!("CARGO_PKG_VERSION") => format!(
                "was drawn by version {} of the program, and version {} draws it otherwise: compare it with that one",
                provenance.cacah,
                env!("CARGO_PKG_VERSION")
            ),
            _ => "is not what that release gives".into(),
        });
        Ok(())
    }
}

fn said_of_texts(provenance: &Provenance) -> String {
    if provenance.cacah == env!("CARGO_PKG_VERSION") {
        "the numbers are the same, not every byte: other releases or settings were behind it, or texts were changed".into()
    } else {
        format!("the numbers are the same, not every byte: version {} of the program made it", provenance.cacah)
    }
}

/// The beginning of an address by which a service calls itself, and what is asked of it.
fn asked(address: &str) -> Option<(&str, &str)> {
    if !address.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let at = ["/api/v2/tables/", "/api/v2/queries/", "/charts/"].into_iter().filter_map(|own| address.find(own)).min()?;
    Some(address.split_at(at))
}

/// What a service over a store answers to a request; the inner error is its refusal.
async fn made(store: &Store, settings: &ServeSettings, path: &str) -> Result<Result<Bytes, String>> {
    let application = Application::build(store, settings).await?;
    let address = application.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(application.run(async move {
        // Nobody may be left to send: that ends it too.
        let _ = stopped.await;
    }));
    let answer = async {
        let mut stream = TcpStream::connect(address).await?;
        // In this version of the protocol an answer ends with its connection.
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        std::io::Result::Ok(Bytes::from(answer))
    };
    let answer = answer.await.context("making the file again");
    drop(stop);
    running.await??;
    let answer = answer?;
    let end = memchr::memmem::find(&answer, b"\r\n\r\n").context("an answer without an end of its head")?;
    let (head, body) = (String::from_utf8_lossy(&answer[..end]).into_owned(), answer.slice(end + 4..));
    let status = head.split(' ').nth(1).unwrap_or("");
    Ok(if status == "200" { Ok(body) } else { Err(format!("{status} {}", String::from_utf8_lossy(&body[..body.len().min(500)]))) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let check = |address: &str, expect| assert_eq!(asked(address), expect, "{address}");
        check("http://a:1/api/v2/tables/x/data?a=b", Some(("http://a:1", "/api/v2/tables/x/data?a=b")));
        check("http://a/api/v2/queries/x/data?lang=en", Some(("http://a", "/api/v2/queries/x/data?lang=en")));
        check("/charts/map.svg?table=x", Some(("", "/charts/map.svg?table=x")));
        check("https://a/charts/map.svg?source=/api/v2/tables/", Some(("https://a", "/charts/map.svg?source=/api/v2/tables/")));
        for wrong in ["", "http://a/api/v2/savedqueries/x", "/charts/a b", "/charts/a\r\nHost: b"] {
            check(wrong, None);
        }
    }
}
