"""One table of casts for both paths: a frame and its records give the same bits, or the same error.

Every column is read by ``transform``, and its cells by ``transform_one`` and ``transform_many``,
through features that return what they read.
"""

from __future__ import annotations

import enum
import struct
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.errors import InputTypeError, MissingInputError
from prodml.features import FeatureSet, Field, ops
from prodml.features._cast_columns import cast_frame, cast_records
from tests.core.column_forms import FORMS, VALUES

ROME = ZoneInfo("Europe/Rome")
DTYPES = ("float64", "int64", "bool", "string", "timestamp[us, UTC]")
MOMENT = "timestamp[us, UTC]"


class Text(str):
    __slots__ = ()

    def __str__(self):
        return "not what it holds"


class Colour(str, enum.Enum):
    RED = "red"


class Plain(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class NoOffset(tzinfo):
    """A zone that does not know its offset: such a moment is naive, says Python."""

    def utcoffset(self, when):
        """As tzinfo."""
        return

    def dst(self, when):
        """As tzinfo."""
        return

    def tzname(self, when):
        """As tzinfo."""
        return "?"


PAYLOAD = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_0123))[0]

#: What may stand in a cell, of any type and of none.
CELLS = [
    *(None, float("nan"), PAYLOAD, pd.NA, pd.NaT, np.datetime64("NaT", "us"), Decimal("NaN")),
    *(np.float32("nan"), np.float64("nan"), np.timedelta64("NaT", "s")),
    *(True, False, np.True_, np.False_),
    *(0, 1, -1, 2**53 - 1, 2**53, 2**53 + 1, -(2**53), -(2**53) - 1),
    *(2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**400),
    *(np.int8(-3), np.uint8(200), np.int64(2**53 + 1), np.uint64(2**63), np.uint64(7)),
    *(0.0, -0.0, 1.0, 1.5, 1e300, 5e-324, float("inf"), float("-inf"), 2.0**53, 2.0**54, 2.0**63),
    *(np.float16(1.5), np.float32(0.1), np.float64(3.0), np.longdouble(2.5)),
    *(Decimal("1.5"), Decimal(1), 1j, np.complex128(1)),
    *("", "a", "NaN", "nan", " 1.5 ", "1e3", "0x10", "1_0", "7", "0", "1", "True", "inf", "x" * 99),
    *("2024-02-29", "2024-02-29T12:00:00+02:00", "2024-02-29T12:00:00Z", "2024-02-30"),
    *("2024-03-31T02:30:00", "0001-01-01T00:00:00+14:00", "\ud800", "a\0", "Straße"),
    *(b"1", Text("a"), Colour.RED, Plain.RED, Level.HIGH, np.str_("b"), np.bytes_(b"b")),
    *(datetime(2024, 2, 29, 12), datetime(2024, 2, 29, 12, tzinfo=UTC), datetime(1969, 1, 1)),
    *(datetime(2024, 2, 29, 12, tzinfo=ROME), datetime(2024, 2, 29, tzinfo=NoOffset())),
    *(datetime(2024, 10, 27, 2, 30), datetime(2024, 3, 31, 2, 30)),  # twice in Rome, and never
    datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ROME),
    datetime(2024, 10, 27, 2, 30, fold=0, tzinfo=ROME),
    datetime(2024, 3, 31, 2, 30, tzinfo=ROME),
    *(datetime(1, 1, 1), datetime(9999, 12, 31, 23), datetime(1, 1, 1, tzinfo=UTC)),
    *(datetime(9999, 12, 31, 23, tzinfo=UTC), datetime(1685, 1, 1, tzinfo=UTC)),
    datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
    datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5))),
    *(pd.Timestamp(-1, tz="UTC"), pd.Timestamp(-1001, tz="Europe/Rome"), pd.Timestamp(1001)),
    *(pd.Timestamp("2024-10-27 00:30Z").tz_convert(ROME), pd.Timestamp("2024-10-27 02:30")),
    pd.Timestamp("2024-10-27 01:30Z").tz_convert(ROME),
    *(np.datetime64(-1, "ns"), np.datetime64(-1001, "ns"), np.datetime64("2024-01-01")),
    *(np.datetime64(2**40, "s"), np.datetime64(2**62, "s"), np.datetime64("1685-01-01", "us")),
    *(date(2024, 1, 1), time(1), timedelta(1), np.timedelta64(1, "s"), pd.Timedelta(1)),
    *([], [1.0], {}, (), np.array(1.5), np.array([1]), object(), pd.Period("2024")),
]


@st.composite
def fields(draw, dtypes=DTYPES):
    """Draw a field with any options that its type has."""
    dtype = draw(st.sampled_from(dtypes))
    zones = [None, "UTC", "Europe/Rome", "Asia/Kolkata"] if dtype == MOMENT else [None]
    return Field(
        "x",
        dtype,
        nullable=draw(st.booleans()),
        tz=draw(st.sampled_from(zones)),
        coerce=dtype != "string" and draw(st.booleans()),
    )


@cache
def identity(field):
    """Return fitted features that give back the bits of one field."""
    fs = FeatureSet("identity", version="1", inputs=[field])
    if field.dtype == "string":
        fs.add(ops.hash_bucket("x", 2**32), ops.text_length("x"), ops.missing_indicator("x"))
    elif field.kind == "i":

        @fs.feature
        def high(x):
            return x // 4294967296

        @fs.feature
        def low(x):
            return x % 4294967296

    else:

        @fs.feature
        def same(x):
            return x * 1

    return fs.fit(pd.DataFrame({"x": usual(field)}))


def usual(field):
    """Return a column that a field takes."""
    if field.dtype == MOMENT:
        return pd.Series(pd.to_datetime([0, 10**18], utc=True))
    cells = {"float64": [0.5, 2.0], "int64": [1, 2], "bool": [True, False], "string": ["a", "b"]}
    return pd.Series(cells[field.dtype])


def outcome(compute):
    """Return the bits of a matrix, or what tells the error that was raised."""
    try:
        matrix = compute()
    except (InputTypeError, MissingInputError) as error:
        names = error.fields if isinstance(error, MissingInputError) else (error.field,)
        rows = error.rows if isinstance(error, MissingInputError) else (error.row,)
        return type(error), names, rows
    assert matrix.dtype == np.float64
    return matrix.shape, np.where(np.isnan(matrix), 0x7FF8 << 48, matrix.view(np.int64)).tolist()


def assert_one_table(field, column, cells):
    """Compare a column with its cells as records: all of them, many of them, and each alone."""
    fitted = identity(field)
    frame = pd.DataFrame({"x": column})
    records = [{"x": cell} for cell in cells]
    expected = outcome(lambda: fitted.transform(frame))
    assert outcome(lambda: fitted.transform_many(records)) == expected
    repeats = -(-30 // len(records))
    many = outcome(lambda: fitted.transform_many(records * repeats))
    longer = outcome(
        lambda: (
            fitted.transform(pd.concat([frame] * repeats, ignore_index=True))
            if repeats > 1
            else fitted.transform(frame)
        )
    )
    assert many == longer
    alone = [
        outcome(lambda record=record: fitted.transform_one(record)[None]) for record in records
    ]
    if expected[0] is InputTypeError:
        row = expected[2][0]
        assert alone[row] == (InputTypeError, ("x",), (None,))
        assert all(one[0] is not InputTypeError for one in alone[:row])
    elif expected[0] is MissingInputError:
        absent = [row for row, one in enumerate(alone) if one[0] is MissingInputError]
        assert tuple(absent[:5]) == expected[2]
        assert all(one[0] is not InputTypeError for one in alone)
    else:
        assert [one[1][0] for one in alone] == expected[1]


def objects(cells):
    """Return an object column, the cells as they are."""
    out = np.empty(len(cells), dtype=object)
    for at, cell in enumerate(cells):
        out[at] = cell
    return pd.Series(out, dtype=object)


@given(field=fields(), cells=st.lists(st.sampled_from(CELLS), min_size=1, max_size=5))
def test_objects_of_any_type_are_read_alike_from_frames_and_records(field, cells):
    """The declared type is the only truth, whatever stands in a cell."""
    assert_one_table(field, objects(cells), cells)


@pytest.mark.parametrize("nullable", [False, True])
@pytest.mark.parametrize("coerce", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_single_cell_is_read_alike(dtype, nullable, coerce):
    """All of them, since a draw may miss one; as an object, and as pandas would store it."""
    for tz in [None, "Europe/Rome"] if dtype == MOMENT else [None]:
        field = Field("x", dtype, nullable, tz=tz, coerce=coerce and dtype != "string")
        for cell in CELLS:
            assert_one_table(field, objects([cell]), [cell])
            if isinstance(cell, bool | float | np.number | np.datetime64 | pd.Timestamp):
                column = pd.Series([cell])
                assert_one_table(field, column, list(column))


def extra_forms():
    """Return forms that are peculiar to what features read."""
    floats = ("f2", "f4", np.longdouble)
    naive = [
        (f"naive {unit}", lambda cells, unit=unit: naive_moments(cells, unit))
        for unit in ("s", "ms", "us", "ns")
    ]
    return {
        "bool": [("category", categories)],
        "float": [
            (f"float {dtype}", lambda cells, dtype=dtype: narrow_floats(cells, dtype))
            for dtype in floats
        ],
        "narrow": [
            ("f8", lambda cells: np.array([np.nan if c is None else c for c in cells], "f8")),
            ("sparse", lambda cells: pd.arrays.SparseArray(np.array([c or 0 for c in cells]))),
        ],
        "moment": naive,
    }


def narrow_floats(cells, dtype):
    """Return floats of another width."""
    with np.errstate(all="ignore"):
        return pd.Series(np.array([np.nan if c is None else c for c in cells]).astype(dtype))


def naive_moments(cells, unit):
    """Return moments without a zone, in a unit."""
    kept = ["NaT" if cell is None else cell.replace(tzinfo=None) for cell in cells]
    return pd.Series(np.array(kept, dtype="M8[us]").astype(f"M8[{unit}]"))


def categories(cells):
    """Return booleans as categories."""
    return pd.Categorical(cells, categories=[True, False])


ALL_FORMS = [
    (family, name, build)
    for family in FORMS
    for name, build in [*FORMS[family], *extra_forms().get(family, [])]
]


#: The type that each family of columns is meant for.
MEANT = {
    "bool": "bool",
    "float": "float64",
    "int": "int64",
    "narrow": "int64",
    "moment": MOMENT,
    "moment_s": MOMENT,
    "text": "string",
}


@given(data=st.data(), form=st.sampled_from(range(len(ALL_FORMS))))
def test_a_column_of_any_dtype_is_read_as_its_cells(data, form):
    """Widths, masks, Arrow, categories, zones and strides change nothing."""
    family, _, build = ALL_FORMS[form]
    meant = (MEANT[family],) if family in MEANT and data.draw(st.booleans()) else DTYPES
    field = data.draw(fields(meant))
    one = st.none() | VALUES[family] if data.draw(st.booleans()) else VALUES[family]
    column = build(data.draw(st.lists(one, min_size=1, max_size=4)))
    if column is None:
        return
    column = pd.Series(column)
    before = column.copy()
    assert_one_table(field, column, list(column))
    pd.testing.assert_series_equal(column, before)


@given(data=st.data(), nullable=st.booleans())
@pytest.mark.parametrize("family", MEANT)
def test_every_form_of_a_column_gives_the_same_arrays(family, data, nullable):
    """A frame is cast to the same array as the plain values that it was made of."""
    field = Field("x", MEANT[family], nullable)
    values = VALUES[family]
    cells = data.draw(st.lists(st.none() | values if nullable else values, max_size=5))
    for name, build in FORMS[family]:
        made = build(cells)
        if made is None or (name == "list" and None in cells):
            continue  # pandas makes floats of integers with a gap
        frame = pd.DataFrame({"x": pd.Series(made, dtype=None if len(cells) else object)})
        try:
            expected = cast_records([{"x": cell} for cell in cells], [field])["x"]
        except InputTypeError:
            with pytest.raises(InputTypeError):
                cast_frame(frame, [field])
            continue
        got = cast_frame(frame, [field])["x"]
        assert got.dtype == expected.dtype
        assert not got.flags.writeable
        assert got.flags.c_contiguous
        if got.dtype == object:
            assert got.tolist() == expected.tolist()
            assert set(map(type, got.tolist())) <= {str, type(None)}
        else:
            np.testing.assert_array_equal(got, expected)
            assert np.signbit(got).tolist() == np.signbit(expected).tolist()
