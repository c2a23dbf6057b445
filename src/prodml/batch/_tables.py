"""The tables of a ledger, in words that SQLite and PostgreSQL share."""

from __future__ import annotations

__all__ = ["create_tables"]


def create_tables(*, integer: str, blob: str, clustered: str) -> tuple[str, ...]:
    """Return the statements that make the tables of layout version 1.

    Parameters
    ----------
    integer, blob : str
        What the database calls 64-bit integers and bytes.
    clustered : str
        What it is told to keep a table in the order of its key.
    """
    # Times are microseconds since 1970, UTC. Counts stand with each piece of work and are summed
    # when they are read: a counter that all workers raise would be a place where they wait. What
    # was purged lives on as sums. Work is not clustered by its key: keys are random, so that every
    # claim and every mark would write a page of its own; as it is, neighbours in time share one.
    return (
        f"""CREATE TABLE work (
            namespace TEXT NOT NULL, key {blob} NOT NULL, payload_hash {blob} NOT NULL,
            state TEXT NOT NULL, attempt {integer} NOT NULL, fence {integer} NOT NULL,
            owner TEXT NOT NULL, lease_until {integer} NOT NULL, updated_at {integer} NOT NULL,
            number {integer} NOT NULL DEFAULT 0, n_records {integer} NOT NULL DEFAULT 0,
            n_done {integer} NOT NULL DEFAULT 0, n_quarantined {integer} NOT NULL DEFAULT 0,
            n_output {integer} NOT NULL DEFAULT 0, tallies TEXT NOT NULL DEFAULT '',
            result TEXT NOT NULL DEFAULT '', expires_at {integer} NOT NULL DEFAULT 0,
            error TEXT NOT NULL DEFAULT '',
            PRIMARY KEY (namespace, key))""",
        f"CREATE TABLE record_namespace (id {integer} PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
        f"""CREATE TABLE record (
            namespace_id {integer} NOT NULL, high {integer} NOT NULL, low {integer} NOT NULL,
            payload {integer} NOT NULL, seen_on {integer} NOT NULL,
            PRIMARY KEY (namespace_id, high, low)){clustered}""",
        "CREATE TABLE purged (namespace TEXT PRIMARY KEY, content TEXT NOT NULL)",
    )
