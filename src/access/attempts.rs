//! How often somebody may try to sign in, so that guessing is slow and nobody can lock another out.
//!
//! ```text
//! attempt ── counted, unless it has to wait ──> password and code looked at ── wrong: it stays counted
//!                                                                          └── right: the count of this network begins anew
//! ```
//!
//! Counts are kept for each account and network. After [`FREE`] wrong attempts from one network the next has to wait, each time twice as
//! long. All networks from which the account never signed in share a second count: once they have guessed [`FREE_IN_ALL`] times, those of
//! them that guessed wrong before wait for each other. What strangers do elsewhere therefore never keeps anybody waiting who comes from a
//! network of his own, or from a new one with the right password.
//!
//! An attempt is counted before it is looked at, in one transaction with the question whether it has to wait, so that however many come at
//! once, no more are looked at than may be. Whether there is such an account makes no difference to any of it.

use std::net::{IpAddr, Ipv6Addr};

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{Access, seconds};
use crate::error::Result;

/// Wrong attempts from one network that cost nothing; from then on each doubles the time until the next.
const FREE: i64 = 5;
/// Wrong attempts from all strange networks together that cost nothing.
const FREE_IN_ALL: i64 = 50;
/// Wrong attempts from a strange network that are looked at whatever others have done.
const FIRST: i64 = 2;
/// Seconds of the first wait.
const WAIT: i64 = 30;
/// Seconds of the longest wait: of a strange network, of one from which the account has signed in, and for all strange ones together.
const LONGEST: i64 = 3600;
const LONGEST_FAMILIAR: i64 = 60;
const LONGEST_IN_ALL: i64 = 900;
/// Seconds after which wrong attempts are forgotten, if no other has come, and after which a network is strange again.
const FORGOTTEN: i64 = 24 * 3600;
const STRANGE: i64 = 90 * 24 * 3600;
/// Counts that are kept at most, and networks that are familiar for one account. The oldest go first.
const MOST: i64 = 100_000;
const MOST_FAMILIAR: i64 = 20;
/// Stands for all strange networks together.
const ALL: &[u8] = b"";

/// An attempt that was counted as wrong, until it turns out not to be.
pub(super) struct Counted {
    account: Vec<u8>,
    network: Vec<u8>,
    is_familiar: bool,
    at: i64,
}

/// Seconds after which the next attempt is looked at, after so many wrong ones.
fn wait(failures: i64, free: i64, longest: i64) -> i64 {
    match failures - free {
        ..0 => 0,
        beyond => WAIT.saturating_mul(1 << beyond.min(20)).min(longest),
    }
}

/// The client behind an address: with IPv6 everybody has a whole network of them.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// Where somebody comes from. What is tried at the machine itself comes from no network.
fn origin(from: Option<IpAddr>) -> String {
    from.map_or_else(|| "this machine".to_owned(), |address| network(address).to_string())
}

/// Wrong attempts of an account from a network, and until when it waits.
fn known(transaction: &Transaction<'_>, account: &[u8], network: &[u8]) -> rusqlite::Result<(i64, i64)> {
    let sql = "SELECT failures, until FROM attempt WHERE account = ?1 AND network = ?2";
    let found = transaction.prepare_cached(sql)?.query_row(params![account, network], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(found.optional()?.unwrap_or_default())
}

fn keep(transaction: &Transaction<'_>, account: &[u8], network: &[u8], failures: i64, until: i64, at: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO attempt (account, network, failures, until, last) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (account, network) DO UPDATE SET failures = ?3, until = ?4, last = ?5";
    transaction.prepare_cached(sql)?.execute(params![account, network, failures, until, at])?;
    Ok(())
}

impl Access {
    /// Counts an attempt as wrong before anybody looks at it; the inner error says in how many seconds it would be looked at.
    pub(super) fn count_attempt(
        &self,
        user_id: &str,
        from: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> Result<std::result::Result<Counted, u64>> {
        let at = seconds(now);
        // User ids are the same in whatever case they are written.
        let user_id = user_id.to_ascii_lowercase();
        let account = self.database.secret.attempts(&user_id);
        let network = self.database.secret.attempts(&format!("{user_id}\n{}", origin(from)));
        self.database.write(|transaction| {
            transaction.prepare_cached("DELETE FROM attempt WHERE last < ?1 AND until < ?2")?.execute([at - FORGOTTEN, at])?;
            let familiar = "SELECT last > ?3 FROM familiar WHERE account = ?1 AND network = ?2";
            let is_familiar = transaction
                .prepare_cached(familiar)?
                .query_row(params![account, network, at - STRANGE], |row| row.get(0))
                .optional()?
                .unwrap_or(false);
            let (failures, own_until) = known(transaction, &account, &network)?;
            let (all_failures, all_until) = known(transaction, &account, ALL)?;
            let is_slowed = !is_familiar && failures >= FIRST;
            let until = if is_slowed { own_until.max(all_until) } else { own_until };
            if until > at {
                return Ok(Ok(Err((until - at).unsigned_abs())));
            }
            let later = |wait: i64| if wait > 0 { at + wait } else { 0 };
            let longest = if is_familiar { LONGEST_FAMILIAR } else { LONGEST };
            keep(transaction, &account, &network, failures + 1, later(wait(failures + 1, FREE, longest)), at)?;
            if !is_familiar {
                keep(transaction, &account, ALL, all_failures + 1, later(wait(all_failures + 1, FREE_IN_ALL, LONGEST_IN_ALL)), at)?;
            }
            let newest = "DELETE FROM attempt WHERE (account, network) IN
                          (SELECT account, network FROM attempt ORDER BY last DESC LIMIT -1 OFFSET ?1)";
            transaction.prepare_cached(newest)?.execute([MOST])?;
            Ok(Ok(Ok(Counted { account, network, is_familiar, at })))
        })
    }

    /// Takes back that an attempt was wrong: something was missing beside what was right.
    pub(super) fn forgive(&self, counted: &Counted) -> Result<()> {
        self.database.write(|transaction| {
            let sql = "UPDATE attempt SET failures = max(failures - 1, 0), until = 0 WHERE account = ?1 AND network = ?2";
            transaction.prepare_cached(sql)?.execute(params![counted.account, counted.network])?;
            counted.forget_among_all(transaction)?;
            Ok(Ok(()))
        })
    }
}

impl Counted {
    /// The attempt succeeded: its network has a clean slate, and is familiar from now on.
    pub(super) fn succeed(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let own = params![self.account, self.network];
        transaction.prepare_cached("DELETE FROM attempt WHERE account = ?1 AND network = ?2")?.execute(own)?;
        self.forget_among_all(transaction)?;
        let sql = "INSERT INTO familiar (account, network, last) VALUES (?1, ?2, ?3)
                   ON CONFLICT (account, network) DO UPDATE SET last = ?3";
        transaction.prepare_cached(sql)?.execute(params![self.account, self.network, self.at])?;
        let sql = "DELETE FROM familiar WHERE account = ?1 AND network IN
                   (SELECT network FROM familiar WHERE account = ?1 ORDER BY last DESC LIMIT -1 OFFSET ?2)";
        transaction.prepare_cached(sql)?.execute(params![self.account, MOST_FAMILIAR])?;
        Ok(())
    }

    fn forget_among_all(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        if !self.is_familiar {
            let sql = "UPDATE attempt SET failures = max(failures - 1, 0) WHERE account = ?1 AND network = ?2";
            transaction.prepare_cached(sql)?.execute(params![self.account, ALL])?;
        }
        Ok(())
    }
}

impl Access {
    /// Forgets every attempt on an account, and from where it signed in.
    pub(super) fn forget_attempts(&self, transaction: &Transaction<'_>, user_id: &str) -> rusqlite::Result<()> {
        let account = self.database.secret.attempts(&user_id.to_ascii_lowercase());
        transaction.execute("DELETE FROM attempt WHERE account = ?1", [&account])?;
        transaction.execute("DELETE FROM familiar WHERE account = ?1", [&account])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> (tempfile::TempDir, Access) {
        let folder = tempfile::tempdir().unwrap();
        let access = Access::open(&folder.path().join("access.sqlite")).unwrap();
        (folder, access)
    }

    fn moment(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn from(address: &str) -> Option<IpAddr> {
        Some(address.parse().unwrap())
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits: Vec<i64> = (3..14).map(|failures| wait(failures, FREE, LONGEST)).collect();
        assert_eq!(waits, [0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        assert_eq!((wait(i64::MAX, FREE, LONGEST), wait(6, FREE, LONGEST_FAMILIAR), wait(9, FREE, LONGEST_FAMILIAR)), (3600, 60, 60));
    }

    #[test]
    fn attempts_count_for_an_account_and_a_network() {
        let (_folder, access) = access();
        let attempt = |user: &str, address: &str, after: i64| access.count_attempt(user, from(address), moment(after)).unwrap().err();
        for _ in 0..FREE {
            assert_eq!(attempt("TAX-1", "192.0.2.1", 0), None);
        }
        assert_eq!((attempt("TAX-1", "192.0.2.1", 0), attempt("tax-1", "::ffff:192.0.2.1", 10)), (Some(30), Some(20)));
        // From elsewhere, and on other accounts, nobody waits for it.
        assert_eq!((attempt("TAX-1", "192.0.2.2", 0), attempt("TAX-2", "192.0.2.1", 0)), (None, None));
        assert_eq!((attempt("TAX-1", "192.0.2.1", 30), attempt("TAX-1", "192.0.2.1", 31)), (None, Some(59)));
        // With IPv6 a client has a network, not an address.
        for host in 1..=FREE {
            assert_eq!(attempt("TAX-1", &format!("2001:db8::{host}"), 0), None);
        }
        assert_eq!((attempt("TAX-1", "2001:db8::ffff", 0), attempt("TAX-1", "2001:db8:0:1::1", 0)), (Some(30), None));
        // After a day all of it is forgotten.
        assert_eq!(attempt("TAX-1", "192.0.2.1", FORGOTTEN + 31), None);
        assert_eq!(attempt("TAX-1", "192.0.2.1", FORGOTTEN + 31), None);
    }

    #[test]
    fn strangers_slow_each_other_and_nobody_else() {
        let (_folder, access) = access();
        let count = |address: &str, after: i64| access.count_attempt("ADMIN-1", from(address), moment(after)).unwrap();
        let succeed = |address: &str| {
            let counted = count(address, 0).ok().unwrap();
            access.database.write(|transaction| counted.succeed(transaction).map(Ok)).unwrap();
        };
        succeed("192.0.2.1");
        // Two hundred machines guess, as often as they are let.
        let mut looked_at = 0;
        for round in 0..5 {
            for machine in 0..200 {
                looked_at += i64::from(count(&format!("10.0.0.{machine}"), round).is_ok());
            }
        }
        // Each had its first attempts, and no other was looked at.
        assert_eq!(looked_at, 200 * FIRST);
        assert!(count("10.0.0.7", 5).err().is_some_and(|seconds| (1..=LONGEST_IN_ALL.unsigned_abs()).contains(&seconds)));
        // The account's own network knows nothing of it, and somebody who comes from a new one is looked at too.
        assert!(count("192.0.2.1", 5).is_ok() && count("198.51.100.1", 5).is_ok());
        succeed("198.51.100.2");
    }

    #[test]
    fn what_was_right_does_not_count() {
        let (_folder, access) = access();
        for _ in 0..3 * FREE_IN_ALL {
            let counted = access.count_attempt("TAX-1", from("192.0.2.1"), moment(0)).unwrap();
            access.forgive(&counted.ok().unwrap()).unwrap();
        }
        let rows: i64 = access.database.read(|it| it.query_row("SELECT sum(failures) FROM attempt", [], |row| row.get(0))).unwrap();
        assert_eq!(rows, 0);
    }

    #[test]
    fn of_attempts_at_once_no_more_are_looked_at_than_may_be() {
        let (_folder, access) = access();
        let looked_at = std::thread::scope(|scope| {
            let tries: Vec<_> =
                (0..40).map(|_| scope.spawn(|| access.count_attempt("TAX-1", from("192.0.2.1"), moment(0)).unwrap().is_ok())).collect();
            tries.into_iter().map(|one| i64::from(one.join().unwrap())).sum::<i64>()
        });
        assert_eq!(looked_at, FREE);
    }

    #[test]
    fn counts_are_bounded() {
        let (_folder, access) = access();
        access
            .database
            .write(|transaction| {
                let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                           INSERT INTO attempt SELECT CAST(CAST(i AS TEXT) AS BLOB), x'00', 1, 0, ?2 FROM n";
                transaction.execute(sql, params![MOST + 500, seconds(moment(0)) - 10])?;
                Ok(Ok(()))
            })
            .unwrap();
        assert!(access.count_attempt("TAX-1", from("192.0.2.1"), moment(0)).unwrap().is_ok());
        let rows: i64 = access.database.read(|it| it.query_row("SELECT count(*) FROM attempt", [], |row| row.get(0))).unwrap();
        assert_eq!(rows, MOST);
        // The newest are those that stay.
        for _ in 1..FREE {
            assert!(access.count_attempt("TAX-1", from("192.0.2.1"), moment(0)).unwrap().is_ok());
        }
        assert!(access.count_attempt("TAX-1", from("192.0.2.1"), moment(0)).unwrap().is_err());
    }
}
