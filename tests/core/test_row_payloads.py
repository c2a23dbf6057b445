"""Rows survive their storage bit by bit: cells, what is missing, and dtypes."""

from __future__ import annotations

import json
import math
import struct
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from importlib.util import find_spec
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml._core.cells import Unrestorable, decode_cell, encode_cell
from prodml._core.row_payloads import RowLayout, decode_rows, digest_rows, encode_rows
from prodml.errors import FormatError
from tests.contracts.corpus import Colour, Point, columns

#: Columns that pandas can hold and JSON cannot name: cells are kept, the dtype is object.
OTHER_DTYPE = {
    "arrow_chunked", "arrow_decimal", "arrow_list", "arrow_string", "arrow_struct", "complex",
    "period", "sparse",
}  # fmt: skip


def stored(frame):
    """Return a frame after it has been through the form in which it is stored."""
    layout, payloads = encode_rows(frame)
    assert len(payloads) == len(frame)
    return decode_rows(RowLayout.from_json(layout.to_json()), [one.decode() for one in payloads])


def bits(cell):
    """Return what tells two cells apart, down to the bits of a float and the kind of a gap."""
    if isinstance(cell, float) and not isinstance(cell, np.floating):
        return ("float", struct.pack("<d", cell) if not math.isnan(cell) else "nan")
    if isinstance(cell, np.generic):
        return (cell.dtype.str, "nan" if pd.isna(cell) else cell.tobytes())
    if isinstance(cell, np.ndarray):
        return (cell.dtype.str, cell.shape, [bits(one) for one in cell.ravel().tolist()])
    if isinstance(cell, dict):
        return ("dict", [(bits(key), bits(one)) for key, one in cell.items()])
    if isinstance(cell, list | tuple):
        return (type(cell).__name__, [bits(one) for one in cell])
    if isinstance(cell, datetime | time):
        return (type(cell).__name__, cell.isoformat(), str(cell.tzinfo), cell.fold)
    return (type(cell).__name__, hex(cell) if type(cell) is int else ascii(cell))


@pytest.mark.parametrize(
    ("name", "column"),
    [
        pytest.param(name, column, id=name)
        for name, column in columns(arrow=find_spec("pyarrow") is not None)
    ],
)
def test_a_column_of_any_dtype_comes_back(name, column):
    """Every cell is what it was: NaN beside None, -0.0 beside 0.0, nanoseconds, time zones."""
    back = stored(pd.DataFrame({"value": column}))["value"]

    for before, after in zip(column.array, back.array, strict=True):
        if isinstance(after, Unrestorable):
            assert after.type.rpartition(".")[2] == type(before).__name__
            assert after.text == repr(before)
        elif name in OTHER_DTYPE and before is pd.NA:
            assert after is None or after is pd.NA
        else:
            assert bits(after) == bits(str(before) if isinstance(before, np.str_) else before)
    if name not in OTHER_DTYPE:
        assert str(back.dtype) == str(column.dtype)


_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(codec=None), max_size=6),
    st.binary(max_size=6),
    st.dates(),
    st.datetimes(timezones=st.one_of(st.none(), st.just(UTC), st.timezones())),
    st.times(),
    st.timedeltas(),
    st.decimals(),
    st.uuids(),
    st.complex_numbers(),
    st.sampled_from(
        [pd.NA, pd.NaT, np.float32(0.1), np.int8(-3), np.datetime64("2024-01-01", "ns")]
    ),
)
_cells = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
    ),
    max_leaves=6,
)


@given(_cells)
def test_any_cell_comes_back(cell):
    """Whatever Python calls a value, alone or nested, goes through JSON and back."""
    encoded = json.loads(json.dumps(encode_cell(cell), allow_nan=False))

    assert bits(decode_cell(encoded)) == bits(cell)


@pytest.mark.parametrize(
    "cell",
    [
        {1, 2, "a"},
        frozenset({b"x"}),
        bytearray(b"\x00\xff"),
        2**63,
        -(2**63) - 1,
        10**5000,
        np.array([[1.5, np.nan], [2, 3]]),
        np.array([None, [1], "a"], dtype=object),
        pd.Timestamp("2024-05-17 12:00:00.000000001", tz="Europe/Paris"),
        pd.Timestamp("2024-05-17", tz=timezone(timedelta(hours=5))),
        pd.Timedelta(5, "ns"),
        time(1, 2, fold=1, tzinfo=ZoneInfo("Europe/Paris")),
        datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Paris"), fold=1),
        {"$": "int", "v": "0x1"},
        [{"$": 1}],
        {(1, 2): None},
    ],
    ids=lambda cell: type(cell).__name__,
)
def test_odd_cells_come_back(cell):
    """Sets, huge ints, arrays, folds, and data that look like prodml's own marks."""
    encoded = json.loads(json.dumps(encode_cell(cell), allow_nan=False))
    back = decode_cell(encoded)

    assert type(back) is type(cell)
    assert bits(back) == bits(cell) if not isinstance(cell, set | frozenset) else back == cell


@pytest.mark.parametrize("cell", [Colour.RED, Point(x=1), object, print])
def test_what_is_not_kept_leaves_its_look(cell):
    """No code is run to restore an object: its class and repr are kept instead."""
    back = decode_cell(encode_cell(cell))

    assert isinstance(back, Unrestorable)
    assert back.text == repr(cell)


@pytest.mark.parametrize("content", [{"$": "os.system", "v": "x"}, {"a": 1}, {"$": "int"}, {}])
def test_a_foreign_object_is_refused(content):
    """What prodml has not written is not taken for a cell."""
    with pytest.raises(FormatError, match="Not a cell that prodml has stored"):
        decode_cell(content)


@pytest.mark.parametrize("text", ["[]", '{"version": 2}', "{}"])
def test_a_foreign_layout_is_refused(text):
    """Rows stored by a later prodml are not guessed at."""
    with pytest.raises(FormatError, match="layout of stored rows"):
        RowLayout.from_json(text)


def test_a_zone_that_is_gone_leaves_the_instant():
    """A machine without the time zone still knows the moment."""
    moment = decode_cell({"$": "datetime", "v": ["2024-05-17T12:00:00+02:00", "No/Where", 0]})
    stamp = decode_cell({"$": "Timestamp", "v": [0, "s", "No/Where"]})

    assert moment == datetime(2024, 5, 17, 10, tzinfo=UTC)
    assert stamp == pd.Timestamp(0, tz="UTC")


def test_moments_beyond_microseconds_come_back():
    """A year that only whole seconds can hold, beside one that all units can."""
    moments = np.array(["300000-01-01", "2024-05-17", "NaT"], dtype="M8[s]")

    assert stored(pd.DataFrame({"a": moments}))["a"].to_numpy().tolist() == moments.tolist()


def test_labels_of_any_kind_come_back():
    """Labels may repeat, be numbers, tuples, or missing."""
    frame = pd.DataFrame([[1, 2, 3, 4]])
    frame.columns = pd.Index(["a", "a", 7, ("x", 1)], dtype=object, tupleize_cols=False)

    assert list(stored(frame).columns) == ["a", "a", 7, ("x", 1)]


def test_a_frame_without_columns_or_rows_comes_back():
    """Nothing is lost where there is nothing."""
    assert stored(pd.DataFrame(index=range(3))).shape == (3, 0)
    assert stored(pd.DataFrame({"a": pd.Series([], dtype="int64")})).dtypes["a"] == "int64"


def test_lone_surrogates_do_not_spoil_the_rest():
    """Text without UTF-8 is escaped, and numbers beside it keep their value."""
    frame = pd.DataFrame(
        {
            "text": pd.Series(["\ud800", "é"], dtype=object),
            "number": [math.inf, math.nan],
            "low": [-math.inf, 0.1],
        }
    )
    back = stored(frame)

    assert back["text"].tolist() == ["\ud800", "é"]
    assert back["number"][0] == math.inf
    assert math.isnan(back["number"][1])
    assert back["low"].tolist() == [-math.inf, 0.1]


def test_a_digest_names_content_not_storage():
    """The same moments in another unit have the same digest; another value or origin has not."""
    moments = pd.Series(np.array(["2024-05-17T12:30:00"], dtype="M8[us]"))

    def digest(column, origin="o", label="a"):
        layout, payloads = encode_rows(pd.DataFrame({label: column}))
        return digest_rows(layout, payloads, origin=origin)[0]

    same = {digest(moments.astype(f"M8[{unit}]")) for unit in ("s", "ms", "us", "ns")}
    assert len(same) == 1
    others = [
        digest(moments, origin="p"),
        digest(moments, label="b"),
        digest(moments + pd.Timedelta(1, "us")),
        digest(pd.Series([1])),
        digest(pd.Series([1.0])),
        digest(pd.Series([None], dtype=object)),
        digest(pd.Series([math.nan])),
        digest(pd.Series(["1"])),
    ]
    assert len({*same, *others}) == 1 + len(others)


def test_plain_types_are_readable():
    """A person who looks into the database sees the values."""
    frame = pd.DataFrame(
        {"i": [1], "f": [0.1], "s": ["é"], "b": [True], "t": pd.to_datetime(["2024-05-17"])}
    )
    (payload,) = encode_rows(frame)[1]

    assert payload.decode() == '[1,0.1,"é",true,"2024-05-17T00:00:00.000000"]'


def test_the_examples_cover_every_kind():
    """Decimal, UUID, time and date are among what must come back."""
    cells = [Decimal("1.50"), UUID(int=1), time(1, 2), date(2024, 1, 1), timedelta(1)]

    assert [decode_cell(encode_cell(cell)) for cell in cells] == cells
