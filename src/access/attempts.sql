-- Wrong attempts to sign in are counted for whatever user id was given and for where they came from, whether or not there is such a user.

CREATE TABLE attempt (
    account BLOB NOT NULL,                      -- keyed digest of the user id as it was given
    network BLOB NOT NULL,                      -- keyed digest of that with the client's network; empty: all strange networks together
    failures INTEGER NOT NULL,
    until INTEGER NOT NULL,                     -- until when no further attempt is looked at
    last INTEGER NOT NULL,
    PRIMARY KEY (account, network)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_last ON attempt (last);

CREATE TABLE familiar (                         -- networks from which a user has signed in
    account BLOB NOT NULL,
    network BLOB NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (account, network)
) STRICT, WITHOUT ROWID;

ALTER TABLE user DROP COLUMN failures;
ALTER TABLE user DROP COLUMN locked_until;
