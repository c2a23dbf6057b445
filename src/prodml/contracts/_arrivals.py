"""What has changed about the values of one column since its contract was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from prodml._core.columns import count_missing, is_categorical, python_values
from prodml.contracts._families import Family, family_of, known_values
from prodml.contracts._inclusion import accepts_none
from prodml.contracts._rebuilding import Acceptor, acceptor_of
from prodml.contracts._schema_change import SchemaChange
from prodml.contracts._tagged import from_tagged
from prodml.contracts._wording import type_text
from prodml.contracts.violation import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prodml.contracts._shapes import TypeDescription
    from prodml.evidence import Verdict

__all__ = ["value_changes"]

#: Distinct values of a column that are looked at.
_MOST_VALUES: Final = 10_000
_MOST_SHOWN: Final = 5

_CONTAINERS: Final[frozenset[Family]] = frozenset({"list", "mixed", "other"})
_RECORDS: Final[frozenset[Family]] = frozenset({"dict", "mixed", "other"})
#: What is expected to arrive for a kind of type. Kinds that are not listed take anything.
_NATURAL: Final[dict[str, frozenset[Family]]] = {
    "bool": frozenset({"bool"}),
    "int": frozenset({"int"}),
    "float": frozenset({"float", "int"}),
    "complex": frozenset({"complex", "float", "int"}),
    "decimal": frozenset({"decimal", "int"}),
    "str": frozenset({"str"}),
    "url": frozenset({"str"}),
    "json": frozenset({"str"}),
    "bytes": frozenset({"bytes"}),
    "date": frozenset({"date"}),
    "datetime": frozenset({"datetime"}),
    "time": frozenset({"time"}),
    "timedelta": frozenset({"timedelta"}),
    "uuid": frozenset({"str", "mixed", "other"}),
    **dict.fromkeys(("list", "set", "frozenset", "tuple", "deque"), _CONTAINERS),
    **dict.fromkeys(("dict", "model", "dataclass", "typed-dict"), _RECORDS),
}
_OF_VALUE: Final[dict[type, Family]] = {bool: "bool", int: "int", float: "float", str: "str"}
#: What stands for a type that pandas has no dtype for: whole numbers with gaps, days.
_STAND_INS: Final[dict[str, Family]] = {"int": "float", "date": "datetime"}
_IN_WORDS: Final[dict[Family, str]] = {
    "bool": "booleans",
    "int": "whole numbers",
    "float": "numbers",
    "complex": "complex numbers",
    "decimal": "decimals",
    "str": "text",
    "bytes": "bytes",
    "date": "dates",
    "datetime": "moments",
    "time": "times of day",
    "timedelta": "durations",
    "list": "lists",
    "dict": "records",
    "mixed": "values of several types",
    "other": "values of another type",
}


def value_changes(
    expected: TypeDescription, column: Any, /, *, label: str
) -> Iterator[SchemaChange]:
    """Yield what the values of a column say about its type, its categories and its gaps.

    Parameters
    ----------
    expected : TypeDescription
        What the contract expects.
    column : array
        The column as ``Series.array`` gives it.
    label : str
        What it is called.
    """
    yield from _gaps(expected, column, label)
    arrived = family_of(column)
    choices = list(_choices(expected))
    natural = _natural(choices)
    if arrived == "nothing" or natural is None:
        return
    if arrived not in natural:
        yield from _type_change(expected, choices, column, arrived, label)
    elif all(one.kind in {"literal", "enum"} for one in choices):
        yield from _new_categories(expected, column, label)


def _gaps(expected: TypeDescription, column: Any, label: str) -> Iterator[SchemaChange]:
    n_missing = count_missing(column)
    if not n_missing:
        return
    verdict = accepts_none(expected).verdict
    if verdict != "pass":
        yield SchemaChange(
            kind="nullability",
            column=label,
            expected="never missing",
            found=f"{n_missing} of {len(column)} missing",
            verdict=verdict,
            message=f"{n_missing:,} of {len(column):,} values are missing, and "
            + ("none may be" if verdict == "fail" else "a validator decides on them"),
        )


def _choices(expected: TypeDescription) -> Iterator[TypeDescription]:
    """Yield the types of which a value must have one, None aside."""
    if expected.kind in {"nullable", "union", "tagged-union"}:
        for part in expected.parts.values():
            yield from _choices(part)
    elif expected.kind != "none":
        yield expected


def _natural(choices: list[TypeDescription]) -> frozenset[Family] | None:
    """Return what may arrive without a word, or None where anything may."""
    found: set[Family] = set()
    for one in choices:
        if one.kind in {"literal", "enum"}:
            values = [from_tagged(value) for value in one.rules.get("values", ())]
            found |= {_OF_VALUE.get(type(value), "other") for value in values if value is not None}
        elif one.kind in _NATURAL:
            found |= _NATURAL[one.kind]
        else:
            return None
    return frozenset(found)


def _type_change(
    expected: TypeDescription,
    choices: list[TypeDescription],
    column: Any,
    arrived: Family,
    label: str,
) -> Iterator[SchemaChange]:
    values, complete = known_values(column, limit=_MOST_VALUES)
    acceptor = acceptor_of(expected, upper=False)
    unread = _unread(acceptor, values)
    stands_in = any(_STAND_INS.get(one.kind) == arrived for one in choices)
    gaps = arrived != "float" or count_missing(column) > 0
    if stands_in and gaps and acceptor is not None and not unread:
        return
    among = f"{len(values):,}" if complete else f"the first {len(values):,}"
    verdict: Verdict
    if acceptor is None:
        verdict, seen = "inconclusive", "a validator decides whether they can be read"
    elif unread:
        verdict = "fail"
        seen = (
            f"{len(unread):,} of {among} distinct values cannot be read, such as {_shown(unread)}"
        )
    else:
        verdict, seen = "warn", f"all of {among} distinct values can be read as that"
    yield SchemaChange(
        kind="type",
        column=label,
        expected=type_text(expected),
        found=f"{arrived} ({column.dtype})",
        verdict=verdict,
        message=f"{_IN_WORDS.get(arrived, arrived)} instead of {type_text(expected)}; {seen}",
    )


def _new_categories(expected: TypeDescription, column: Any, label: str) -> Iterator[SchemaChange]:
    values, _ = known_values(column, limit=_MOST_VALUES)
    acceptor = acceptor_of(expected, upper=False)
    if acceptor is None:
        return  # a validator may map any value to one of them
    unread = _unread(acceptor, values)
    if unread:
        yield SchemaChange(
            kind="category",
            column=label,
            expected=type_text(expected),
            found=_shown(unread),
            verdict="fail",
            message=f"{len(unread):,} of {len(values):,} distinct values are not expected: "
            f"{_shown(unread)}",
        )
    elif is_categorical(column):
        declared = [one for one in python_values(column.categories.array) if one is not None]
        unused = _unread(acceptor, declared)
        if unused:
            yield SchemaChange(
                kind="category",
                column=label,
                expected=type_text(expected),
                found=_shown(unused),
                verdict="warn",
                message=f"the dtype has categories that are not expected and don't occur yet: "
                f"{_shown(unused)}",
            )


def _unread(acceptor: Acceptor | None, values: list[Any]) -> list[Any]:
    return [] if acceptor is None else [one for one in values if not acceptor.accepts(one)]


def _shown(values: list[Any]) -> str:
    more = ", ..." if len(values) > _MOST_SHOWN else ""
    return ", ".join(shorten(value) for value in values[:_MOST_SHOWN]) + more
