"""Connections that tests open beside those of the library."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager


@contextmanager
def connected(connect):
    """Connect by a function or to an SQLite file; commit at the end of the block, and close."""
    connection = connect() if callable(connect) else sqlite3.connect(connect)
    with closing(connection), connection:
        yield connection
