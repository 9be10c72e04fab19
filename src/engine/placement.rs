//! Where a count runs.

use std::{fmt, str::FromStr};

/// This machine, or a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// In this process.
    Local,
    /// On the workers of a scheduler of Apache Ballista.
    Ballista(Scheduler),
}

impl FromStr for Placement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once("://") {
            None if text == "local" => Ok(Self::Local),
            Some(("ballista", scheduler)) => scheduler.trim_end_matches('/').parse().map(Self::Ballista),
            _ => Err(format!("'{text}': expected local, or ballista://host:port")),
        }
    }
}

/// Host and port of a scheduler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduler {
    /// Name or address of its machine.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl FromStr for Scheduler {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}': expected host:port, such as 10.0.0.5:50050");
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let is_host = !host.is_empty() && host.chars().all(|char| char.is_alphanumeric() || ".-_[]:".contains(char));
        if is_host { Ok(Self { host: host.to_owned(), port }) } else { Err(wrong()) }
    }
}

impl fmt::Display for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placements_are_read() {
        let scheduler = |host: &str| Placement::Ballista(Scheduler { host: host.into(), port: 50050 });
        assert_eq!("local".parse(), Ok(Placement::Local));
        assert_eq!("ballista://10.0.0.5:50050".parse(), Ok(scheduler("10.0.0.5")));
        assert_eq!("ballista://[::1]:50050/".parse(), Ok(scheduler("[::1]")));
        for wrong in [
            "",
            "ballista://scheduler/x:50050",
            "here",
            "ballista://",
            "ballista://host",
            "ballista://host:port",
            "spark://host:7077",
            "ballista://:1",
        ] {
            assert!(wrong.parse::<Placement>().is_err(), "{wrong}");
        }
    }
}
