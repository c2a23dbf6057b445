"""The tables of an online store, in words that SQLite and PostgreSQL share."""

from __future__ import annotations

__all__ = ["create_tables"]


def create_tables(
    *, identity: str, integer: str, blob: str, ascii_text: str, clustered: str
) -> tuple[str, ...]:
    """Return the statements that make the tables of layout version 1.

    Parameters
    ----------
    identity : str
        What the database calls a column of numbers that it never gives twice.
    integer, blob, ascii_text : str
        What it calls 64-bit integers, bytes, and text in the order of its bytes.
    clustered : str
        What it is told to keep a table in the order of its key.
    """
    # The values of a row are one text, not a column each: names of features are the user's, their
    # number has no bound, and a value keeps its type whatever the database has for it. The number
    # of a view is never used again, so that who knows a view that was dropped finds nothing,
    # instead of rows of another layout.
    return (
        f"""CREATE TABLE online_view (
            id {identity}, name TEXT NOT NULL UNIQUE, definition TEXT NOT NULL)""",
        f"""CREATE TABLE online_row (
            view_id {integer} NOT NULL, entity {blob} NOT NULL, event {integer} NOT NULL,
            created {integer} NOT NULL, content {ascii_text} NOT NULL,
            PRIMARY KEY (view_id, entity)){clustered}""",
    )
