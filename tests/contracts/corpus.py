"""Fields and columns at the edges of what pydantic accepts: every pair of them is a test."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Literal, Optional
from uuid import UUID

import numpy as np
import pandas as pd
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    NaiveDatetime,
    Strict,
    StringConstraints,
)


class Colour(enum.Enum):
    RED = "red"
    TWO = 2


class Size(str, enum.Enum):
    SMALL = "s"
    LARGE = "l"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 5


class Point(BaseModel):
    x: int = Field(ge=0)
    y: float = 0.0


def _upper(text: str) -> str:
    if text == "bad":
        message = "bad it is"
        raise ValueError(message)
    return text.upper()


def _question_mark(value: Any) -> Any:
    return None if value == "?" else value


def _sign(number: float) -> float:
    return math.copysign(1.0, number)


_MOMENT = datetime(2024, 5, 17, 12, 30)

FIELDS: dict[str, Any] = {
    "int": int,
    "int_or_none": int | None,
    "int_bounds": Annotated[int, Field(ge=1, lt=100)],
    "int_open_bounds": Annotated[int, Field(gt=0, le=2**62)],
    "int_huge_bounds": Annotated[int, Field(ge=-(2**70), le=2**70)],
    "int_both_bounds": Annotated[int, Field(ge=5, gt=5, le=3)],
    "int_multiple": Annotated[int, Field(multiple_of=3)],
    "int_strict": Annotated[int, Strict()],
    "int_optional_bounds": Optional[Annotated[int, Field(ge=0)]],
    "float": float,
    "float_or_none": float | None,
    "float_bounds": Annotated[float, Field(gt=0, le=0.1)],
    "float_int_bounds": Annotated[float, Field(ge=-1, lt=2**60)],
    "float_finite": Annotated[float, Field(allow_inf_nan=False)],
    "float_finite_or_none": Optional[Annotated[float, Field(ge=0, allow_inf_nan=False)]],
    "float_strict": Annotated[float, Strict()],
    "float_multiple": Annotated[float, Field(multiple_of=0.5)],
    "bool": bool,
    "bool_or_none": bool | None,
    "bool_strict": Annotated[bool, Strict()],
    "str": str,
    "str_or_none": str | None,
    "str_lengths": Annotated[str, Field(min_length=2, max_length=4)],
    "str_contradiction": Annotated[str, Field(min_length=4, max_length=2)],
    "str_longest": Annotated[str, Field(max_length=3)],
    "str_strip": Annotated[str, StringConstraints(strip_whitespace=True)],
    "str_strip_lengths": Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=3)
    ],
    "str_strip_pattern": Annotated[
        str, StringConstraints(strip_whitespace=True, pattern=r"^[a-z]+$")
    ],
    "str_lower": Annotated[str, StringConstraints(to_lower=True)],
    "str_pattern": Annotated[str, Field(pattern=r"^[a-z0-9._]+@[a-z0-9]+\.[a-z]{2,4}$")],
    "str_pattern_digits": Annotated[str, Field(pattern=r"^\d+$")],
    "str_pattern_word": Annotated[str, Field(pattern=r"^\w+$")],
    "str_pattern_not_word": Annotated[str, Field(pattern=r"^\W+$")],
    "str_pattern_not_digit": Annotated[str, Field(pattern=r"^[^\d]+$")],
    "str_pattern_boundary": Annotated[str, Field(pattern=r"\bab")],
    "str_pattern_insensitive": Annotated[str, Field(pattern=r"(?i)^k$")],
    "str_pattern_negated": Annotated[str, Field(pattern=r"^[^@]+@[^@]+$")],
    "str_pattern_space": Annotated[str, Field(pattern=r"^a\sb$")],
    "str_pattern_lengths": Annotated[str, Field(pattern=r"a", min_length=2, max_length=3)],
    "str_strict": Annotated[str, Strict()],
    "str_validator": Annotated[str, AfterValidator(_upper)],
    "str_before": Annotated[str | None, BeforeValidator(_question_mark)],
    "float_validator": Annotated[float, AfterValidator(_sign)],
    "literal": Literal["a", "b"],
    "literal_int": Literal[1, 2],
    "literal_mixed": Literal["a", 1, None],
    "enum": Colour,
    "enum_str": Size,
    "enum_int": Level,
    "enum_or_none": Size | None,
    "datetime": datetime,
    "datetime_or_none": datetime | None,
    "datetime_bounds": Annotated[datetime, Field(ge=_MOMENT, lt=datetime(2030, 1, 1))],
    "datetime_aware": AwareDatetime,
    "datetime_naive": NaiveDatetime,
    "datetime_aware_bounds": Annotated[datetime, Field(ge=datetime(2024, 1, 1, tzinfo=UTC))],
    "datetime_strict": Annotated[datetime, Strict()],
    "date": date,
    "date_or_none": date | None,
    "date_bounds": Annotated[date, Field(ge=date(2024, 1, 1))],
    "date_strict": Annotated[date, Strict()],
    "time": time,
    "timedelta": timedelta,
    "timedelta_bounds": Annotated[timedelta, Field(ge=timedelta(0))],
    "decimal": Decimal,
    "decimal_bounds": Annotated[Decimal, Field(ge=1, max_digits=4, decimal_places=2)],
    "bytes": bytes,
    "uuid": UUID,
    "union": int | str,
    "nested": Point,
    "nested_or_none": Point | None,
    "list": list[int],
    "dict": dict[str, float],
    "any": Any,
}

#: Bounds that pydantic takes, and that no kernel should try to understand.
ODD_BOUNDS: dict[str, Any] = {
    "int_bool_bound": Annotated[int, Field(ge=True)],
    "int_float_bound": Annotated[int, Field(le=2.0)],
    "float_nan_bound": Annotated[float, Field(ge=math.nan)],
    "float_bool_bound": Annotated[float, Field(le=True)],
}

_TEXTS = [
    "a", "b", "ab", "abc", "abcd", "abcde", "", " ", " a ", "\ta\n", "a b", "a\u00a0b", "\u00a0a",
    "\x1fa", "\u2003a\u2003", "é", "éééé", "日本語", "bad", "?", "red", "s", "l", "1", "2", "-1",
    "1.0", "1.5", " 12 ", "1_000", "007", "nan", "inf", "true", "False", "yes", "None", "K", "k",
    "\u212a", "٣", "x@y.de", "user.1@mail2.com", "x@y.d\u00e9", "a\n", "a@b\n", "2024-05-17",
    "2024-05-17T12:30:00", "2024-05-17T12:30:00Z", "2024-05-17T12:30:00+02:00", "PT1H", "12:30",
    "9223372036854775807", "9223372036854775808", "12345678-1234-5678-1234-567812345678", "0.1",
    "a\x00b", "<=50K.",
]  # fmt: skip
_INTS = [0, 1, 2, 3, 5, 99, 100, -1, 127, 2**31, 2**53, 2**53 + 1, 2**62, 2**63 - 1, -(2**63)]
_FLOATS = [
    0.0, -0.0, 1.0, 2.0, 1.5, -1.0, 0.1, 0.10000000149011612, 0.2, 99.0, 1e300, 2.0**53, 2.0**63,
    -(2.0**63), 9.3e18, 1e-320, math.inf, -math.inf,
]  # fmt: skip
_DATETIMES = [
    datetime(2024, 5, 17, 12, 30), datetime(2024, 5, 17), datetime(2030, 1, 1),
    datetime(1969, 12, 31, 23, 59, 59, 999999), datetime(2023, 1, 1), datetime(1970, 1, 1),
    datetime(2262, 1, 1),
]  # fmt: skip
_ZONED = [one.replace(tzinfo=UTC) for one in _DATETIMES]
_DELTAS = [timedelta(0), timedelta(days=1), timedelta(microseconds=-1), timedelta(days=-3, hours=1)]
_ODD = [
    None, math.nan, pd.NaT, pd.NA, True, False, 1, 1.0, "1", b"1", b"\xc3\xa9", "a", -0.0, 2**63,
    2**100, -(2**64), 1.5, math.inf, Decimal("1.50"), Decimal("NaN"), Decimal("12345.6"),
    datetime(2024, 5, 17), date(2024, 5, 17), date(2020, 1, 1), time(12), timedelta(1),
    datetime(2024, 5, 17, tzinfo=timezone(timedelta(hours=5))), pd.Timestamp("2024-05-17"),
    pd.Timestamp("2024-05-17 00:00:00.000000001"), pd.Timestamp("2024-05-17", tz="Europe/Paris"),
    pd.Timedelta("1D"), np.int64(3), np.float32(0.1), np.float64("nan"), np.bool_(True),
    np.str_("a"), np.datetime64("2024-05-17", "ns"), np.datetime64("NaT", "us"),
    np.timedelta64(1, "s"),
    np.datetime64("20000-01-01", "s"), Colour.RED, Size.SMALL, Level.LOW, "\ud800", [1, 2], ["x"],
    {"x": 1}, {"x": -1, "y": 2.0}, {"x": math.nan}, (1,), {1}, np.array([1, 2]), Point(x=1),
    UUID(int=5), complex(1, 2), object, "Kb",
]  # fmt: skip


def _objects(values: list[Any]) -> pd.Series:
    out = np.empty(len(values), dtype=object)
    for at, value in enumerate(values):
        out[at] = value
    return pd.Series(out, dtype=object)


def _datetimes(unit: str) -> pd.Series:
    values = np.array([*_DATETIMES, "NaT"], dtype="M8[us]")
    return pd.Series(values.astype(f"M8[{unit}]"))


def columns(*, arrow: bool) -> Iterator[tuple[str, pd.Series]]:
    """Yield columns by name; those that lie in Arrow only if asked for."""
    yield from _text_columns()
    yield from _number_columns()
    yield from _time_columns()
    yield from _other_columns()
    if arrow:
        yield from _arrow_columns()


def _text_columns() -> Iterator[tuple[str, pd.Series]]:
    # pandas turns a missing value of an object column of text into NaN
    yield "text", pd.Series(_TEXTS)
    yield "text_missing", pd.Series([*_TEXTS, None, None])
    yield "text_object", _objects(_TEXTS)
    yield "text_object_missing", _objects([*_TEXTS[:20], None, math.nan, pd.NA, pd.NaT])
    yield "text_padded", pd.Series(["  a", "b  ", " ab ", " abc\t"])
    yield "text_string", pd.Series([*_TEXTS, None], dtype=pd.StringDtype("python"))
    yield "text_category", pd.Series([*_TEXTS, None, "a", "b"], dtype="category")
    yield "text_one", pd.Series(["a"] * 5)
    yield "text_plain", pd.Series(["a", "b", "a"])


def _number_columns() -> Iterator[tuple[str, pd.Series]]:
    for dtype in ("int8", "int16", "int64", "uint8", "uint64", "float32", "float64", "bool"):
        info = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" else None
        fits = [one for one in _INTS if info is None or info.min <= one <= info.max]
        extremes = [] if info is None else [info.min, info.max]
        # numpy makes floats of a list that no single kind of integer holds
        exact = np.array([*fits, *extremes], dtype=dtype if info is not None else None)
        yield dtype, pd.Series(exact.astype(dtype))
    yield "floats", pd.Series(_FLOATS)
    yield "floats_missing", pd.Series([*_FLOATS, math.nan, 3.0])
    yield "floats_only_missing", pd.Series([math.nan, math.nan])
    yield "floats_whole", pd.Series([1.0, 2.0, math.nan])
    yield "float32_edge", pd.Series(np.array([0.1, 0.2, np.nan, np.inf, 0.5], dtype="float32"))
    yield "float16", pd.Series(np.array([0.1, 1.0, np.nan], dtype="float16"))
    yield "Int64", pd.Series([*_INTS, None], dtype="Int64")
    yield "UInt8", pd.Series([0, 255, None], dtype="UInt8")
    yield "Float64", pd.Series([0.1, None, 2.0, -0.0], dtype="Float64")
    yield "boolean", pd.Series([True, False, None], dtype="boolean")
    yield "bool_object", _objects([True, False, True])
    yield "int_object", _objects([1, 2, 3, 2**70])
    yield "int_category", pd.Series([1, 2, 5, 1], dtype="category")
    yield "float_category", pd.Series([1.0, 0.1, math.nan], dtype="category")


def _time_columns() -> Iterator[tuple[str, pd.Series]]:
    for unit in ("s", "ms", "us", "ns"):
        yield f"datetime_{unit}", _datetimes(unit)
    yield "datetime_nanos", pd.Series(pd.to_datetime([1, -1, 999, 86_400_000_000_001], unit="ns"))
    yield "datetime_far", pd.Series(np.array(["20000-01-01", "0001-01-01"], dtype="M8[s]"))
    yield "datetime_before", pd.Series(np.array(["-0001-01-01", "9999-12-31"], dtype="M8[s]"))
    yield "datetime_zoned", pd.Series(pd.DatetimeIndex([*_ZONED, None]).tz_convert("Asia/Tokyo"))
    yield "datetime_object", _objects([*_DATETIMES, *_ZONED])
    yield "datetime_category", pd.Series(_DATETIMES, dtype="category")
    yield "date_object", _objects([date(2024, 5, 17), date(1, 1, 1), date(2023, 12, 31)])
    yield "date_object_missing", _objects([date(2024, 5, 17), None])
    yield "timedelta", pd.Series([*_DELTAS, None])
    yield "timedelta_ns", pd.Series(pd.to_timedelta([1, -1, 1000], unit="ns"))
    yield "timedelta_far", pd.Series(np.array([2**62 // 10**6, 5], dtype="m8[s]"))


def _other_columns() -> Iterator[tuple[str, pd.Series]]:
    yield "period", pd.Series(pd.period_range("2024-01", periods=2, freq="M"))
    yield "sparse", pd.Series(pd.arrays.SparseArray([0.0, 1.0, math.nan]))
    yield "complex", pd.Series([1 + 2j, 3 + 0j])
    yield "odd", _objects(_ODD)
    yield "odd_reversed", _objects(_ODD[::-1])
    yield "empty_object", _objects([])
    yield "empty_float", pd.Series([], dtype="float64")
    yield "empty_text", pd.Series([], dtype=pd.Series(["a"]).dtype)


def _arrow_columns() -> Iterator[tuple[str, pd.Series]]:
    import pyarrow as pa

    make: Callable[..., pd.Series] = lambda values, kind: pd.Series(  # noqa: E731
        values, dtype=pd.ArrowDtype(kind)
    )
    yield "string_pyarrow", pd.Series([*_TEXTS, None], dtype="string[pyarrow]")
    yield "arrow_string", make([*_TEXTS, None], pa.string())
    yield "arrow_large_string", make([*_TEXTS, None], pa.large_string())
    yield "arrow_int64", make([*_INTS, None], pa.int64())
    yield "arrow_uint64", make([0, 2**64 - 1, None], pa.uint64())
    yield "arrow_float64", make([0.1, None, -0.0, math.inf], pa.float64())
    yield "arrow_float32", make([0.1, None, 2.0], pa.float32())
    yield "arrow_bool", make([True, None, False], pa.bool_())
    yield "arrow_timestamp", make([*_DATETIMES, None], pa.timestamp("us"))
    yield "arrow_timestamp_ns", make(_DATETIMES, pa.timestamp("ns"))
    yield "arrow_timestamp_tz", make([*_ZONED, None], pa.timestamp("us", tz="UTC"))
    yield "arrow_date", make([date(2024, 5, 17), None], pa.date32())
    yield "arrow_duration", make([*_DELTAS, None], pa.duration("us"))
    yield "arrow_decimal", make([Decimal("1.50"), None], pa.decimal128(6, 2))
    yield "arrow_binary", make([b"a", None], pa.binary())
    yield "arrow_list", make([[1, 2], None, []], pa.list_(pa.int64()))
    yield "arrow_struct", make([{"x": 1}, None], pa.struct([("x", pa.int64())]))
    chunked = pa.chunked_array([["a", " b"], [], ["c ", None]])
    yield "arrow_chunked", pd.Series(pd.arrays.ArrowExtensionArray(chunked))
