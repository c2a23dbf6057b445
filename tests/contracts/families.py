"""Families of models and frames made at random near the edges of what pydantic accepts.

Each family is a function of a random generator that yields (model, frame). They are deterministic
for a seed, so that the mutation test can run them in another process, and they are aimed: values
are drawn at and beside the bounds of their own field, so that rows are accepted and rejected about
equally often. A fuzz that rejects nearly everything proves little.
"""

from __future__ import annotations

import enum
import math
import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Literal, Optional, Self

import numpy as np
import pandas as pd
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NaiveDatetime,
    StringConstraints,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)

from prodml._core.arrow_text import has_arrow
from prodml.contracts import Contract

from .oracle import assert_same_verdict

Case = tuple[Any, pd.DataFrame]
MISSING = (None, math.nan, pd.NaT, pd.NA)
N_ROWS = 24


def _objects(values: list[Any]) -> pd.Series:
    return pd.Series(np.fromiter(values, dtype=object, count=len(values)), dtype=object)


def _row(field: Any, **more: Any) -> Any:
    return create_model("Row", value=(field, ...), **more)


def _some(rng: random.Random, pool: Any) -> list[Any]:
    pool = list(pool)
    return [rng.choice(pool) for _ in range(N_ROWS)]


def _text_dtypes() -> list[Any]:
    arrow = ["string[pyarrow]"] if has_arrow() else []
    return [None, object, "category", pd.StringDtype("python"), *arrow]


def _optional(rng: random.Random, field: Any) -> Any:
    return Optional[field] if rng.random() < 0.5 else field


def integers(rng: random.Random) -> Iterator[Case]:
    """Whole numbers beside their bounds, as ints, floats, booleans, text and all of it mixed."""
    bound = rng.choice([0, 1, 5, 100, 2**53, 2**63 - 1, -(2**63), 10**20])
    keys = rng.sample(["ge", "gt", "le", "lt"], rng.randint(1, 2))
    constraints = {key: bound + rng.choice([0, 0, 1]) for key in keys}
    if rng.random() < 0.2:
        constraints["multiple_of"] = 3
    field = _optional(rng, Annotated[int, Field(**constraints)])
    near = [bound + step for step in (-2, -1, 0, 1, 2)]
    # no value beyond the bound, or none short of it: an extreme alone must tell
    near = rng.choice([near, near[:3], near[2:], near[:4]])
    fits = [one for one in near if -(2**63) <= one < 2**63]
    yield _row(field), pd.DataFrame({"value": _objects(_some(rng, [*near, *map(str, near)]))})
    if fits:
        yield _row(field), pd.DataFrame({"value": np.array(_some(rng, fits), dtype=np.int64)})
        nullable = pd.array(_some(rng, [*fits, None]), dtype="Int64")
        yield _row(field), pd.DataFrame({"value": nullable})
    floats = [float(one) for one in near if abs(one) < 2**60]
    odd = [math.nan, math.inf, -math.inf, *(one + 0.5 for one in floats)]
    yield _row(field), pd.DataFrame({"value": np.array(_some(rng, [*floats * 3, *odd]))})
    mixed = [*near, *floats, True, False, *MISSING, f" {bound} ", f"{bound}.0", "x", np.int64(1)]
    yield _row(field), pd.DataFrame({"value": _objects(_some(rng, mixed))})
    flags = pd.Series(_some(rng, [True, False]))
    yield _row(_optional(rng, Annotated[int, Field(ge=1)])), pd.DataFrame({"value": flags})


def floats(rng: random.Random) -> Iterator[Case]:
    """Floats one step beside their bounds, infinite and missing ones among them."""
    bound = rng.choice([0.0, 0.1, 1.0, -2.5, 1e300, 2.0**53])
    key = rng.choice(["ge", "gt", "le", "lt"])
    finite = {} if rng.random() < 0.5 else {"allow_inf_nan": False}
    field = _optional(rng, Annotated[float, Field(**{key: bound}, **finite)])
    near = [math.nextafter(bound, -math.inf), bound, math.nextafter(bound, math.inf)]
    yield _row(field), pd.DataFrame({"value": np.array(_some(rng, near[:2]))})
    yield _row(field), pd.DataFrame({"value": np.array(_some(rng, near[1:]))})
    pool = [*near * 3, bound - 1, bound + 1, -0.0, math.nan, math.inf, -math.inf]
    yield _row(field), pd.DataFrame({"value": np.array(_some(rng, pool))})
    yield _row(field), pd.DataFrame({"value": pd.array(_some(rng, [*near, None]), dtype="Float64")})
    mixed = [*near, *map(str, near), True, 1, 0, "nan", "inf", "1_0", *MISSING, Decimal("0.1")]
    yield _row(field), pd.DataFrame({"value": _objects(_some(rng, mixed))})
    whole = np.array(_some(rng, [-3, 0, 1, 2, 2**53 + 1]), dtype=np.int64)
    yield _row(field), pd.DataFrame({"value": whole})


def narrow_floats(rng: random.Random) -> Iterator[Case]:
    """float32 values against bounds that float32 cannot hold: 0.1 is above 0.1 there."""
    exact = rng.choice([0.1, 0.2, 0.3, 0.7, 1.1, 3.3, 1e-3, 16777217.0])
    key = rng.choice(["ge", "gt", "le", "lt"])
    field = _optional(rng, Annotated[float, Field(**{key: exact})])
    stored = np.float32(exact)
    near = [np.nextafter(stored, np.float32(0)), stored, np.nextafter(stored, np.float32(np.inf))]
    column = np.array(_some(rng, [*near, *near, np.float32(np.nan)]), dtype=np.float32)
    yield _row(field), pd.DataFrame({"value": column})
    yield _row(field), pd.DataFrame({"value": pd.array(column.astype(object), dtype="Float32")})
    yield _row(field), pd.DataFrame({"value": _objects(list(column))})


_LETTERS = ["a", "b", "é", "日", "\U0001f600", "A", "1"]
_SPACES = [" ", "\t", "\n", "\u00a0", "\u2003", "\x1f", "\x0b", "\x85"]


def lengths(rng: random.Random) -> Iterator[Case]:
    """Text whose length in characters and in bytes lie on different sides of a bound."""
    low = rng.randint(0, 4)
    high = rng.choice([None, low, low + 1, low + 2])
    field = _optional(rng, Annotated[str, Field(min_length=low, max_length=high)])
    sizes = [rng.randint(max(low - 1, 0), low + 2) for _ in range(12)]
    words = ["".join(rng.choices(_LETTERS, k=size)) for size in sizes]
    for dtype in _text_dtypes():
        some = pd.Series(_some(rng, [*words, None]), dtype=dtype)
        yield _row(field), pd.DataFrame({"value": some})
    mixed = [*words, b"ab", "é".encode(), 1]
    yield _row(field), pd.DataFrame({"value": _objects(_some(rng, mixed))})


def white_space(rng: random.Random) -> Iterator[Case]:
    """Text to be stripped of white space, of which Unicode knows more kinds than ASCII."""
    pattern = rng.choice([None, None, "^[a-z]+$", r"^\S.*$"])
    constraints = StringConstraints(
        strip_whitespace=True, min_length=1, max_length=rng.choice([2, 3]), pattern=pattern
    )
    field = _optional(rng, Annotated[str, constraints])
    words = []
    for _ in range(12):
        left, right = (rng.choices(_SPACES, k=rng.randint(0, 2)) for _ in "lr")
        inner = rng.choice(["", "a", "ab", "é", "abcd", "a b"])
        words.append("".join([*left, inner, *right]))
    for dtype in _text_dtypes():
        some = pd.Series(_some(rng, ["ab ", " a", *words, None]), dtype=dtype)
        yield _row(field), pd.DataFrame({"value": some})


#: Each with text that it matches, and text that it does not or that engines disagree on.
PATTERNS: tuple[tuple[str, list[str], list[str]], ...] = (
    (r"^[a-z]+$", ["a", "abc"], ["", "A", "a\n", "é", "a1"]),
    (r"^\d+$", ["1", "42"], ["٣", "1٣", "a", "", "1\n"]),
    (r"^\w+$", ["a_1"], ["é", "日", "-", " ", "ª"]),
    (r"^\W+$", ["-", " !"], ["é", "日", "a", "ª"]),
    (r"^\D$", ["a", "é"], ["٣", "1", ""]),
    (r"^[^\d]$", ["a", "-"], ["٣", "1"]),
    (r"^[^\w]$", ["-"], ["é", "a"]),
    (r"^\S+$", ["a", "é"], ["\u00a0", "a b", "\u2003"]),
    (r"^a\sb$", ["a b", "a\tb"], ["a\u00a0b", "a\x0bb", "ab"]),
    (r"\bab\b", ["ab", "x ab"], ["éab", "cab", "abé"]),
    (r"^a\Bb", ["ab"], ["a b", "aéb"]),
    (r"(?i)^k$", ["k", "K"], ["\u212a", "kk"]),
    (r"(?i:s)$", ["s", "S"], ["\u017f", "a"]),
    (r"(?m)^a$", ["a", "b\na\nb"], ["ab"]),
    (r"(?s)^.$", ["a", "\n", "é"], ["", "ab"]),
    (r"^.$", ["a", "é"], ["\n", "ab", ""]),
    (r"^[^@]+@[^@]+$", ["a@b", "é@\n"], ["a@", "@", "a@b@"]),
    (r"^[a-z0-9._]+@[a-z0-9]+\.[a-z]{2,4}$", ["x.1@y.de"], ["x@y", "x@é.de", "x@y.dé", "x@y.d\n"]),
    (r"^(ab|c)*$", ["", "abc", "cc"], ["a", "abb"]),
    (r"^a{2,3}?b??$", ["aa", "aaab"], ["a", "aaaa"]),
    (r"a|^b", ["cac", "bc"], ["cb", ""]),
    (r"^\.\+\[\]\\\/$", [".+[]\\/"], [".+[]", "a"]),
    (r"^[\w.-]+$", ["a.b-c"], ["é", "a b", ""]),
    (r"^[[:alpha:]]+$", ["a"], ["é", "1"]),
    (r"^\p{L}+$", ["aé"], ["1", ""]),
    (r"^[a-z&&[^b]]$", ["a"], ["b", "&"]),
    (r"^\x41$", ["A"], ["a", "x41"]),
    (r"^$", [""], ["a", "\n"]),
)  # fmt: skip


def patterns(rng: random.Random) -> Iterator[Case]:
    """Patterns that two engines read alike, and patterns that they don't."""
    for pattern, matching, other in rng.sample(PATTERNS, 6):
        field = _optional(rng, Annotated[str, Field(pattern=pattern)])
        some = _some(rng, [*matching * 2, *other, rng.choice(matching) + "!", None])
        dtype = rng.choice(_text_dtypes())
        yield _row(field), pd.DataFrame({"value": pd.Series(some, dtype=dtype)})


class Colour(enum.Enum):
    """Members of several types."""

    RED = "red"
    ONE = 1
    TRUE = "True"


class Level(enum.IntEnum):
    """Members that are ints."""

    LOW = 1
    HIGH = 5


def choices(rng: random.Random) -> Iterator[Case]:
    """Values that Python calls equal and pydantic tells apart: 1, 1.0, True and "1"."""
    field = rng.choice(
        [Literal[1, 2], Literal["a", 1, None], Literal["1", "a"], Literal[True, "x"], Colour, Level]
    )
    equal = [1, 1.0, True, "1", "red", "a", "x", 2, 5, 0, False, 0.0, -0.0, None, math.nan, b"a"]
    for pool in (equal, [one for one in equal if type(one) is not float]):
        yield _row(_optional(rng, field)), pd.DataFrame({"value": _objects(_some(rng, pool))})
    for kind in (int, str):
        pool = [one for one in equal if type(one) is kind]
        some = _some(rng, [*pool, None] if kind is str else pool)
        yield _row(_optional(rng, field)), pd.DataFrame({"value": some})
        categories = pd.Series(some, dtype="category")
        yield _row(_optional(rng, field)), pd.DataFrame({"value": categories})
    yield _row(field), pd.DataFrame({"value": np.array(_some(rng, [1.0, 2.0, 0.0, -0.0, np.nan]))})


_NOON = datetime(2024, 5, 17, 12)
_EAST = timezone(timedelta(hours=5))


def moments(rng: random.Random) -> Iterator[Case]:
    """Moments a microsecond beside their bounds, naive and aware, in several units."""
    aware = rng.random() < 0.5
    bound = _NOON.replace(tzinfo=_EAST) if aware else _NOON
    tick = timedelta(microseconds=1)
    near = [_NOON - tick, _NOON, _NOON + tick, _NOON - timedelta(hours=5)]
    field: Any = datetime
    for kind in (datetime, AwareDatetime, NaiveDatetime):
        keys = rng.sample(["ge", "gt", "le", "lt"], rng.choice([0, 1, 1, 2]))
        field = _optional(rng, Annotated[kind, Field(**dict.fromkeys(keys, bound))])
        some = _some(rng, rng.choice([near, near[:2], near[1:3]]))
        naive = pd.Series(np.array([*some, "NaT"], dtype="M8[us]"))
        zoned = naive.dt.tz_localize("Asia/Karachi")
        # a naive value against an aware bound, or the reverse, is an error of pydantic's own
        columns = [naive, naive.astype("M8[ns]"), zoned, zoned.dt.tz_convert("UTC")]
        for column in rng.sample(columns, 2):
            yield _row(field), pd.DataFrame({"value": column})
    mixed = [*near, *(one.replace(tzinfo=UTC) for one in near), *MISSING, "2024-05-17T12:00:00",
             "2024-05-17T07:00:00Z", date(2024, 5, 17), 0, True, pd.Timestamp(_NOON)]  # fmt: skip
    yield _row(field), pd.DataFrame({"value": _objects(_some(rng, mixed))})


def days(rng: random.Random) -> Iterator[Case]:
    """Dates, and moments that are dates only at midnight."""
    field = _optional(rng, rng.choice([date, Annotated[date, Field(ge=date(2024, 5, 17))]]))
    pool = [datetime(2024, 5, 17), datetime(2024, 5, 16), _NOON, None, datetime(1969, 1, 1)]
    for unit in ("s", "ns"):
        column = np.array(_some(rng, pool), dtype=f"M8[{unit}]")
        yield _row(field), pd.DataFrame({"value": column})
    mixed = [date(2024, 5, 17), date(2024, 5, 16), "2024-05-17", "x", *MISSING]
    yield _row(field), pd.DataFrame({"value": _objects(_some(rng, mixed))})
    length = _optional(rng, Annotated[timedelta, Field(ge=timedelta(0))])
    deltas = [timedelta(0), timedelta(microseconds=-1), timedelta(days=1), None]
    yield _row(length), pd.DataFrame({"value": pd.Series(_some(rng, deltas), dtype="m8[us]")})
    yield (
        _row(_optional(rng, timedelta)),
        pd.DataFrame(
            {"value": pd.Series(pd.to_timedelta(_some(rng, [0, -1, 1500, None]), unit="ns"))}
        ),
    )


def missing(rng: random.Random) -> Iterator[Case]:
    """Every way of having no value, in every dtype that has one."""
    for kind in rng.sample([int, float, str, bool, datetime, date, Decimal, Literal["a"]], 4):
        field = _optional(rng, kind)
        yield _row(field), pd.DataFrame({"value": _objects(_some(rng, [*MISSING, "1", "a", 1]))})
        for column in (
            np.array(_some(rng, [math.nan, 1.0])),
            pd.array(_some(rng, [None, 1]), dtype="Int64"),
            pd.array(_some(rng, [None, True]), dtype="boolean"),
            pd.Series(_some(rng, [None, "a", "1"]), dtype=rng.choice(_text_dtypes())),
            np.array(_some(rng, ["NaT", "2024-05-17"]), dtype="M8[us]"),
            np.full(N_ROWS, math.nan),
        ):
            yield _row(field), pd.DataFrame({"value": column})


def _even(number: int) -> int:
    if number % 2:
        message = f"{number} is odd"
        raise ValueError(message)
    return number // 2


def _type_name(value: Any) -> str:
    return type(value).__name__


def _sign(number: float) -> float:
    return math.copysign(1.0, number)


def _blank(value: Any) -> Any:
    return None if value in ("", "?") else value


def validators(rng: random.Random) -> Iterator[Case]:
    """Functions before and after, which change values and speak of them in their messages."""
    number = _optional(rng, Annotated[int, AfterValidator(_even)])
    yield _row(number), pd.DataFrame({"value": _objects(_some(rng, [*range(9), "4", "5", None]))})
    yield _row(number), pd.DataFrame({"value": np.array(_some(rng, range(40)))})
    yield _row(number), pd.DataFrame({"value": np.array(_some(rng, [2.0, 3.0, 2.5, math.nan]))})
    named = Annotated[str, BeforeValidator(_type_name)]
    equal = [1, True, 0, False, "1", None]
    yield _row(named), pd.DataFrame({"value": _objects(_some(rng, equal))})
    yield _row(named), pd.DataFrame({"value": _objects(_some(rng, [*equal, 1.0, 0.0, math.nan]))})
    sign = _optional(rng, Annotated[float, AfterValidator(_sign)])
    yield _row(sign), pd.DataFrame({"value": np.array(_some(rng, [0.0, -0.0, 2.0, math.nan]))})
    text = Annotated[Annotated[str, Field(max_length=2)] | None, BeforeValidator(_blank)]
    for dtype in _text_dtypes():
        column = pd.Series(_some(rng, ["", "?", "a", "abc", None]), dtype=dtype)
        yield _row(text), pd.DataFrame({"value": column})


class Ordered(BaseModel):
    """A rule over two fields."""

    a: int = Field(ge=0)
    b: int = 1

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.a > self.b:
            message = "a is above b"
            raise ValueError(message)
        return self


class Contextual(BaseModel):
    """A field that looks at another."""

    a: int
    b: int = 0

    @field_validator("b")
    @classmethod
    def _above(cls, b: int, info: ValidationInfo) -> int:
        if b < info.data.get("a", 0):
            message = "b is below a"
            raise ValueError(message)
        return b


class TypedExtras(BaseModel):
    """Columns beyond the fields must be ints."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int]
    a: int


class CheckedDefault(BaseModel):
    """The default has to keep the rule of its field, which it does not."""

    model_config = ConfigDict(validate_default=True)
    a: int
    c: int = Field(default=-1, ge=0)


def models(rng: random.Random) -> Iterator[Case]:
    """Whole models with settings, aliases, defaults and columns that nobody asked for."""
    options: dict[str, list[Any]] = {
        "strict": [True], "str_strip_whitespace": [True], "str_max_length": [2],
        "str_min_length": [1], "str_to_lower": [True], "allow_inf_nan": [False],
        "extra": ["ignore", "forbid", "allow"], "populate_by_name": [True],
        "coerce_numbers_to_str": [True], "loc_by_alias": [False],
    }  # fmt: skip
    drawn = [
        {name: rng.choice(options[name]) for name in rng.sample(sorted(options), rng.randint(0, 3))}
        for _ in range(4)
    ]
    for settings in ({"strict": True}, {"extra": "forbid"}, *drawn):
        config = ConfigDict(**settings)
        default = rng.choice([..., 7])
        fields: dict[str, Any] = {
            "a": (int, Field(default, alias=rng.choice([None, "A"]))),
            "b": (_optional(rng, float), ...),
            "c": (str, Field("x", pattern=rng.choice([None, "^[a-z]+$"]))),
            "d": (_optional(rng, Literal["s", "l"]), "s"),
        }
        model = create_model("Row", __config__=config, **fields)
        columns = {
            rng.choice(["a", "A"]): rng.choice([
                np.array(_some(rng, [1, 2])), np.array(_some(rng, [1.0, 2.0])),
                _objects(_some(rng, [1, "2", "x", None, 2.0, True])),
            ]),
            "b": rng.choice([
                np.array(_some(rng, [0.5, math.inf, math.nan])), np.array(_some(rng, [1, 2])),
                np.array(_some(rng, [True, False])),
            ]),
            "c": pd.Series(_some(rng, ["a", " b ", "abc", "A", "", "é"])),
        }  # fmt: skip
        if rng.random() < 0.4:
            columns["d"] = pd.Series(_some(rng, ["s", "l", "m", None]))
        if rng.random() < 0.5:
            columns["other"] = np.arange(N_ROWS)
        if rng.random() < 0.3:
            columns["a"] = np.array(_some(rng, [1, 2]))
        yield model, pd.DataFrame(columns)
    pairs = {"a": np.array(_some(rng, [-1, 0, 1, 2])), "b": _objects(_some(rng, [0, 1, "2", "x"]))}
    for model in (Ordered, Contextual, TypedExtras, CheckedDefault):
        more = {"c": _some(rng, [-1, 1])} if rng.random() < 0.7 else {}
        yield model, pd.DataFrame(pairs | more)


FAMILIES: dict[str, Callable[[random.Random], Iterator[Case]]] = {
    family.__name__: family
    for family in (
        integers, floats, narrow_floats, lengths, white_space, patterns, choices, moments, days,
        missing, validators, models,
    )
}  # fmt: skip


def hold(name: str, seed: int) -> tuple[int, int]:
    """Hold a family against pydantic; return how many rows were accepted and rejected."""
    rng = random.Random(f"{name} {seed}")
    n_rows = n_rejected = 0
    for number, (model, frame) in enumerate(FAMILIES[name](rng)):
        frame.index = pd.Index([number] * len(frame))  # labels say nothing about rows
        try:
            n_rejected += assert_same_verdict(Contract(model), frame)
        except AssertionError as error:
            field = model.model_fields.get("value")
            message = f"{name}, seed {seed}, case {number}, {field}: {ascii(str(error))[:900]}"
            raise AssertionError(message) from None
        n_rows += len(frame)
    return n_rows - n_rejected, n_rejected
