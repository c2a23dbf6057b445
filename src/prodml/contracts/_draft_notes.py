"""What a person should look at before a draft becomes a contract."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from prodml.contracts.violation import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prodml.contracts._column_facts import ColumnFacts

__all__ = ["DraftNote", "NoteKind", "notes_on"]

#: What a note is about.
NoteKind = Literal[
    "alias", "ambiguous_dates", "any_value", "candidate_key", "constant", "dates", "digits",
    "empty", "missing_marker", "numbers_as_text", "whitespace", "whole_numbers",
]  # fmt: skip

#: Texts by which exporters and people say that there is no value.
_MARKERS: Final = frozenset(
    {"", "?", "-", "--", ".", "NA", "N/A", "n/a", "na", "#N/A", "NULL", "Null", "null", "None"}
    | {"none", "NaN", "nan", "Nan", "NIL", "nil", "missing", "Missing", "MISSING", "unknown"}
    | {"Unknown", "UNKNOWN", "undefined", "\\N", " ", " ?", " NA"}
)
_NUMBER_MARKERS: Final = (-999, -9999, -99999, 9999, 99999, 999999)
_NUMBER: Final = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")
_DAY_AND_MONTH: Final = re.compile(r"\s*\d{1,2}[./-]\d{1,2}[./-](\d{4}|\d{2})\b.*", re.DOTALL)
_MOST_SHOWN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftNote:
    """Something about a column that a person should look at.

    Attributes
    ----------
    column : str
        The column.
    kind : str
        ``"missing_marker"``, ``"digits"``, ``"constant"``, ``"candidate_key"``, ``"empty"`` ...
    message : str
        What was seen, and what it may mean.
    """

    column: str
    kind: NoteKind
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"column": self.column, "kind": self.kind, "message": self.message}

    def __str__(self) -> str:
        return f"{self.column!r}: {self.message}"


def notes_on(facts: ColumnFacts, /, *, name: str, type_name: str) -> Iterator[DraftNote]:
    """Yield what is to be looked at about a column.

    Parameters
    ----------
    facts : ColumnFacts
        What the sample shows.
    name, type_name : str
        The field that the draft has for it, and its type.
    """
    for kind, message in (
        *_on_name(facts, name),
        *_on_type(facts, type_name),
        *_on_text(facts, type_name),
        *_on_values(facts),
    ):
        yield DraftNote(column=facts.column, kind=kind, message=message)


def _on_name(facts: ColumnFacts, name: str) -> Iterator[tuple[NoteKind, str]]:
    if name != facts.column:
        yield "alias", f"is no name for a field, so {name} reads it by an alias"


def _on_type(facts: ColumnFacts, type_name: str) -> Iterator[tuple[NoteKind, str]]:
    if facts.family == "nothing" or (type_name == "Any" and not facts.n_rows):
        yield "empty", f"holds no value in {facts.n_rows:,} rows, so any value is accepted"
    elif type_name == "Any":
        yield "any_value", f"holds values of no single type ({facts.dtype}); any value is accepted"
    elif facts.family == "str" and type_name in {"date", "NaiveDatetime", "AwareDatetime"}:
        yield "dates", f"is text, all of it ISO 8601, and is read as {type_name}"


def _on_text(facts: ColumnFacts, type_name: str) -> Iterator[tuple[NoteKind, str]]:
    texts = facts.texts
    if not texts or type_name not in {"str", "Literal"}:
        return
    markers = sorted(_MARKERS.intersection(texts))
    if markers:
        yield "missing_marker", f"{_shown(markers)} may stand for a missing value"
    rest = [text for text in texts if text not in _MARKERS] if markers else texts
    yield from _on_look(rest, f" but for {_shown(markers)}" if markers else "")
    if any(text != text.strip() for text in rest):
        said = "has values with spaces around them, which str_strip_whitespace=True takes off"
        yield "whitespace", said


def _on_look(texts: list[str], but: str) -> Iterator[tuple[NoteKind, str]]:
    """Yield what texts look like, if all of them look alike."""
    if not texts:
        return
    if all(text.isdecimal() for text in texts):
        zeros = " with leading zeros" if any(_has_leading_zero(text) for text in texts) else ""
        yield "digits", f"is text of digits{zeros}{but}: an identifier, or a number?"
    elif all(_NUMBER.fullmatch(text) for text in texts):
        yield "numbers_as_text", f"is text that can all be read as numbers{but}"
    elif all(_DAY_AND_MONTH.match(text) for text in texts):
        such = f"{but}, such as {_shown(texts[:1])}"
        yield "ambiguous_dates", f"looks like dates{such}; which part is the day is not certain"


def _on_values(facts: ColumnFacts) -> Iterator[tuple[NoteKind, str]]:
    values = facts.values
    if not values:
        return
    if len(values) == 1 and facts.n_known > 1:
        yield "constant", f"has one value only, {shorten(values[0])}"
    unique = len(values) == facts.n_rows and facts.n_rows > 1
    if unique and facts.family in {"int", "str"}:
        yield "candidate_key", f"differs in all {facts.n_rows:,} rows, so it may be a key"
    if facts.family in {"int", "float"}:
        yield from _on_numbers(facts, values)


def _on_numbers(facts: ColumnFacts, values: list[Any]) -> Iterator[tuple[NoteKind, str]]:
    finite = [one for one in values if math.isfinite(one)]
    gaps = facts.family == "float" and facts.n_missing and len(finite) == len(values)
    if gaps and all(float(one).is_integer() for one in finite):
        said = "holds whole numbers with gaps, which pandas keeps as floats: rather int | None?"
        yield "whole_numbers", said
    ends = {min(finite), max(finite)} if len(finite) > 1 else set()
    if found := [one for one in _NUMBER_MARKERS if one in ends]:
        yield "missing_marker", f"{_shown(found)} may stand for a missing value"


def _has_leading_zero(text: str) -> bool:
    return len(text) > 1 and text.startswith("0")


def _shown(values: list[Any]) -> str:
    more = ", ..." if len(values) > _MOST_SHOWN else ""
    return ", ".join(shorten(value) for value in values[:_MOST_SHOWN]) + more
