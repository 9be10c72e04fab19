//! The port for clients of PostgreSQL.

use std::{net::SocketAddr, process::Command};

use cacah::{
    error::Error,
    serve::{Application, ServeSettings},
    storage::Store,
};

use super::{asked, wire::Wire};
use crate::http::{settings, world::World};

#[test]
fn statements_are_answered() {
    let mut wire = Wire::connect(asked().port);
    assert!(wire.value("SELECT version()").starts_with("PostgreSQL 16"));
    assert_eq!(wire.value("SELECT current_schema()"), "cacah");
    assert_eq!(wire.value("SHOW transaction_isolation"), "read committed");
    assert_eq!(wire.value("SHOW TRANSACTION ISOLATION LEVEL"), "read committed");
    assert_eq!(wire.value("SELECT count(*) FROM dim_sex"), "3");
    let heard = wire.ask("SELECT status FROM people WHERE sex = 'L' AND age = 'O' LIMIT 1");
    assert_eq!(heard.rows, [[Some("z".to_owned())]]);
    assert!(wire.ask("").rows.is_empty());
    assert!(wire.ask("SET application_name = 'test'; BEGIN; COMMIT").error.is_none());
    assert_eq!(wire.value("SHOW application_name"), "test");
}

#[test]
fn prepared_statements_take_values() {
    let mut wire = Wire::connect(asked().port);
    let text = "SELECT region, value FROM people WHERE region = $1 AND period = $2 AND sex = 'T' AND age = 'T'";
    let heard = wire.ask_with(text, &["11", "2024-S1"]);
    let truth = asked().world.truth("2024-S1", "people", &[("Region", "11")]).unwrap();
    assert_eq!(heard.rows, [[Some("11".to_owned()), Some(truth.to_string())]], "{heard:?}");
    assert!(wire.ask_with(text, &["x' OR '1'='1", "2024-S1"]).rows.is_empty());
    let few = wire.ask_with(text, &["11"]).error.unwrap();
    assert_eq!(few.0, "08P01", "{few:?}");
    assert_eq!(
        wire.ask_with("SELECT count(*) FROM people WHERE value > $1 AND region = 'TOY'", &["1000000"]).rows,
        [[Some("0".to_owned())]]
    );
    assert_eq!(wire.value("SELECT 1"), "1");
}

#[test]
fn a_failed_transaction_waits_for_its_end() {
    let mut wire = Wire::connect(asked().port);
    wire.ask("BEGIN");
    assert_eq!(wire.ask("SELECT nothing FROM people").error.unwrap().0, "42703");
    assert_eq!(wire.ask("SELECT 1").error.unwrap().0, "25P02");
    assert_eq!(wire.ask_with("SELECT 1", &[]).error.unwrap().0, "25P02");
    assert!(wire.ask("ROLLBACK").error.is_none());
    assert_eq!(wire.value("SELECT 1"), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_this_machine_may_ask() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_str().unwrap()).unwrap();
    World::new().publish(&store).await;
    let everywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
    match Application::build(&store, &ServeSettings { postgres: Some(everywhere), ..settings() }).await {
        Err(Error::Conflict(said)) => assert!(said.contains("loopback") && said.contains("0.0.0.0"), "{said}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("0.0.0.0 is taken"),
    }
}

/// psql itself, where there is one.
#[test]
fn psql_shows_tables() {
    let Ok(output) = Command::new("psql").arg("--version").output() else { return };
    assert!(output.status.success());
    let port = asked().port.port().to_string();
    for (command, wanted) in
        [(r"\dt", "people"), (r"\d people", "region_label_en"), ("SELECT count(*) FROM dim_sex", "3"), (r"\dn", "cacah")]
    {
        let output =
            Command::new("psql").args(["-h", "127.0.0.1", "-p", &port, "-U", "cacah", "cacah", "-X", "-c", command]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains(wanted), "{command}: {said} {}", String::from_utf8_lossy(&output.stderr));
    }
}
