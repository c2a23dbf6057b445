"""The tables of a quarantine, in words that SQLite and PostgreSQL share."""

from __future__ import annotations

from typing import Final

__all__ = ["ENTRY_COLUMNS", "create_tables"]

#: What a new entry is made of; the other columns are filled when something is decided about it.
ENTRY_COLUMNS: Final = (
    "seq",
    "digest",
    "ordinal",
    "batch_id",
    "row_number",
    "layout_id",
    "reasons_id",
    "record_key",
    "payload",
    "redacted",
    "state",
    "attempts",
    "first_seen",
    "last_seen",
)


def create_tables(*, integer: str, blob: str, clustered: str) -> tuple[str, ...]:
    """Return the statements that make the tables of layout version 1.

    Parameters
    ----------
    integer, blob : str
        What the database calls 64-bit integers and bytes.
    clustered : str
        What it is told to keep a table in the order of its key.
    """
    # Times are microseconds since 1970, UTC. Entries are numbered in the order of their arrival,
    # and numbers are never used again. A batch has stretches (what was judged at one time), and
    # an occurrence for each rejected row. Rows of the same content are told apart by an ordinal.
    return (
        f"CREATE TABLE counter (name TEXT PRIMARY KEY, next_number {integer} NOT NULL)",
        "INSERT INTO counter VALUES ('batch', 1), ('entry', 1), ('layout', 1), ('reasons', 1)",
        f"""CREATE TABLE batch (
            id {integer} PRIMARY KEY, source TEXT NOT NULL, contract TEXT NOT NULL,
            name TEXT NOT NULL, fingerprint TEXT NOT NULL, UNIQUE (source, contract, name))""",
        f"""CREATE TABLE stretch (
            batch_id {integer} NOT NULL, first_row {integer} NOT NULL, n_rows {integer} NOT NULL,
            PRIMARY KEY (batch_id, first_row)){clustered}""",
        f"CREATE TABLE layout (id {integer} PRIMARY KEY, content TEXT NOT NULL UNIQUE)",
        f"CREATE TABLE reasons (id {integer} PRIMARY KEY, content TEXT NOT NULL UNIQUE)",
        f"""CREATE TABLE reason (
            reasons_id {integer} NOT NULL, place {integer} NOT NULL,
            column_name TEXT NOT NULL, rule TEXT NOT NULL, message TEXT NOT NULL,
            PRIMARY KEY (reasons_id, place)){clustered}""",
        f"""CREATE TABLE entry (
            seq {integer} PRIMARY KEY, digest {blob} NOT NULL, ordinal {integer} NOT NULL,
            batch_id {integer} NOT NULL, row_number {integer} NOT NULL,
            layout_id {integer} NOT NULL, reasons_id {integer} NOT NULL, record_key TEXT,
            payload TEXT NOT NULL, redacted {integer} NOT NULL, state TEXT NOT NULL,
            attempts {integer} NOT NULL, first_seen {integer} NOT NULL,
            last_seen {integer} NOT NULL, decided_at {integer}, decided_by TEXT, note TEXT,
            run TEXT)""",
        "CREATE INDEX entry_pending ON entry (seq) WHERE state = 'pending'",
        # Digests stand apart, so that they are inserted in their own order: twice as fast.
        f"""CREATE TABLE identity (
            digest {blob} NOT NULL, ordinal {integer} NOT NULL, seq {integer} NOT NULL,
            PRIMARY KEY (digest, ordinal)){clustered}""",
        f"""CREATE TABLE occurrence (
            batch_id {integer} NOT NULL, row_number {integer} NOT NULL, seq {integer} NOT NULL,
            PRIMARY KEY (batch_id, row_number)){clustered}""",
    )
