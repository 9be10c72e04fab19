-- Reports on use that institutions have filed, and sessions of administrators who look at the service as somebody else sees it.

CREATE TABLE report (
    institution INTEGER NOT NULL REFERENCES institution (id),
    period TEXT NOT NULL,
    filed INTEGER NOT NULL,
    by TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (institution, period)
) STRICT, WITHOUT ROWID;

ALTER TABLE session ADD COLUMN sees_as INTEGER REFERENCES user (id) ON DELETE SET NULL;
