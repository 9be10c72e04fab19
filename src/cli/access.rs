//! `cacah access`, as types.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand};

use crate::access::{Kind, Role};

/// Where the database lies if nobody says so.
pub const DATABASE: &str = "warehouse/access.sqlite";

/// `cacah access`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cacah access add-institution DJP --name 'Direktorat Jenderal Pajak' --kind cooperation --agreement PKS-12/2024 --from 2024-07-01 --to 2027-06-30
  cacah access request DJP --name 'Sri Rahayu' --employee-number 198203 --position Analis --local-id srahayu --region 3404
  cacah access request --file users.csv
  cacah access approve '#1' '#2' --handover handover.html
  cacah access suspend DJP-3404-0001 --reason 'moved to another office' --until 2025-01-31
  cacah access suspend-institution DJP --reason 'no report for 2024-S1'
  cacah access add-key DJP-3404-0001 --name nightly --days 90
  cacah access changes --user DJP-3404-0001
  cacah access backup /backup/access-2024-12-01
  cacah access restore /backup/access-2024-12-01 --replace

Whatever is changed is kept with who, when and why. A user is named by his user id, or by the number of his request as '#1'.")]
pub struct Access {
    /// Database of institutions and users
    #[arg(long, value_name = "FILE", default_value = DATABASE, global = true)]
    pub database: PathBuf,
    /// Release store, whose regions and tables may be granted
    #[arg(long, value_name = "PLACE", default_value = "warehouse/releases", global = true)]
    pub releases: String,
    /// Who does this, as the record shall name him; the user of this machine if not given
    #[arg(long, value_name = "NAME", global = true)]
    pub by: Option<String>,
    /// What to do
    #[command(subcommand)]
    pub action: AccessAction,
}

/// What `cacah access` does.
#[derive(Debug, Subcommand)]
pub enum AccessAction {
    /// List institutions
    Institutions,
    /// Add an institution under an agreement
    AddInstitution(InstitutionArgs),
    /// Put another agreement, name, duty or grant in the place of an institution's old ones
    ChangeInstitution(InstitutionArgs),
    /// Shut an institution out for a time
    SuspendInstitution(SuspendArgs),
    /// Let a suspended institution in again
    ReactivateInstitution(ReasonArgs),
    /// End an institution's access for good
    EndInstitution(ReasonArgs),
    /// List users
    Users {
        /// Of this institution alone
        #[arg(long, value_name = "CODE")]
        institution: Option<String>,
    },
    /// Ask for a user, or for all of a file
    Request(RequestArgs),
    /// Approve requests: issues user ids and one-time passwords
    Approve {
        /// Requests, such as '#1'
        #[arg(required = true, value_name = "REQUEST")]
        users: Vec<String>,
        /// Page with the handover records, to be printed and signed
        #[arg(long, value_name = "FILE")]
        handover: Option<PathBuf>,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Change what a user is or sees; what is not given stays
    ChangeUser(ChangeUserArgs),
    /// Give a user a new one-time password; his sessions and keys end
    ResetPassword(ReasonArgs),
    /// Shut a user out for a time
    Suspend(SuspendArgs),
    /// Let a suspended user in again
    Reactivate(ReasonArgs),
    /// Remove a user, or refuse a request
    Remove(ReasonArgs),
    /// List keys
    Keys {
        /// Of this user alone
        #[arg(long, value_name = "USER")]
        user: Option<String>,
    },
    /// Make a key for the programs of a user
    AddKey {
        /// User
        user: String,
        /// Name of the key
        #[arg(long)]
        name: String,
        /// Days for which it holds
        #[arg(long, default_value_t = 90)]
        days: i64,
    },
    /// Revoke a key
    RevokeKey {
        /// User
        user: String,
        /// Name of the key
        #[arg(long)]
        name: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Say whether somebody else than who asked must approve
    FourEyes {
        /// Whether it is so
        #[arg(value_parser = ["on", "off"])]
        state: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Say whether administrators need a second factor for the pages on which they administer
    SecondFactor {
        /// Whether it is so
        #[arg(value_parser = ["on", "off"])]
        state: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Copy database, key and log into a new folder, while the service goes on
    Backup {
        /// Folder to make; whoever has it has everything that the database protects
        folder: PathBuf,
    },
    /// Put such a copy in the place of the database; sessions end, and what was changed since is lost
    Restore {
        /// Folder of the copy
        folder: PathBuf,
        /// Put what is there already aside
        #[arg(long)]
        replace: bool,
    },
    /// Show what was changed, the newest first
    Changes {
        /// Of this user
        #[arg(long, value_name = "USER", conflicts_with = "institution")]
        user: Option<String>,
        /// Of this institution
        #[arg(long, value_name = "CODE")]
        institution: Option<String>,
        /// Changes, at most
        #[arg(long, default_value_t = 50)]
        most: usize,
    },
}

/// An institution and its agreement.
#[derive(Debug, Args)]
pub struct InstitutionArgs {
    /// Code with which its user ids begin: capital letters and digits
    pub code: String,
    /// Name
    #[arg(long)]
    pub name: String,
    /// Kind of paper: memorandum or cooperation
    #[arg(long)]
    pub kind: Kind,
    /// Number of the paper
    #[arg(long)]
    pub agreement: String,
    /// First day of the agreement
    #[arg(long, value_name = "DAY")]
    pub from: NaiveDate,
    /// Last day of the agreement
    #[arg(long, value_name = "DAY")]
    pub to: NaiveDate,
    /// Tables that are granted; all if none is named
    #[arg(long, value_name = "TABLES", value_delimiter = ',')]
    pub tables: Vec<String>,
    /// It owes no report on its use
    #[arg(long)]
    pub no_report: bool,
    /// Why
    #[arg(long, default_value = "agreement")]
    pub reason: String,
}

/// Whom, and why.
#[derive(Debug, Args)]
pub struct ReasonArgs {
    /// User or institution
    pub name: String,
    /// Why
    #[arg(long)]
    pub reason: String,
}

/// Whom, why, and until when.
#[derive(Debug, Args)]
pub struct SuspendArgs {
    /// User or institution
    pub name: String,
    /// Why
    #[arg(long)]
    pub reason: String,
    /// Last day; until somebody reactivates if not given
    #[arg(long, value_name = "DAY")]
    pub until: Option<NaiveDate>,
}

/// Who is asked for.
#[derive(Debug, Args)]
pub struct RequestArgs {
    /// Code of the institution
    #[arg(required_unless_present = "file")]
    pub institution: Option<String>,
    /// Users as CSV or workbook (.xlsx): institution, region, role, employee_number, name, position, local_id, identity
    #[arg(long, value_name = "FILE", conflicts_with_all = ["institution", "name"])]
    pub file: Option<PathBuf>,
    /// Name
    #[arg(long, required_unless_present = "file")]
    pub name: Option<String>,
    /// Number as an employee
    #[arg(long, required_unless_present = "file", value_name = "NUMBER")]
    pub employee_number: Option<String>,
    /// Position
    #[arg(long, required_unless_present = "file")]
    pub position: Option<String>,
    /// Name by which the institution's own systems know the user
    #[arg(long, required_unless_present = "file", value_name = "ID")]
    pub local_id: Option<String>,
    /// Region of the office; the whole country if not given
    #[arg(long, value_name = "CODE")]
    pub region: Option<String>,
    /// What the user may do beside reading: reader, reporter or administrator
    #[arg(long, default_value = "reader")]
    pub role: Role,
    /// Identity number, of which a keyed digest is kept; - reads it from the terminal's input, which ps does not show
    #[arg(long, value_name = "NUMBER")]
    pub identity: Option<String>,
}

/// What is changed of a user.
#[derive(Debug, Args)]
pub struct ChangeUserArgs {
    /// User
    pub name: String,
    /// Region of the office; '*' for the whole country
    #[arg(long, value_name = "CODE")]
    pub region: Option<String>,
    /// reader, reporter or administrator
    #[arg(long)]
    pub role: Option<Role>,
    /// Position
    #[arg(long)]
    pub position: Option<String>,
    /// Name by which the institution's own systems know the user
    #[arg(long, value_name = "ID")]
    pub local_id: Option<String>,
    /// Why
    #[arg(long)]
    pub reason: String,
}
