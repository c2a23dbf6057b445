"""The field that a draft has for a column, and what about it is for a person to look at."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import AwareDatetime, Field, NaiveDatetime, TypeAdapter, ValidationError

from prodml.contracts._draft_notes import DraftNote, notes_on

if TYPE_CHECKING:
    from prodml.contracts._column_facts import ColumnFacts

__all__ = ["DraftField", "draft_field"]

#: The type of a field, by its name in the source.
TYPES: Final[dict[str, Any]] = {
    "Any": Any,
    "AwareDatetime": AwareDatetime,
    "Decimal": Decimal,
    "NaiveDatetime": NaiveDatetime,
    "bool": bool,
    "bytes": bytes,
    "date": date,
    "datetime": datetime,
    "float": float,
    "int": int,
    "str": str,
    "time": time,
    "timedelta": timedelta,
}
_OF_FAMILY: Final = {
    "bool": "bool",
    "bytes": "bytes",
    "date": "date",
    "decimal": "Decimal",
    "float": "float",
    "int": "int",
    "str": "str",
    "time": "time",
    "timedelta": "timedelta",
}
_BOUNDED: Final = frozenset({"int", "float", "Decimal", "date", "timedelta", "NaiveDatetime"})
#: Dates that can be read in one way only: year, month and day of ISO 8601, with a time or without.
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(?P<zone>Z|[+-]\d{2}:\d{2})?"
)
_FIRST: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftField:
    """One field of a draft.

    Attributes
    ----------
    name : str
        The attribute.
    column : str
        The column, which becomes an alias where it is another.
    type : str
        Its type as the source has it; ``"Literal"`` with `choices`.
    choices : tuple
        What a Literal takes.
    nullable : bool
        Whether None is accepted.
    bounds : mapping
        Arguments of ``Field``: ``ge``, ``le``, ``min_length``, ``max_length``.
    """

    name: str
    column: str
    type: str
    choices: tuple[Any, ...] = ()
    nullable: bool = False
    bounds: dict[str, Any] = field(default_factory=dict)

    @property
    def arguments(self) -> dict[str, Any]:
        """All arguments of ``Field``; empty where it is not needed."""
        alias = {} if self.name == self.column else {"alias": self.column}
        return {**alias, **self.bounds}

    def annotation(self) -> Any:
        """Return the type, for building the model."""
        base: Any = TYPES[self.type] if self.type in TYPES else Literal[self.choices]
        return base | None if self.nullable and self.type != "Any" else base

    def definition(self) -> tuple[Any, Any]:
        """Return what ``pydantic.create_model`` takes for the field."""
        return self.annotation(), Field(**self.arguments) if self.arguments else ...


def draft_field(
    name: str,
    facts: ColumnFacts,
    /,
    *,
    bounds: bool,
    max_categories: int,
    rows_per_category: int,
) -> tuple[DraftField, list[DraftNote]]:
    """Return the field for a column, and what is to be looked at.

    Parameters
    ----------
    name : str
        The attribute.
    facts : ColumnFacts
        What the sample shows.
    bounds : bool
        Whether the least and the largest value are to be its bounds.
    max_categories, rows_per_category : int
        How few distinct texts, and how many rows for each of them, make a Literal.
    """
    kind = _type_of(facts)
    choices: tuple[Any, ...] = ()
    if kind == "str":
        choices = _categories(facts, max_categories, rows_per_category)
    nullable = facts.n_missing > 0
    limits = {}
    if bounds and not choices:
        limits = _bounds(kind, facts)
    drafted = DraftField(
        name=name,
        column=facts.column,
        type="Literal" if choices else kind,
        choices=choices,
        nullable=nullable,
        bounds=limits,
    )
    return drafted, list(notes_on(facts, name=name, type_name=drafted.type))


def _type_of(facts: ColumnFacts) -> str:
    if facts.family == "str":
        return _type_of_text(facts.texts)
    if facts.family == "datetime":
        return _type_of_moments(facts.values or [], dtype=facts.dtype)
    return _OF_FAMILY.get(facts.family, "Any")


def _type_of_text(texts: list[str]) -> str:
    """Return a type of dates where every text can be read as one, in one way."""
    for pattern, names in ((_DATE, ("date",)), (_MOMENT, ("NaiveDatetime", "AwareDatetime"))):
        if not texts or not all(pattern.fullmatch(text) for text in texts[:_FIRST]):
            continue
        found = [pattern.fullmatch(text) for text in texts]
        zones = {bool(one.groupdict().get("zone")) for one in found if one is not None}
        if None not in found and len(zones) == 1:
            name = names[zones.pop()]
            if _is_all(texts, TYPES[name]):
                return name
    return "str"


def _is_all(values: list[Any], kind: Any) -> bool:
    try:
        TypeAdapter(list[kind]).validate_python(values)
    except ValidationError:
        return False
    return True


def _type_of_moments(values: list[Any], *, dtype: str) -> str:
    zones = {value.utcoffset() is not None for value in values if isinstance(value, datetime)}
    if len(zones) > 1:
        return "datetime"
    if zones:
        return "AwareDatetime" if zones.pop() else "NaiveDatetime"
    return "AwareDatetime" if "," in dtype else "NaiveDatetime"  # as in datetime64[ns, UTC]


def _categories(facts: ColumnFacts, max_categories: int, rows_per_category: int) -> tuple[str, ...]:
    """Return the values of a Literal; nothing where the sample does not make one certain."""
    declared = facts.categories is not None
    values = facts.categories if facts.categories is not None else facts.texts
    few = 1 < len(values) <= max_categories
    enough = declared or facts.n_known >= rows_per_category * len(values)
    if not few or not enough or not all(type(one) is str and _is_encodable(one) for one in values):
        return ()
    return tuple(sorted(values))


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # lone surrogates
        return False
    return True


def _bounds(kind: str, facts: ColumnFacts) -> dict[str, Any]:
    values = facts.values
    if not values:
        return {}
    if kind == "str":
        lengths = [len(text) for text in facts.texts]
        return {"min_length": min(lengths), "max_length": max(lengths)}
    if kind not in _BOUNDED or facts.family == "str":
        return {}
    if kind in {"float", "Decimal"} and not all(map(math.isfinite, values)):
        return {}
    return {"ge": min(values), "le": max(values)}
