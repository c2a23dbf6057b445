"""Values at the edges of a type, to find one that fits one version and not the other."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from prodml.contracts._rebuilding import acceptor_of
from prodml.contracts._tagged import UNKNOWN, from_tagged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prodml.contracts._shapes import TypeDescription

__all__ = ["candidates", "guises", "sample_of"]

_DAY: Final = timedelta(days=1)
_TICK: Final = timedelta(microseconds=1)
#: Plain values of every type, those first that a person would think of first.
_ANYTHING: Final[tuple[Any, ...]] = (
    None, 1, 0, -1, 2, 10, 100, 86400, 86401, 2**31, 2**63, -(2**63) - 1, 10**30, 0.5, 1.0, -1.5,
    1e300, math.inf, -math.inf, "a", "", "A", "ab", "abc", "a" * 10, "a" * 100, "a" * 3000, "x y",
    " a ", "  ", "1", "0", "-1", "0.5", "1.0", "1e3", "nan", "inf", "-inf", "true", "no",
    "é", "日本", "a@b.co", "2024-05-17", "2024-05-17T12:30:00", "2024-05-17T12:30:00Z",
    "2024-05-17T12:30:00.1234567", "12:30:00", "P1D", "https://example.org/", "ftp://example.org/",
    "12345678-1234-4678-9234-567812345678", "12345678-1234-1678-9234-567812345678",
    date(2024, 5, 17), date.min, date.max, datetime(2024, 5, 17, 12, 30),  # noqa: DTZ001 - data may be naive
    datetime(2024, 5, 17), datetime(2024, 5, 17, tzinfo=UTC),  # noqa: DTZ001
    datetime(2024, 5, 17, 12, tzinfo=timezone(timedelta(hours=5))),
    datetime(1, 1, 2), datetime(9999, 12, 30), datetime(1, 1, 2, tzinfo=UTC),  # noqa: DTZ001
    datetime(9999, 12, 30, tzinfo=UTC), time(12, 30), time(12, 30, tzinfo=UTC), _DAY, -_DAY,
    Decimal(1), Decimal("0.5"), Decimal("123456.789"), Decimal("Infinity"),
    UUID("12345678-1234-4678-9234-567812345678"), UUID("12345678-1234-1678-9234-567812345678"),
    [], {}, [1], ["a"], [None], [1, 1], ["a", "b", "c"], {"a": 1}, {"a": "b"}, {1: 2}, (), (1,),
    (1, "a"), {1}, {"a"}, frozenset({1}), b"a", b"", b"1", b"\xff", True, False, "1_000", " 12 ",
)  # fmt: skip
_LETTERS: Final = ("a", "0", "A", "é", " ")
_LONGEST_TEXT: Final = 100_000
#: Values of a part that are tried within a whole.
_MOST_OF_PART: Final = 150


def candidates(*types: TypeDescription) -> Iterator[Any]:
    """Yield values at the edges of types, then plain values of every kind."""
    for one in types:
        yield from _edges(one)
    yield from _ANYTHING


def sample_of(described: TypeDescription, /) -> Any:
    """Return a value that a type takes, or ``UNKNOWN`` if none was found."""
    acceptor = acceptor_of(described, upper=False)
    if acceptor is None:
        return UNKNOWN
    found = (value for value in candidates(described) if acceptor.accepts(value))
    return next(found, UNKNOWN)


def guises(value: Any, /) -> list[Any]:
    """Return what pydantic may take for a value: the same in other types, or as text."""
    if isinstance(value, bool):
        return [value, int(value), float(value), Decimal(int(value)), str(int(value))]
    if isinstance(value, int):
        flag = [bool(value)] if value in {0, 1} else []
        number = [float(value)] if abs(value) < 2**53 else []
        text = [str(value), f" {value} ", f"{value}.0", str(value).encode()]
        return [value, *number, Decimal(value), *text, *flag]
    if isinstance(value, float) and math.isfinite(value):
        whole = guises(int(value)) if value.is_integer() else []
        return [value, Decimal(value), repr(value), f" {value!r} ", repr(value).encode(), *whole]
    if isinstance(value, str):
        return [value, value.encode(errors="replace")]
    return [value]


def _edges(described: TypeDescription) -> Iterator[Any]:
    rules = {name: from_tagged(content) for name, content in described.rules.items()}
    for name in ("ge", "gt", "le", "lt"):
        if name in rules:
            yield from _around(rules[name])
    if "multiple_of" in rules:
        yield from _multiples(rules)
    yield from _lengths(described, rules)
    if isinstance(rules.get("values"), list):
        for value in rules["values"]:
            yield from guises(value)
    yield from _digits(rules)
    for part in described.parts.values():
        yield from _edges(part)
    yield from _around_parts(described)


def _around(bound: Any) -> Iterator[Any]:
    yield bound
    if isinstance(bound, int | float):
        yield repr(bound).encode()
    if isinstance(bound, int):
        yield from (bound - 1, bound + 1, bound - 0.5, bound + 0.5)
    elif isinstance(bound, float) and math.isfinite(bound):
        yield from (math.nextafter(bound, -math.inf), math.nextafter(bound, math.inf))
        yield from (math.floor(bound), math.ceil(bound), bound - 1, bound + 1)
    elif isinstance(bound, Decimal) and bound.is_finite():
        near = Decimal(1).scaleb(-6)
        half = Decimal("0.5")
        yield from (bound - near, bound + near, bound - half, bound + half, bound - 1, bound + 1)
    elif isinstance(bound, date | timedelta):
        step = _DAY if type(bound) is date else _TICK
        for sign in (-1, 1):
            try:
                yield bound + sign * step
                yield bound + sign * _DAY
            except OverflowError:
                continue


def _multiples(rules: dict[str, Any]) -> Iterator[Any]:
    step = rules["multiple_of"]
    if not isinstance(step, int | float | Decimal) or step == 0:
        return
    starts = [rules[name] for name in ("ge", "gt", "le", "lt") if name in rules] or [0]
    for start in starts:
        try:
            near = math.floor(Fraction(start) / Fraction(step))
        except (OverflowError, TypeError, ValueError):
            continue
        yield from (step * (near + shift) for shift in range(-3, 4))


def _lengths(described: TypeDescription, rules: dict[str, Any]) -> Iterator[Any]:
    for name in ("min_length", "max_length"):
        limit = rules.get(name)
        if not isinstance(limit, int) or limit > _LONGEST_TEXT:
            continue
        for length in (limit, limit - 1, limit + 1):
            if length < 0:
                continue
            if described.kind in {"str", "bytes", "url"}:
                yield from (letter * length for letter in _LETTERS)
                yield from (f"{'a' * length} ", f" {'a' * (length - 1)}", b"a" * length)
            elif length <= 1000:  # noqa: PLR2004 - enough to show it
                yield from _containers(described, length)


def _containers(described: TypeDescription, length: int) -> Iterator[Any]:
    items = described.parts.get("items")
    one = 1 if items is None else sample_of(items)
    yield [one] * length
    yield list(range(length))
    yield [str(number) for number in range(length)]
    yield {str(number): number for number in range(length)}
    yield {str(number): str(number) for number in range(length)}


def _digits(rules: dict[str, Any]) -> Iterator[Any]:
    places, total = rules.get("decimal_places"), rules.get("max_digits")
    if isinstance(places, int):
        yield from (Decimal(1).scaleb(-places), Decimal(1).scaleb(-places - 1))
    if isinstance(total, int):
        yield from (Decimal("9" * total or "0"), Decimal("9" * (total + 1)))
        if isinstance(places, int) and total >= places:
            whole = total - places
            yield from (Decimal("9" * whole or "0"), Decimal("9" * (whole + 1)))


def _around_parts(described: TypeDescription) -> Iterator[Any]:
    """Yield containers and records with one odd value in each."""
    if described.fields:
        yield from _records(described)
        return
    parts = described.parts
    if "items" in parts:
        yield from ([value] for value in _some(parts["items"]))
    if "values" in parts:
        yield from ({"a": value} for value in _some(parts["values"]))
    if "keys" in parts:
        inside = sample_of(parts["values"]) if "values" in parts else 1
        yield from ({value: inside} for value in _some(parts["keys"]) if _is_hashable(value))
    if described.kind == "tuple":
        plain = [sample_of(part) for part in parts.values()]
        yield tuple(plain)
        for place, part in enumerate(parts.values()):
            yield from ((*plain[:place], value, *plain[place + 1 :]) for value in _some(part))


def _records(described: TypeDescription) -> Iterator[dict[Any, Any]]:
    plain = {one.inputs[0][0]: sample_of(one.type) for one in described.fields if one.required}
    if any(len(one.inputs[0]) > 1 for one in described.fields) or UNKNOWN in plain.values():
        return
    yield plain
    for one in described.fields:
        yield from ({**plain, one.inputs[0][0]: value} for value in _some(one.type))


def _some(described: TypeDescription) -> Iterator[Any]:
    """Yield values of a part: few, since parts have parts."""
    return islice(chain(_edges(described), _ANYTHING), _MOST_OF_PART)


def _is_hashable(value: Any) -> bool:
    return value.__hash__ is not None
