"""What became of the rows of a point-in-time join, and which would have looked ahead."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np

from prodml._core.render import html_table
from prodml.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy.typing as npt
    import pandas as pd

__all__ = ["FATES", "Fate", "PointInTimeJoin", "ViewJoin"]

#: What became of a row that asked a view.
Fate = Literal["matched", "unmatched", "expired", "null_key"]

#: All of them, by their number in a result.
FATES: Final[tuple[Fate, ...]] = get_args(Fate)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ViewJoin:
    """What one view had for the rows that asked it. Immutable, picklable.

    Attributes
    ----------
    name : str
        The view.
    features : tuple
        The columns that it gave, by their names in the result.
    rows : numpy.ndarray of int64, shape (n_rows,)
        Which row of the view answered, by position; -1 where none did.
    as_known : bool
        Whether rows that became known later were left out.
    """

    name: str
    features: tuple[Hashable, ...]
    rows: npt.NDArray[np.int64]
    as_known: bool
    _fates: npt.NDArray[np.uint8] = field(repr=False)
    _leaking: npt.NDArray[np.bool_] | None = field(repr=False)

    @property
    def n_rows(self) -> int:
        """Rows that asked."""
        return len(self.rows)

    @property
    def n_matched(self) -> int:
        """Rows that have an answer."""
        return self.count("matched")

    @property
    def n_unmatched(self) -> int:
        """Rows of whose key nothing had happened, or was known, by then."""
        return self.count("unmatched")

    @property
    def n_expired(self) -> int:
        """Rows whose latest answer is older than the view's `ttl`."""
        return self.count("expired")

    @property
    def n_null_key(self) -> int:
        """Rows that lack a part of their key, which matches nothing."""
        return self.count("null_key")

    @property
    def n_leaking(self) -> int | None:
        """Rows that would be answered by what was written after their time.

        With `as_known` these are the rows that it changed; without it, they did look ahead. None
        where the view has no created time, so that nobody can tell.
        """
        return None if self._leaking is None else int(np.count_nonzero(self._leaking))

    def count(self, fate: Fate, /) -> int:
        """Return how many rows met a fate.

        Parameters
        ----------
        fate : {"matched", "unmatched", "expired", "null_key"}
            Each row meets one of them.
        """
        return int(np.count_nonzero(self._fates == FATES.index(fate)))

    def positions(self, fate: Fate | Literal["leaking"], /) -> npt.NDArray[np.int64]:
        """Return which rows met a fate, or would look ahead, by position.

        Parameters
        ----------
        fate : {"matched", "unmatched", "expired", "null_key", "leaking"}
            As for :meth:`count`; ``"leaking"`` goes across the others.
        """
        if fate == "leaking":
            return np.flatnonzero(self._leaking if self._leaking is not None else [])
        return np.flatnonzero(self._fates == FATES.index(fate))

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain JSON values."""
        return {
            "view": self.name,
            "n_rows": self.n_rows,
            **{f"n_{fate}": self.count(fate) for fate in FATES},
            "n_leaking": self.n_leaking,
            "as_known": self.as_known,
        }

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return the fractions of rows without match, expired, and looking ahead.

        The last one fails where such rows are in the result, and passes where they were kept out.
        """
        shared: dict[str, Any] = {
            "kind": "features", "labels": {"view": self.name}, "n": self.n_rows
        }  # fmt: skip
        nothing = {"value": None, "status": "insufficient_data", "reason": "no row asked"}
        found = []
        for metric, n in (
            ("point_in_time_unmatched", self.n_unmatched + self.n_null_key),
            ("point_in_time_expired", self.n_expired),
        ):
            value = {"value": n / self.n_rows} if self.n_rows else nothing
            found.append(Evidence(metric=metric, **value, **shared))
        leaking: dict[str, Any] = nothing
        if self.n_leaking is None:
            reason = "the view has no created time, so that nobody knows what was known"
            leaking = {"value": None, "status": "not_estimable", "reason": reason}
        elif self.n_rows:
            bad = not self.as_known and self.n_leaking > 0
            leaking = {
                "value": self.n_leaking / self.n_rows,
                "verdict": "fail" if bad else "pass",
                "reason": (
                    "rows created later were left out" if self.as_known
                    else "rows created later were taken" if bad else "no row was created later"
                ),
            }  # fmt: skip
        found.append(Evidence(metric="point_in_time_leaking", **leaking, **shared))
        return tuple(found)

    def __repr__(self) -> str:
        counts = ", ".join(f"{self.count(fate):,} {fate}" for fate in FATES)
        leaking = "unknown" if self.n_leaking is None else f"{self.n_leaking:,}"
        return f"ViewJoin({self.name!r}, {self.n_rows:,} rows: {counts}; leaking: {leaking})"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PointInTimeJoin:
    """The rows that asked with what they were answered, and a report. Immutable, picklable.

    Attributes
    ----------
    joined : pandas.DataFrame
        The rows as they came, with the features of all views as further columns.
    views : tuple of ViewJoin
        What became of the rows in each view.
    """

    joined: pd.DataFrame
    views: tuple[ViewJoin, ...]

    def view(self, name: str, /) -> ViewJoin:
        """Return what became of the rows in one view.

        Parameters
        ----------
        name : str
            Its name.

        Raises
        ------
        KeyError
            If there is none of this name.
        """
        return {one.name: one for one in self.views}[name]

    def to_dict(self) -> dict[str, Any]:
        """Return the counts of each view as plain JSON values."""
        return {"n_rows": len(self.joined), "views": [one.to_dict() for one in self.views]}

    def to_frame(self) -> pd.DataFrame:
        """Return the report, one view a row."""
        import pandas as pd

        names = ["view", "n_rows", *(f"n_{fate}" for fate in FATES), "n_leaking", "as_known"]
        found = pd.DataFrame([one.to_dict() for one in self.views], columns=names)
        return found.astype({"n_leaking": "Int64"})

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return the evidence of all views."""
        return tuple(piece for one in self.views for piece in one.to_evidence())

    def __repr__(self) -> str:
        names = ", ".join(repr(one.name) for one in self.views)
        return f"PointInTimeJoin({len(self.joined):,} rows, views: {names or 'none'})"

    def _repr_html_(self) -> str:
        header = ["view", *FATES, "leaking", "what became of those"]
        rows = []
        for one in self.views:
            unknown = one.n_leaking is None
            what = "no created time" if unknown else "left out" if one.as_known else "taken"
            leaking = "unknown" if unknown else one.n_leaking
            rows.append([one.name, *(one.count(fate) for fate in FATES), leaking, what])
        return html_table(header, rows, caption=f"{len(self.joined):,} rows")
