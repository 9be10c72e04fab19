-- Institutions under agreement, their users, and every change of either. Days are ISO 8601, moments seconds since 1970.

CREATE TABLE institution (
    id INTEGER PRIMARY KEY,
    code TEXT NOT NULL UNIQUE COLLATE NOCASE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('memorandum', 'cooperation')),
    agreement TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_to TEXT NOT NULL,
    reports INTEGER NOT NULL DEFAULT 1,         -- whether it owes a report on its use for each semester
    tables TEXT,                                -- JSON list of identifiers; NULL: every table
    state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'ended')),
    until TEXT                                  -- last day of a suspension
) STRICT;

CREATE TABLE user (
    id INTEGER PRIMARY KEY,
    institution INTEGER NOT NULL REFERENCES institution (id),
    user_id TEXT UNIQUE COLLATE NOCASE,         -- issued on approval
    role TEXT NOT NULL CHECK (role IN ('reader', 'reporter', 'administrator')),
    region TEXT,                                -- code of the office's region; NULL: approved for the whole country
    employee_number TEXT NOT NULL,
    name TEXT NOT NULL,
    position TEXT NOT NULL,
    local_id TEXT NOT NULL,                     -- the name that the institution's own systems know the user by
    identity BLOB,                              -- keyed digest of the identity number
    requested_by TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('requested', 'approved', 'active', 'suspended', 'removed')),
    before TEXT,                                -- the state that a suspension interrupted
    until TEXT,
    password TEXT,                              -- Argon2id, as PHC string
    must_change INTEGER NOT NULL DEFAULT 0,
    password_until INTEGER,                     -- until when a one-time password holds
    failures INTEGER NOT NULL DEFAULT 0,
    locked_until INTEGER NOT NULL DEFAULT 0,
    totp BLOB,                                  -- secret of the second factor, encrypted
    totp_confirmed INTEGER NOT NULL DEFAULT 0,
    totp_last INTEGER NOT NULL DEFAULT 0        -- the newest code that was taken: none is taken twice
) STRICT;
CREATE INDEX user_institution ON user (institution);

CREATE TABLE change (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    subject TEXT NOT NULL CHECK (subject IN ('institution', 'user', 'key', 'setting')),
    subject_id TEXT NOT NULL,
    what TEXT NOT NULL,
    reason TEXT NOT NULL,
    until TEXT
) STRICT;
CREATE INDEX change_subject ON change (subject, subject_id);

CREATE TABLE session (
    digest BLOB PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    began INTEGER NOT NULL,
    seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_user ON session (user);

CREATE TABLE key (
    id INTEGER PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    made INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    revoked INTEGER,
    UNIQUE (user, name)
) STRICT;

CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
