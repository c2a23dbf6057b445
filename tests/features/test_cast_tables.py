"""What each declared type takes, value by value, and what is said of everything else."""

from __future__ import annotations

import enum
import math
import struct
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from prodml.errors import InputTypeError, MissingInputError
from prodml.features import FeatureSet, Field
from prodml.features._cast_columns import cast_frame, cast_records

MOMENT = "timestamp[us, UTC]"
ROME = ZoneInfo("Europe/Rome")


class Colour(str, enum.Enum):
    RED = "red"


def objects(cells):
    """Return an object column, the cells as they are."""
    out = np.empty(len(cells), dtype=object)
    for at, cell in enumerate(cells):
        out[at] = cell
    return pd.Series(out, dtype=object)


def cast(field, *cells):
    """Return a column of objects as features see it; that of records is the same."""
    got = cast_frame(pd.DataFrame({field.name: objects(cells)}), [field])[field.name]
    again = cast_records([{field.name: cell} for cell in cells], [field])[field.name]
    assert got.dtype == again.dtype
    np.testing.assert_array_equal(got, again)
    return got.tolist()


def field(dtype, **options):
    """Return a field called x."""
    return Field("x", dtype, **options)


@pytest.mark.parametrize(
    ("declared", "cell", "expected"),
    [
        (field("float64"), 2**53, 2.0**53),
        (field("float64"), -(2**53), -(2.0**53)),
        (field("float64"), True, 1.0),
        (field("float64"), np.float32(0.1), float(np.float32(0.1))),
        (field("float64"), math.inf, math.inf),
        (field("float64", coerce=True), " 1.5 ", 1.5),
        (field("float64", coerce=True), "1e3", 1000.0),
        (field("float64", coerce=True), "-inf", -math.inf),
        (field("int64"), 2**63 - 1, 2**63 - 1),
        (field("int64"), -(2**63), -(2**63)),
        (field("int64"), 2**53 + 1, 2**53 + 1),
        (field("int64"), 3.0, 3),
        (field("int64"), -0.0, 0),
        (field("int64"), False, 0),
        (field("int64"), np.uint8(255), 255),
        (field("int64", coerce=True), " -12 ", -12),
        (field("int64", nullable=True), 2**53, 2.0**53),
        (field("int64", nullable=True), -0.0, 0.0),
        (field("bool"), np.True_, True),
        (field("bool", coerce=True), "0", False),
        (field("bool", coerce=True), 1, True),
        (field("bool", coerce=True), 1.0, True),
        (field("bool", nullable=True), True, 1.0),
        (field("string"), np.str_("a"), "a"),
        (field("string"), np.str_("a\0"), "a\0"),
        (field("string"), Colour.RED, "red"),
        (field("string"), "", ""),
        (field("string"), "NaN", "NaN"),
        (field(MOMENT), datetime(1970, 1, 1, tzinfo=UTC), 0),
        (field(MOMENT), datetime(1970, 1, 1, 1, tzinfo=ROME), 0),
        (field(MOMENT), datetime(1, 1, 1, tzinfo=UTC), -62_135_596_800_000_000),
        (
            field(MOMENT),
            datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            253_402_300_799_999_999,
        ),
        (field(MOMENT), pd.Timestamp(-1, tz="UTC"), -1),
        (field(MOMENT), pd.Timestamp(-1000, tz="UTC"), -1),
        (field(MOMENT), pd.Timestamp(-1001, tz="UTC"), -2),
        (field(MOMENT), pd.Timestamp(1999, tz="UTC"), 1),
        (field(MOMENT, tz="UTC"), np.datetime64(-1001, "ns"), -2),
        (field(MOMENT, tz="UTC"), np.datetime64("1970-01-02"), 86_400_000_000),
        (field(MOMENT, tz="Europe/Rome"), datetime(1970, 1, 1, 1), 0),
        (field(MOMENT, tz="Europe/Rome"), datetime(1970, 1, 1, tzinfo=UTC), 0),
        (field(MOMENT, coerce=True), "1970-01-01T00:00:01Z", 1_000_000),
        (field(MOMENT, coerce=True), "1970-01-01T01:00:00.000001+01:00", 1),
        (field(MOMENT, coerce=True, tz="Europe/Rome"), "1970-01-01", -3_600_000_000),
        (field(MOMENT, nullable=True), datetime(1685, 1, 1, tzinfo=UTC), -8_993_635_200e6),
        (field(MOMENT, nullable=True), datetime(2255, 1, 1, tzinfo=UTC), 8_993_721_600e6),
    ],
)
def test_what_a_type_takes(declared, cell, expected):
    """The value, and its type."""
    (got,) = cast(declared, cell)
    assert type(got) is type(expected)
    assert got == expected


@pytest.mark.parametrize(
    ("declared", "cell", "why"),
    [
        (field("float64"), 2**53 + 1, "is beyond 2**53 and would lose digits as a float"),
        (field("float64"), np.uint64(2**64 - 1), "is beyond 2**53"),
        (field("float64"), 10**400, "is beyond 2**53"),
        (field("float64"), "1.5", "is text; convert it, or declare the Field with coerce=True"),
        (field("float64", coerce=True), "0x10", "cannot be read as one"),
        (field("float64", coerce=True), "1_000", "cannot be read as one"),
        (field("float64", coerce=True), "", "cannot be read as one"),
        (field("float64"), Decimal("1.5"), "is a Decimal"),
        (field("float64"), 1j, "is a complex"),
        (field("float64"), [1.0], "is a list"),
        (field("float64"), datetime(2024, 1, 1), "is a datetime"),
        (field("int64"), 1.5, "is no integer of at most 2**53"),
        (field("int64"), math.inf, "is no integer of at most 2**53"),
        (field("int64"), 2.0**53 + 2, "is no integer of at most 2**53"),
        (field("int64"), 2.0**63, "is no integer of at most 2**53"),
        (field("int64"), 2**63, "does not fit into 64 bits"),
        (field("int64"), np.uint64(2**63), "does not fit into 64 bits"),
        (field("int64", nullable=True), 2**53 + 1, "is beyond 2**53"),
        (field("int64", coerce=True), "1.0", "cannot be read as one"),
        (field("int64", coerce=True), "1" * 5000, "cannot be read as one"),
        (field("bool"), 1, "is an int"),
        (field("bool"), "True", "is text"),
        (field("bool", coerce=True), "True", "cannot be read as one"),
        (field("bool", coerce=True), 2, "is an int"),
        (field("bool", coerce=True), [], "is a list"),
        (field("string"), 1, "is an int"),
        (field("string"), b"a", "is a bytes"),
        (field(MOMENT), datetime(2024, 1, 1), "has no time zone; give it one, or declare `tz`"),
        (field(MOMENT), np.datetime64("2024-01-01"), "has no time zone"),
        (field(MOMENT), date(2024, 1, 1), "is a date"),
        (field(MOMENT), 0, "is an int"),
        (field(MOMENT), "2024-01-01T00:00:00Z", "is text"),
        (field(MOMENT, coerce=True), "2024-01-01", "has no time zone"),
        (field(MOMENT, coerce=True), "2024-02-30T00:00:00Z", "cannot be read as one"),
        (field(MOMENT, tz="UTC"), np.datetime64(2**40, "s"), "is a datetime64"),
        (field(MOMENT, tz="Europe/Rome"), datetime(2024, 10, 27, 2, 30), "exists twice or not"),
        (field(MOMENT, tz="Europe/Rome"), datetime(2024, 3, 31, 2, 30), "exists twice or not"),
        (
            field(MOMENT),
            datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
            "is not within the years 1 to 9999 in UTC",
        ),
        (field(MOMENT, nullable=True), datetime(1600, 1, 1, tzinfo=UTC), "is beyond 2**53"),
    ],
)
def test_what_a_type_does_not_take(declared, cell, why):
    """The error tells the field, its type, the value, the row, and why; alike for both paths."""
    good = {"float64": 1.0, "int64": 1, "bool": True, "string": "a"}
    cells = [good.get(declared.dtype, datetime(2024, 1, 1, tzinfo=UTC)), cell]
    with pytest.raises(InputTypeError) as of_frame:
        cast_frame(pd.DataFrame({"x": objects(cells)}), [declared])
    with pytest.raises(InputTypeError) as of_records:
        cast_records([{"x": one} for one in cells], [declared])
    assert str(of_frame.value) == str(of_records.value)
    error = of_frame.value
    assert (error.field, error.expected, error.row) == ("x", declared.dtype, 1)
    assert type(error.got) is type(cell)
    assert str(error).startswith(f"'x' must be {declared.dtype}, got ")
    assert why in str(error)
    assert str(error).endswith("(row 1).")
    assert len(str(error)) < 300


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (np.array([1, 2**53 + 1]), "9007199254740993 in row 1, which is beyond 2**53"),
        (np.array([0, -(2**53) - 1]), "-9007199254740993 in row 1, which is beyond 2**53"),
        (np.array([2**64 - 1], "u8"), "18446744073709551615 in row 0, which is beyond 2**53"),
        (pd.array([None, 2**53 + 1], "Int64"), "9007199254740993 in row 1, which is beyond 2**53"),
    ],
)
def test_whole_columns_name_the_row_too(values, told):
    """Columns that are cast as a whole find the culprit as well."""
    with pytest.raises(InputTypeError, match=r"must be float64, got ") as caught:
        cast_frame(pd.DataFrame({"x": values}), [field("float64", nullable=True)])
    assert told in str(caught.value)


def test_categories_name_the_row_and_not_the_category():
    """The first row that has it; categories that no row has are no fault."""
    column = pd.Categorical([None, "b", 3, "b", 3], categories=[3, "b", 2.5])
    with pytest.raises(InputTypeError) as caught:
        cast_frame(pd.DataFrame({"x": column}), [field("string")])
    assert (caught.value.got, caught.value.row) == (3, 2)
    column = pd.Categorical(["b", None, "a"], categories=["a", "b", 5])
    with pytest.raises(MissingInputError) as absent:
        cast_frame(pd.DataFrame({"x": column}), [field("string")])
    assert absent.value.rows == (1,)
    got = cast_frame(pd.DataFrame({"x": column}), [field("string", nullable=True)])["x"]
    assert got.tolist() == ["b", None, "a"]


@pytest.mark.parametrize("gap", [math.nan, None, pd.NA, pd.NaT, np.float64("nan")])
def test_every_way_to_say_that_text_is_missing(gap):
    """Beside text, as pandas has it in object columns."""
    assert cast(field("string", nullable=True), "a", gap, "b") == ["a", None, "b"]
    with pytest.raises(MissingInputError) as caught:
        cast(field("string"), "a", gap, "b", gap)
    assert caught.value.rows == (1, 3)
    with pytest.raises(InputTypeError) as refused:
        cast(field("string", nullable=True), "a", gap, 1.5)
    assert refused.value.row == 2


@pytest.mark.needs_arrow
def test_moments_of_arrow_beyond_the_calendar():
    """Arrow holds years that Python does not: one is told, and the rest can be read."""
    import pyarrow as pa

    seconds = pa.array([0, None, 300_000_000_000, 1], pa.timestamp("s", "UTC"))
    column = pd.Series(pd.arrays.ArrowExtensionArray(seconds))
    declared = field(MOMENT, nullable=True)
    with pytest.raises(InputTypeError) as caught:
        cast_frame(pd.DataFrame({"x": column}), [declared])
    assert (caught.value.field, caught.value.row) == ("x", 2)
    got = cast_frame(pd.DataFrame({"x": column[[0, 1, 3]]}), [declared])["x"]
    np.testing.assert_array_equal(got, [0.0, math.nan, 1e6])


def test_the_payload_of_nan_is_no_difference():
    """All NaN are missing, whatever their bits."""
    payload = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_0123))[0]
    assert math.isnan(cast(field("float64", nullable=True), payload)[0])
    with pytest.raises(MissingInputError):
        cast(field("float64"), payload)


@pytest.mark.parametrize("text", ["nan", " NaN ", "-nan"])
def test_text_for_no_number_is_missing(text):
    """It is how a file says so; as a number it would slip past what must have one."""
    assert math.isnan(cast(field("float64", coerce=True, nullable=True), text)[0])
    with pytest.raises(MissingInputError) as caught:
        cast(field("float64", coerce=True), "1", text)
    assert caught.value.rows == (1,)


@pytest.mark.parametrize("columns", [{"Amount": [1.0]}, {"amounts": [1.0]}, {"z": [1.0]}])
def test_renamed_columns_are_not_taken_for_missing(columns):
    """A record may lack a key; a frame that names a column otherwise has been changed upstream."""
    fs = FeatureSet("shop", version="1", inputs=[Field("amount", "float64", nullable=True)])
    fs.feature(name="same")(lambda amount: amount + 0.0)
    fitted = fs.fit(pd.DataFrame({"amount": [1.0, 2.0]}))
    with pytest.raises(MissingInputError, match="no column 'amount'"):
        fitted.transform(pd.DataFrame(columns))
    assert np.isnan(fitted.transform_many([{}, {"z": 1}])).all()
    assert fitted.transform(pd.DataFrame(index=range(2))).shape == (2, 1)
