"""One reason why a row does not fit, and how several are said in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

__all__ = ["Violation", "describe_violations", "nearest_name"]

_MOST_IN_MESSAGE: Final = 3
_LONGEST_VALUE: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One reason why a row or a record does not fit.

    Attributes
    ----------
    row : int or None
        Position of the row in its frame, from 0; None for a single record.
    column : str
        The column at fault; dotted for nested fields, empty for the row as a whole.
    rule : str
        pydantic's error type, or the rule of a check: ``"greater_than_equal"``, ``"unique"``.
    message : str
        What is wrong, for a person.
    value : object
        The value of the column as it arrived; None if it did not.
    """

    row: int | None
    column: str
    rule: str
    message: str
    value: Any

    def __str__(self) -> str:
        place = "" if self.row is None else f"row {self.row}, "
        column = f"column {self.column!r}: " if self.column else ""
        return f"{place}{column}{self.message} [{self.rule}], got {shorten(self.value)}"


def nearest_name(column: str, names: Container[str]) -> str | None:
    """Return what a reason's dotted path begins with among some names, or None.

    Examples
    --------
    >>> nearest_name("address.lines.0", {"address", "lines"}), nearest_name("", {"address"})
    ('address', None)
    """
    while column not in names:
        column, dot, _ = column.rpartition(".")
        if not dot:
            return None
    return column


def shorten(value: Any) -> str:
    """Return the repr of a value, cut to what a message can carry."""
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def describe_violations(
    contract: str, version: str, violations: Sequence[Violation], *, total: int
) -> str:
    """Return a message that names the contract and the first few violations."""
    shown = "; ".join(str(one) for one in violations[:_MOST_IN_MESSAGE])
    more = total - min(len(violations), _MOST_IN_MESSAGE)
    rest = f"; and {more} more, all in `.violations`" if more > 0 else ""
    return f"Contract {contract!r} (version {version}) rejects: {shown}{rest}."
