"""Digests name content: the same for the same values, and for no others."""

from __future__ import annotations

import math
import os
import struct
import subprocess
import sys
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from prodml._core.canonical import digest_columns, digest_value
from prodml.errors import UnkeyableError
from tests.core.column_forms import FORMS, SAMPLES, VALUES

ROOT = Path(__file__).parents[2]
NOON = datetime(2024, 5, 17, 12, tzinfo=UTC)


def oracle(value):
    """Return nested tuples that are equal where two values are the same content."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "none"
    if isinstance(value, Decimal):
        return "none" if value.is_nan() else ("Decimal", hash(value), value)
    if isinstance(value, float):
        return "float", struct.pack("<d", value + 0.0)
    if isinstance(value, dict):
        return "dict", frozenset((oracle(key), oracle(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return "list", tuple(map(oracle, value))
    if isinstance(value, set | frozenset):
        return "set", frozenset(map(oracle, value))
    return type(value).__name__, value


_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from([2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**70]),
    st.sampled_from([0.0, -0.0, 1.0, math.nan, math.inf, -1.5]),
    st.text("ab1;:\ud800", max_size=3),
    st.binary(max_size=2),
    st.sampled_from([Decimal("1.0"), Decimal("1.00"), Decimal(10), Decimal("1E1"), Decimal("-0")]),
    st.sampled_from([date(2024, 1, 1), NOON, NOON.astimezone(timezone(timedelta(hours=2)))]),
    st.sampled_from([time(1), time(1, microsecond=1), timedelta(1), timedelta(0), UUID(int=1)]),
)
_hashable = st.one_of(st.text("ab", max_size=2), st.integers(-1, 1), st.none())
_values = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(_hashable, inner, max_size=3),
        st.frozensets(_hashable, max_size=3),
    ),
    max_leaves=5,
)


@given(st.lists(_values, min_size=2, max_size=8))
def test_values_have_one_digest_if_and_only_if_they_are_the_same(values):
    """1, 1.0, True and "1" differ; -0.0 and 0.0, 1.0 and 1.00, NaN and None do not."""
    assert len(set(map(digest_value, values))) == len(set(map(oracle, values)))


@pytest.mark.parametrize(
    "values",
    [
        [["ab", "c"], ["a", "bc"], ["abc"], [["ab"], "c"], "abc"],
        [[], [[]], [[], []], {}, [{}], set(), None, "", b"", [None]],
        [{"a": 1, "b": 2}, {"a": 2, "b": 1}, {"ab": 1, "": 2}, {"a": 1}, {"a": 1, "b": None}],
        [{"a": {"b": 1}}, {"a": {}, "b": 1}, {"b": {"a": 1}}],
        [{1, 2}, [1, 2], {1: 2}, [2, 1]],
        [1, 1.0, True, "1", b"1", Decimal(1), timedelta(microseconds=1), date(1970, 1, 2)],
        [time(1), time(1, tzinfo=UTC), time(1, tzinfo=timezone(timedelta(hours=1)))],
        [Decimal("Infinity"), Decimal("-Infinity"), Decimal(0), Decimal(1), Decimal(-1)],
        [Decimal("1.000000000000000000000000000000000001"), Decimal(1), Decimal("1E-36")],
        [Decimal(10), Decimal(1), Decimal("0.1"), Decimal(100), Decimal(101)],
        [2**63, 2**63 + 1, -(2**63) - 1, 2**64, 10**5000],
        [pd.Timestamp(1, tz="UTC"), pd.Timestamp(2, tz="UTC"), pd.Timestamp(0, tz="UTC")],
        ["a", "a\x00", "\x00a", "\ud83d\ude00", "\U0001f600"],
    ],
    ids=lambda values: ascii(values[0])[:20],
)
def test_near_misses_differ(values):
    """No content is taken for another that is put together of the same bytes."""
    assert len(set(map(digest_value, values))) == len(values)


@pytest.mark.parametrize(
    "values",
    [
        [0.0, -0.0, np.float32(-0.0)],
        [Decimal("1.0"), Decimal("1.00"), Decimal(1), Decimal("10E-1")],
        [Decimal(10), Decimal("1E1"), Decimal("10.0")],
        [Decimal(0), Decimal("-0"), Decimal("0E5"), Decimal("0.00")],
    ],
    ids=lambda values: str(values[0]),
)
def test_one_number_has_one_digest(values):
    """However its zero is signed, and however many zeros it ends in, alone and in a column."""
    assert len(set(map(digest_value, values))) == 1
    assert len({digest_columns([("a", [value, None])]) for value in values}) == 1


def test_the_order_in_which_a_set_was_filled_does_not_count():
    """Python walks through two equal sets in different orders."""
    one, other = {0, 8}, {8, 0}
    assert list(one) != list(other)

    assert digest_value(one) == digest_value(other)
    assert digest_value({"a": 1, "b": 2}) == digest_value({"b": 2, "a": 1})


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


class Word(StrEnum):
    A = "a"


class Order(BaseModel):
    model_config = ConfigDict(extra="allow")
    id: int
    lines: list[str] = []


@dataclass
class Line:
    id: int
    lines: list[str]


@dataclass(frozen=True, slots=True)
class Slotted:
    id: int
    lines: tuple[str, ...]


Pair = namedtuple("Pair", "a b")  # noqa: PYI024 - untyped ones are in use too


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Colour.RED, "red"),
        (Level.LOW, 1),
        (Word.A, "a"),
        (np.int8(3), 3),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.float32(0.5), 0.5),
        (np.float64(-0.0), 0.0),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.bytes_(b"a"), b"a"),
        (np.timedelta64(3, "s"), timedelta(seconds=3)),
        (np.timedelta64("NaT", "s"), None),
        (np.datetime64("NaT", "s"), None),
        (pd.NaT, None),
        (pd.NA, None),
        (math.nan, None),
        (Decimal("sNaN"), None),
        (pd.Timestamp(NOON), NOON),
        (pd.Timestamp(NOON).tz_convert("Asia/Tokyo"), NOON),
        (NOON.astimezone(ZoneInfo("Europe/Paris")), NOON),
        (pd.Timedelta(3, "s"), timedelta(seconds=3)),
        (Pair(1, 2), (1, 2)),
        ([1, 2], (1, 2)),
        (frozenset({1}), {1}),
        (OrderedDict(b=1, a=2), {"a": 2, "b": 1}),
        (Order(id=1, lines=["x"], more=2), {"id": 1, "lines": ["x"], "more": 2}),
        (Line(1, ["x"]), {"id": 1, "lines": ["x"]}),
        (Slotted(1, ("x",)), {"id": 1, "lines": ["x"]}),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array([[1, 2], [3, 4]], dtype=">i2").T, [[1, 3], [2, 4]]),
        (np.array([1.5, -0.0]), [1.5, 0.0]),
        (np.array([1.5, math.nan]), [1.5, None]),
        (np.array([0.5], dtype="f4"), [0.5]),
        (np.array([True, False]), [True, False]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([[1, 2, 3]], dtype="i8")[:0], []),
        (np.empty((2, 0)), [[], []]),
        (np.array(5), 5),
        (np.array([3], dtype="m8[s]"), [timedelta(seconds=3)]),
        (np.ma.masked_array([1, 2], mask=[False, True]), [1, None]),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_a_value_of_another_library_is_the_plain_one(value, plain):
    """Scalars, enums, arrays and records of any class are what they stand for."""
    assert digest_value(value) == digest_value(plain)


def test_what_a_model_has_worked_out_is_not_its_content():
    """Reading a cached property or a private attribute does not change the key."""
    from functools import cached_property

    class Basket(BaseModel):
        n: int
        _seen: int = 0

        @cached_property
        def double(self):
            return 2 * self.n

    basket = Basket(n=1)
    before = digest_value(basket)
    assert basket.double == 2
    basket._seen = 5

    assert digest_value(basket) == before == digest_value({"n": 1})


def test_a_salt_tells_values_apart():
    """The same content with another salt, or as a table, has another digest."""
    values = [digest_value([]), digest_value([], salt=b"\x01"), digest_value([], salt=b"\x02")]
    tables = [digest_columns([]), digest_columns([], salt=b"\x01"), digest_columns([], n_rows=1)]

    assert len({*values, *tables}) == 6


def _itself():
    value = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "message", "column"),
    [
        (object(), r"the value holds a value of type 'object'\. Give plain values", ""),
        ({"a": [1, {"b": len}]}, r"\['a'\]\[1\]\['b'\] holds a value of type 'builtin_func", "a"),
        ({"at": datetime(2024, 1, 1)}, r"\['at'\] holds a datetime without a time zone", "at"),
        ([pd.Timestamp(0)], r"\[0\] holds a Timestamp without a time zone.*\.replace", ""),
        (np.datetime64("2024-01-01"), "datetime64 without a time zone", ""),
        (np.timedelta64(1, "M"), "the unit 'M'", ""),
        (np.timedelta64(1, "ps"), "the unit 'ps'", ""),
        (time(1, tzinfo=ZoneInfo("Europe/Paris")), "offset depends on the date", ""),
        (1j, "'complex'", ""),
        (np.longdouble(1) if np.dtype("g").itemsize > 8 else 1j, "longdouble|'complex'", ""),
        (bytearray(b"a"), "'bytearray'", ""),
        (iter([1]), "'list_iterator'", ""),
        ({"frame": pd.DataFrame()}, "tables as pandas DataFrames", "frame"),
        (pd.Series([1]), "'Series'", ""),
        (np.array([object()]), r"\[0\] holds a value of type 'object'", ""),
        (_itself(), "holds itself, or is nested too deeply", ""),
    ],
    ids=lambda value: ascii(value)[:20] if not isinstance(value, str) else "",
)
def test_a_value_without_canonical_bytes_is_refused(value, message, column):
    """The message says where it stands, what it is, and what to do."""
    with pytest.raises(UnkeyableError, match=message) as caught:
        digest_value(value)

    assert caught.value.column == column


_FAMILY = st.sampled_from(sorted(FORMS))


@given(st.data(), _FAMILY)
def test_the_form_of_a_column_does_not_count(data, family):
    """Whatever holds the cells, in whatever width or unit, the digest is that of a plain list."""
    cells = data.draw(st.lists(st.one_of(st.none(), VALUES[family]), max_size=6))
    expected = digest_columns([("a", cells)])

    for name, build in FORMS[family]:
        column = build(cells)
        if column is not None:
            assert digest_columns([("a", column)]) == expected, name


_KINDS = st.sampled_from(["bool", "bytes", "decimal", "float", "huge", "int", "text", "moment"])


@st.composite
def _tables(draw):
    n_rows = draw(st.integers(0, 2))
    columns = []
    for _ in range(draw(st.integers(0, 2))):
        cell = st.one_of(st.none(), st.just(SAMPLES[draw(_KINDS)]))
        cells = draw(st.lists(cell, min_size=n_rows, max_size=n_rows))
        columns.append((draw(st.sampled_from(["a", "b", "", 1, 1.0, ("a", 1), None])), cells))
    return n_rows, columns


def _oracle_of_table(table):
    n_rows, columns = table
    by_label = {}
    for label, cells in columns:
        by_label.setdefault(oracle(label), []).append(tuple(map(oracle, cells)))
    return n_rows, frozenset((label, tuple(held)) for label, held in by_label.items())


@given(st.lists(_tables(), min_size=2, max_size=12))
def test_tables_have_one_digest_if_and_only_if_they_are_the_same(tables):
    """Labels, types, order of rows and of equal labels count; order of other columns does not."""
    digests = {digest_columns(columns, n_rows=n_rows) for n_rows, columns in tables}

    assert len(digests) == len(set(map(_oracle_of_table, tables)))


@given(st.data(), _FAMILY)
def test_another_cell_is_another_table(data, family):
    """Changing, moving or losing one value changes the digest."""
    cells = data.draw(st.lists(VALUES[family], min_size=2, max_size=5, unique_by=oracle))
    row = data.draw(st.integers(0, len(cells) - 1))
    other = data.draw(VALUES[family].filter(lambda value: oracle(value) != oracle(cells[row])))
    tables = [
        cells,
        cells[::-1],
        cells[:-1],
        [*cells, None],
        [*cells[:row], None, *cells[row + 1 :]],
        [*cells[:row], other, *cells[row + 1 :]],
    ]
    expected = len({tuple(map(oracle, table)) for table in tables})

    assert len({digest_columns([("a", table)]) for table in tables}) == expected


@pytest.mark.parametrize(
    "columns",
    [
        [["ab", "c"], ["a", "bc"], ["abc", ""], ["", "abc"]],
        [[b"ab", b"c"], ["ab", "c"], [b"a", b"bc"]],
        [[1, 2], [1.0, 2.0], ["1", "2"], [True, False], [Decimal(1), Decimal(2)]],
        [[0, 0], [0.0, 0.0], [False, False], [None, None], ["", ""], [b"", b""], [0, None]],
        [[None, 1], [1, None], [0, 1], [None, 1.0]],
        [[None, 0], [0, None]],
        [[None, "", "a"], ["", None, "a"], ["", "", "a"], [None, None, "a"]],
        [["\ud83d", "\ude00"], ["\U0001f600", ""], ["", "\U0001f600"]],
        [[2**63, 1], [2**63, 2], [2**64, 1], [-(2**63) - 1, 1]],
        [[date(1970, 1, 2)], [timedelta(microseconds=1)], [1], [time(0, 0, 1)]],
        [[True] * 9, [True] * 8, [True] * 8 + [False], [None] + [True] * 8],
    ],
    ids=lambda columns: ascii(columns[0])[:20],
)
def test_columns_of_the_same_bytes_differ(columns):
    """Lengths, types and gaps are part of the content."""
    assert len({digest_columns([("a", cells)]) for cells in columns}) == len(columns)


def test_an_unused_category_does_not_decide_how_the_others_are_read():
    """A huge number among the categories, in no row, leaves the rest what it is."""
    column = pd.Categorical([1, 2], categories=[1, 2, 2**70])

    assert digest_columns([("a", column)]) == digest_columns([("a", [1, 2])])


def test_labels_of_any_kind_are_told_apart():
    """A number, its text, a period, an interval, a naive moment, a tuple: all are other labels."""
    labels = [
        1, 1.0, "1", True, None, ("a", 1), ("a", "1"), pd.Period("2024-01", "M"), "2024-01",
        pd.Interval(0, 1), "(0, 1]", pd.Timestamp("2024-01-01"), date(2024, 1, 1), np.int64(7), "7",
    ]  # fmt: skip
    assert len({digest_columns([(label, [1])]) for label in labels}) == len(labels)
    assert digest_columns([(np.int64(1), [1])]) == digest_columns([(1, [1])])


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([1, "a"], r"column 'x' holds int in row 0 and str in row 1\. Give the column one type"),
        ([None, 1, 2.5], "int in row 1 and float in row 2"),
        ([1, True], "int in row 0 and bool in row 1"),
        (["a", 1.5, math.nan], "str in row 0 and float in row 1"),
        (["a", [1]], "a value of type 'list', first in row 1"),
        ([{"a": 1}], "a value of type 'dict', first in row 0"),
        ([None, object()], "a value of type 'object', first in row 1"),
        ([None, datetime(2024, 1, 1)], "a datetime without a time zone.* first in row 1"),
        ([NOON, datetime(2024, 1, 1)], "without a time zone.* first in row 1"),
        ([NOON, date(2024, 1, 1)], "datetime in row 0 and date in row 1"),
        (np.array(["NaT", "2024-01-01"], dtype="M8[s]"), r"first in row 1,.*\.dt\.tz_localize"),
        (pd.Series(pd.to_datetime(["2024-01-01"])), "moments, first in row 0, without a time zone"),
        (pd.Categorical(pd.to_datetime(["2024-01-01"])), "without a time zone"),
        ([time(1, tzinfo=UTC)], "times of the day with an offset, first in row 0"),
        ([np.datetime64("2024-01-01")], "datetime64 without a time zone.* first in row 0"),
        (np.array([1, 2], dtype="m8[M]"), "dtype 'timedelta64"),
        (np.array([1j]), "dtype 'complex128'"),
        (np.zeros(1, dtype="i4,i4"), "dtype 'void"),
        (np.zeros((2, 2)), "an array of 2 dimensions"),
        (pd.array(pd.period_range("2024", periods=1, freq="M")), "'Period', first in row 0"),
        (5, "a value of type 'int'"),
        (pd.DataFrame({"a": [1]}), "a value of type 'DataFrame'"),
    ],
    ids=lambda value: ascii(value)[:20] if not isinstance(value, str) else "",
)
def test_a_column_without_canonical_bytes_is_refused(column, message):
    """The message names the column, the first row, the type, and the repair."""
    with pytest.raises(UnkeyableError, match=message) as caught:
        digest_columns([("x", column)])

    assert caught.value.column == "x"


@pytest.mark.needs_arrow
@pytest.mark.parametrize(
    ("name", "message"),
    [("timestamp", "without a time zone"), ("list_", "'list', first in row 0")],
)
def test_a_column_of_arrow_without_canonical_bytes_is_refused(name, message):
    """Moments without a zone and nested values are refused there too."""
    import pyarrow as pa

    kind = pa.timestamp("us") if name == "timestamp" else pa.list_(pa.int64())
    cells = [datetime(2024, 1, 1)] if name == "timestamp" else [[1]]
    column = pd.Series(pa.array(cells, type=kind), dtype=pd.ArrowDtype(kind))

    with pytest.raises(UnkeyableError, match=message):
        digest_columns([("x", column)])


@pytest.mark.needs_arrow
def test_times_and_half_floats_of_arrow_are_read():
    """What Arrow alone has is the plain value as well."""
    import pyarrow as pa

    clock = [time(1, 2, 3), None]
    for kind in (pa.time32("s"), pa.time64("ns")):
        column = pd.Series(pa.array(clock, type=kind), dtype=pd.ArrowDtype(kind))
        assert digest_columns([("a", column)]) == digest_columns([("a", clock)])
    halves = pa.array(np.array([0.5, 1.5], dtype="f2"), type=pa.float16())
    column = pd.Series(halves, dtype=pd.ArrowDtype(pa.float16()))
    assert digest_columns([("a", column)]) == digest_columns([("a", [0.5, 1.5])])


class _Sequence(list):
    pass


class _Group(set):
    pass


def test_subclasses_of_containers_are_what_they_hold():
    """A list or set of somebody's own is a list or set; enums in a column are their values."""
    assert digest_value(_Sequence([1])) == digest_value([1])
    assert digest_value(_Group({1})) == digest_value({1})
    expected = digest_columns([("a", ["red", None])])
    assert digest_columns([("a", [Colour.RED, None])]) == expected
    assert digest_columns([("a", [Word.A])]) == digest_columns([("a", ["a"])])
    assert digest_columns([("a", np.array(["NaT"], dtype="M8[s]"))]) == digest_columns(
        [("a", [None])]
    )


@pytest.mark.parametrize("columns", [[("a", [1]), ("b", [1, 2])], [("a", [1, 2, 3]), ("b", [1])]])
def test_columns_of_odd_lengths_are_refused(columns):
    """A table has one number of rows."""
    with pytest.raises(UnkeyableError, match=r"column 'b' has .* Give columns of one length") as at:
        digest_columns(columns)

    assert at.value.column == "b"


def test_an_object_as_label_is_refused():
    """A label that shows nothing but its address would be another one in each process."""
    with pytest.raises(UnkeyableError, match="'object'"):
        digest_columns([(object(), [1])])


@pytest.mark.parametrize(
    "values",
    [
        np.ma.masked_array([1, 2], mask=[False, True]),
        pd.Series([1, None], dtype="Int64", index=[5, 5]),
        pd.Index([1, None], dtype="Int64"),
        pd.arrays.SparseArray([1.0, math.nan]).astype("Sparse[float64]"),
    ],
    ids=lambda values: type(values).__name__,
)
def test_containers_of_all_kinds_are_columns(values):
    """Index labels do not count, masks and gaps do."""
    cell = 1.0 if getattr(values.dtype, "kind", "") == "f" else 1

    assert digest_columns([("a", values)]) == digest_columns([("a", [cell, None])])


def golden_table():
    """Return a table of every type, the digest of which must never change."""
    return [
        ("int", np.array([1, -2, 3], dtype="i4")),
        ("big", [2**70, None, -1]),
        ("float", np.array([0.5, np.nan, -0.0])),
        ("bool", [True, None, False]),
        ("text", pd.Series(["é", None, "b"])),
        ("ascii", pd.Series(["a", "", "bc"])),
        ("bytes", [b"\x00", b"", None]),
        ("moment", pd.Series(pd.to_datetime(["2024-05-17", None, "1969-12-31"], utc=True))),
        ("far", [datetime(9999, 12, 31, tzinfo=UTC), None, NOON]),
        ("duration", np.array([1, -1, "NaT"], dtype="m8[s]")),
        ("date", [date(2024, 5, 17), None, date(1, 1, 1)]),
        ("time", [time(1, 2, 3, 4), None, time(0)]),
        ("decimal", [Decimal("1.50"), None, Decimal("-1E+3")]),
        ("uuid", [UUID(int=5), None, UUID(int=2**127)]),
        ("none", [None, np.nan, pd.NA]),
        (("a", 1), pd.Categorical(["x", None, "y"])),
    ]


GOLDEN_VALUE = {
    "a": [1, 2.5, None, True, "é", b"\x00", 2**70],
    "b": {NOON, date(2024, 5, 17), Decimal("1.50"), UUID(int=5)},
    3: (timedelta(-1), time(1, 2, tzinfo=UTC), {}),
}
GOLDEN_DIGESTS = (
    "f2f5f17013efaaead75b760f092c626d86ce0bf71a201ccf42586632ae441a4c",
    "b26fd1054d2090649e6a978c430a54e8a6e670c3fbaf72fe2e79698bdff155db",
)


def test_digests_of_this_version_never_change():
    """Stored keys stay valid: on every pandas, with Arrow or without, on every platform.

    If this fails on purpose, the layout needs another version in what digests are bound to.
    """
    found = digest_columns(golden_table()).hex(), digest_value(GOLDEN_VALUE).hex()

    assert found == GOLDEN_DIGESTS


def test_digests_do_not_depend_on_the_process():
    """Another seed of Python's own hashes changes nothing."""
    code = (
        "from tests.core.test_canonical import *\n"
        "print(digest_columns(golden_table()).hex(), digest_value(GOLDEN_VALUE).hex())"
    )
    for seed in ("1", "77"):
        environ = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-W", "ignore", "-c", code]
        done = subprocess.run(
            command, env=environ, cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert tuple(done.stdout.split()) == GOLDEN_DIGESTS


def test_input_is_not_changed():
    """Gaps are filled in a copy."""
    floats = np.array([-0.0, np.nan])
    digest_columns([("a", floats)])

    assert math.copysign(1, floats[0]) == -1
    assert math.isnan(floats[1])
