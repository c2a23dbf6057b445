"""The statements of a ledger, in words that SQLite and PostgreSQL share.

Each change of claimed work names the fence of the claim, and does nothing if the work was taken
over since. It comes in two forms: for one row, which SQLite likes best, and for many at once,
which PostgreSQL does, since it is asked over a network. Both databases call the columns of
``VALUES`` column1, column2 and so on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from prodml._core.sql import placeholders

__all__ = ["COMMIT", "FAIL", "RENEW", "Change", "claim_statement"]


def _values(n_rows: int, n_columns: int) -> str:
    row = f"({','.join('?' * n_columns)})"
    return f"(VALUES {','.join([row] * n_rows)}) AS v"


@lru_cache(maxsize=128)
def claim_statement(n: int, n_gone: int, /) -> str:
    """Return the upsert that claims what is free among `n` keys.

    Parameters: namespace, owner, until, now; key and payload hash of each; the most attempts
    twice; now twice; owners that are gone. Returns key, fence, attempt and state of what was free.
    """
    gone = (
        f" OR (work.state = 'running' AND work.owner IN ({placeholders(n_gone)}))" if n_gone else ""
    )
    # a result that has expired is no failure: its attempts are forgotten
    return (
        "INSERT INTO work (namespace, key, payload_hash, state, attempt, fence, owner, "  # noqa: S608
        "lease_until, updated_at) "
        "SELECT ?, v.column1, v.column2, 'running', 1, 1, ?, ?, ? "
        f"FROM {_values(n, 2)} WHERE true "
        "ON CONFLICT (namespace, key) DO UPDATE SET "
        "state = CASE WHEN work.state <> 'done' AND work.attempt >= ? "
        "THEN 'quarantined' ELSE 'running' END, "
        "attempt = CASE WHEN work.state = 'done' THEN 1 WHEN work.attempt >= ? "
        "THEN work.attempt ELSE work.attempt + 1 END, "
        "fence = work.fence + 1, owner = excluded.owner, lease_until = excluded.lease_until, "
        "updated_at = excluded.updated_at "
        "WHERE work.payload_hash = excluded.payload_hash AND (work.state IN ('pending', 'failed') "
        "OR (work.state = 'running' AND work.lease_until < ?) "
        "OR (work.state = 'done' AND work.expires_at > 0 AND work.expires_at < ?)"
        f"{gone}) "
        "RETURNING key, fence, attempt, state"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of claimed work.

    Attributes
    ----------
    first : str
        The column whose new value is the same for all rows.
    fields : tuple of str
        The columns that get the values behind key and fence.
    fixed : str
        What else is set.
    """

    first: str
    fields: tuple[str, ...] = ()
    fixed: str = ""

    @staticmethod
    def _new(name: str, value: str) -> str:
        # an attempt that failed through no fault of the work is given back
        return f"work.attempt - {value}" if name == "attempt" else value

    @lru_cache(maxsize=8)  # noqa: B019 - the three changes live as long as the program
    def one_row(self) -> str:
        """Return the statement for one row.

        Parameters: the first; the fields; namespace, key and fence.
        """
        new = "".join(f", {name} = {self._new(name, '?')}" for name in self.fields)
        return (
            f"UPDATE work SET {self.first} = ?{new}{self.fixed} "  # noqa: S608 - our own words
            "WHERE namespace = ? AND key = ? AND fence = ? AND state = 'running'"
        )

    @lru_cache(maxsize=256)  # noqa: B019 - the same
    def many_rows(self, n: int, /) -> str:
        """Return the statement for `n` rows, which returns the keys that were changed.

        Parameters: the first; key, fence and fields of each row; namespace.
        """
        new = "".join(
            f", {name} = {self._new(name, f'v.column{at}')}"
            for at, name in enumerate(self.fields, start=3)
        )
        return (
            f"UPDATE work SET {self.first} = ?{new}{self.fixed} "  # noqa: S608 - our own words
            f"FROM {_values(n, 2 + len(self.fields))} "
            "WHERE work.namespace = ? AND work.key = v.column1 AND work.fence = v.column2 "
            "AND work.state = 'running' RETURNING key"
        )


#: Fields of :class:`~prodml.batch.WorkResult`, in order.
COMMIT: Final = Change(
    first="updated_at",
    fields=(
        *("number", "n_records", "n_done", "n_quarantined", "n_output"),
        *("tallies", "result", "expires_at"),
    ),
    fixed=", state = 'done', error = ''",
)
#: Fields of :class:`~prodml.batch.WorkFailure`, in order, and how many attempts to give back.
FAIL: Final = Change(first="updated_at", fields=("state", "n_records", "error", "attempt"))
RENEW: Final = Change(first="lease_until")
