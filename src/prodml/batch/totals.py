"""Sums over finished work, in which nothing counts twice."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Self

from prodml._core.exact_sums import add_exactly
from prodml._frozen_mapping import FrozenMapping
from prodml.errors import FormatError, MergeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Totals"]

_FORMAT: Final = "prodml-batch-totals/1"
_COUNTS: Final = ("n_work", "n_records", "n_done", "n_quarantined", "n_output")


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What has come of all finished work of one namespace.

    A ledger keeps the counts of each piece of work beside its mark, and adds them when it is
    asked. So a retry, a second worker or a crash cannot count anything twice.

    Attributes
    ----------
    namespace : str
        Whose work.
    n_work : int
        Pieces of work that are done.
    n_records, n_done, n_quarantined : int
        Records that came in, and what became of them: ``n_records = n_done + n_quarantined``.
    n_output : int
        Records that came out.
    partials : mapping of str to tuple of int or float
        Sums over the output by name, as numbers whose exact sum is meant; see `tallies`.

    Examples
    --------
    >>> one = Totals(namespace="n", n_work=1).with_tallies([{"amount": 1e15}, {"amount": 1.0}])
    >>> (one + one).tallies["amount"] - 2e15
    2.0
    """

    namespace: str
    n_work: int = 0
    n_records: int = 0
    n_done: int = 0
    n_quarantined: int = 0
    n_output: int = 0
    partials: Mapping[str, tuple[float, ...]] = field(default_factory=FrozenMapping)

    def __post_init__(self) -> None:
        """Keep what was given from being changed."""
        object.__setattr__(self, "partials", FrozenMapping(self.partials))

    @property
    def tallies(self) -> dict[str, float]:
        """Sums over the output by name; whole numbers stay whole, others are rounded once."""
        return {name: _sum(parts) for name, parts in self.partials.items()}

    def with_tallies(self, tallies: Iterable[Mapping[str, float]], /) -> Self:
        """Return the same totals with more tallies added.

        Parameters
        ----------
        tallies : iterable of mapping of str to int or float
            Sums by name.

        Raises
        ------
        OverflowError
            If a sum is beyond the range of a float.
        """
        given: dict[str, list[float]] = {name: list(parts) for name, parts in self.partials.items()}
        for one in tallies:
            for name, value in one.items():
                given.setdefault(name, []).append(value)
        return replace(self, partials={name: _condense(parts) for name, parts in given.items()})

    def __add__(self, other: Self) -> Self:
        if self.namespace != other.namespace:
            message = (
                f"Totals of two namespaces cannot be added: {self.namespace!r} and "
                f"{other.namespace!r}."
            )
            raise MergeError(message, left=self.namespace, right=other.namespace)
        counts: dict[str, Any] = {
            name: getattr(self, name) + getattr(other, name) for name in _COUNTS
        }
        names = sorted({*self.partials, *other.partials})
        parts = {
            name: _condense([*self.partials.get(name, ()), *other.partials.get(name, ())])
            for name in names
        }
        return replace(self, **counts, partials=parts)

    def to_dict(self) -> dict[str, Any]:
        """Return counts and tallies, for JSON."""
        counts = {name: getattr(self, name) for name in _COUNTS}
        return {"namespace": self.namespace, **counts, "tallies": self.tallies}

    def to_json(self) -> str:
        """Return JSON from which :meth:`from_json` restores the very same totals."""
        content = {name: getattr(self, name) for name in ("namespace", *_COUNTS)}
        parts = {name: list(values) for name, values in sorted(self.partials.items())}
        return json.dumps({"format": _FORMAT, **content, "partials": parts})

    @classmethod
    def from_json(cls, text: str, /) -> Self:
        """Restore totals.

        Parameters
        ----------
        text : str
            From :meth:`to_json`.

        Raises
        ------
        FormatError
            If it is something else.
        """
        try:
            content = json.loads(text)
            content = content if content.pop("format") == _FORMAT else {}
            parts = {name: tuple(values) for name, values in content.pop("partials").items()}
            return cls(**content, partials=parts)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            message = f"Not totals that prodml has written: {text[:80]!r}."
            raise FormatError(message) from error


def _condense(parts: Iterable[float]) -> tuple[float, ...]:
    """Return few numbers with the same exact sum: one int, and floats that do not overlap."""
    listed = list(parts)
    whole = sum(part for part in listed if isinstance(part, int))
    floats = add_exactly((), (part for part in listed if not isinstance(part, int)))
    return (whole, *floats) if whole else floats


def _sum(parts: tuple[float, ...]) -> float:
    if all(isinstance(part, int) for part in parts):
        return sum(parts)
    from fractions import Fraction

    # `math.fsum` would round a large whole number before it adds it
    return float(sum(map(Fraction, parts)))
