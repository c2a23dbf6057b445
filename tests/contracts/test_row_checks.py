"""Checks of single rows, over columns of any two dtypes, against the plain rule for one row."""

from __future__ import annotations

import math
import operator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from prodml._core import columns as _columns
from prodml._core.arrow_text import has_arrow
from prodml.contracts import (
    Compare,
    Contract,
    ForeignKey,
    Freshness,
    NullFraction,
    RowCount,
    Unique,
    _row_checks,
)
from prodml.contracts._row_checks import SeenKeys, breaks_compare, rows_that_break
from prodml.errors import ContractError, RecordRejectedError

from .oracle import plain_cell

OPERATORS = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
}
MOMENT = datetime(2026, 1, 1)
SOME_INTS = [0, 1, 2, 2**53, 2**53 + 1, 2**62, -5]
SOME_TEXT = ["a", "b", "", "a\x00b", "a\x00c", "é", "1"]


def _objects(values: list[Any]) -> pd.Series:
    return pd.Series(np.fromiter(values, dtype=object, count=len(values)), dtype=object)


def _dtyped(dtype: Any) -> Any:
    return lambda values: pd.Series(values, dtype=dtype)


#: Kinds of column: how one is made, and of which cells.
KINDS: dict[str, tuple[Any, list[Any]]] = {
    "int64": (_dtyped("int64"), SOME_INTS),
    "int8": (_dtyped("int8"), [0, 1, 2, -128]),
    "uint64": (_dtyped("uint64"), [0, 1, 2**53 + 1, 2**64 - 1]),
    "Int64": (_dtyped("Int64"), [*SOME_INTS, None]),
    "float64": (_dtyped("float64"), [0.0, -0.0, 1.0, 2.0**53, 0.1, math.inf, math.nan]),
    "float32": (_dtyped("float32"), [0.0, 1.0, np.float32(0.1), math.nan]),
    "Float64": (_dtyped("Float64"), [0.0, 0.1, None]),
    "bool": (_dtyped("bool"), [True, False]),
    "boolean": (_dtyped("boolean"), [True, False, None]),
    "datetime": (_dtyped("M8[us]"), [MOMENT, MOMENT + timedelta(1), None]),
    "datetime_ns": (_dtyped("M8[ns]"), [MOMENT, MOMENT + timedelta(1), None]),
    "aware": (lambda v: pd.Series(v, dtype="M8[us]").dt.tz_localize("UTC"), [MOMENT, None]),
    "elsewhere": (
        lambda v: pd.Series(v, dtype="M8[us]").dt.tz_localize("Asia/Tokyo"),
        [MOMENT, MOMENT + timedelta(hours=9), None],
    ),
    "timedelta": (_dtyped("m8[us]"), [timedelta(0), timedelta(1), None]),
    "text": (_dtyped(None), [*SOME_TEXT, None]),
    "objects": (_objects, [*SOME_TEXT, None]),
    "category": (_dtyped("category"), [*SOME_TEXT[:3], None]),
    "dates": (_objects, [date(2026, 1, 1), date(2026, 1, 2), None]),
    "decimals": (_objects, [Decimal(1), Decimal("1.0"), Decimal("0.1"), None]),
    "mixed": (_objects, [1, 1.0, True, "1", None, 2**70, MOMENT, MOMENT.replace(tzinfo=UTC), b"a"]),
    "lists": (_objects, [[1], [1.0], [2], None, {"a": [1]}, {"a": [1.0]}, {1}, (1,), "x"]),
}
if has_arrow():
    import pyarrow as pa

    KINDS["arrow_text"] = (_dtyped("string[pyarrow]"), [*SOME_TEXT, None])
    KINDS["arrow_string"] = (_dtyped(pd.ArrowDtype(pa.string())), [*SOME_TEXT, None])
    KINDS["arrow_list"] = (_dtyped(pd.ArrowDtype(pa.list_(pa.int64()))), [[1], [2], [], None])
    KINDS["arrow_date"] = (_dtyped(pd.ArrowDtype(pa.date32())), [date(2026, 1, 1), None])
    KINDS["arrow_int"] = (_dtyped(pd.ArrowDtype(pa.int64())), [*SOME_INTS, None])
    KINDS["arrow_float"] = (_dtyped(pd.ArrowDtype(pa.float64())), [0.5, -0.0, 2.0**53, None])


@st.composite
def columns(draw: st.DrawFn, n_rows: int, kind: Any = None) -> Any:
    """Draw a column of a kind, as the array that a frame holds."""
    make, cells = KINDS[kind or draw(st.sampled_from(sorted(KINDS)))]
    # by place, since True and 1 are the same to hypothesis' own bookkeeping
    places = draw(st.lists(st.integers(0, len(cells) - 1), min_size=n_rows, max_size=n_rows))
    return make([cells[place] for place in places]).array


def _cells(column: Any) -> list[Any]:
    return [plain_cell(cell) for cell in column]


class TestCompare:
    """One column is held against another, as Python compares; a missing value breaks nothing."""

    @staticmethod
    def plain(left: Any, symbol: str, right: Any) -> bool:
        """Say whether one pair breaks the rule."""
        if left is None or right is None:
            return False
        try:
            return not OPERATORS[symbol](left, right)
        except TypeError:
            return True

    @given(st.data(), st.integers(0, 8), st.sampled_from(sorted(OPERATORS)))
    def test_a_column_is_judged_like_its_rows(self, data: Any, n_rows: int, symbol: str) -> None:
        """Whatever the dtypes of the two."""
        left, right = data.draw(columns(n_rows)), data.draw(columns(n_rows))

        found = breaks_compare(left, symbol, right)

        pairs = zip(_cells(left), _cells(right), strict=True)
        assert found.tolist() == [self.plain(a, symbol, b) for a, b in pairs]
        assert found.dtype == bool

    @pytest.mark.parametrize("kinds", [
        ("int64", "float64"), ("float64", "int64"), ("uint64", "int64"), ("aware", "elsewhere"),
        ("float32", "float64"), ("Int64", "int64"), ("datetime", "aware"), ("timedelta",) * 2,
    ])  # fmt: skip
    @given(data=st.data(), symbol=st.sampled_from(sorted(OPERATORS)))
    def test_pairs_that_numpy_gets_wrong(self, kinds: Any, data: Any, symbol: str) -> None:
        """2**53 + 1 is not 2.0**53, and what is unsigned is not signed."""
        left, right = (data.draw(columns(6, kind)) for kind in kinds)

        found = breaks_compare(left, symbol, right)

        pairs = zip(_cells(left), _cells(right), strict=True)
        assert found.tolist() == [self.plain(a, symbol, b) for a, b in pairs]

    def test_both_doors_say_the_same(self) -> None:
        """A record is held to it like a row; values are compared after conversion."""

        class Span(BaseModel):
            start: datetime
            end: datetime | None = None

        contract = Contract(Span, checks=[Compare("start", "<", "end")])
        frame = pd.DataFrame({
            "start": ["2026-01-01", "2026-01-02", "2026-01-01"],
            "end": ["2026-01-02", "2026-01-01", None],
        })  # fmt: skip

        (found,) = contract.validate_frame(frame).iter_violations()

        assert (found.row, found.column, found.rule, found.value) == (
            1, "start", "compare", "2026-01-02",
        )  # fmt: skip
        assert found.message == "must be < 'end'"
        contract.validate_record({"start": "2026-01-01", "end": None})
        with pytest.raises(RecordRejectedError, match=r"must be < 'end' \[compare\]") as caught:
            contract.validate_record({"start": "2026-01-02", "end": "2026-01-01"})
        assert [one.column for one in caught.value.violations] == ["start"]

    @pytest.mark.parametrize("value", [math.nan, None])
    def test_a_default_that_is_missing_breaks_nothing(self, value: Any) -> None:
        """Neither in a frame nor in a record, though NaN compares as false."""

        class Pair(BaseModel):
            a: float
            b: float | None = value

        contract = Contract(Pair, checks=[Compare("a", "<", "b")])

        assert contract.validate_frame(pd.DataFrame({"a": [1.0]})).summary.n_accepted == 1
        assert contract.validate_record({"a": 1.0}).a == 1.0

    def test_another_operator_is_refused(self) -> None:
        """The message lists those there are."""
        with pytest.raises(ValueError, match=r"`operator` must be one of \('<', .*got '=<'"):
            Compare("a", "=<", "b")  # type: ignore[arg-type]


class TestUnique:
    """The first row with a value is accepted, and each later one rejected."""

    @staticmethod
    def plain(keys: list[tuple[Any, ...]]) -> list[bool]:
        """Say which rows repeat an earlier key, by looking through all of them."""
        seen: list[Any] = []
        broken = []
        for key in keys:
            repeated = None not in key and any(key == other for other in seen)
            broken.append(repeated)
            seen += [] if None in key else [key]
        return broken

    @given(st.data(), st.integers(0, 10), st.integers(1, 3))
    def test_a_frame_is_judged_like_its_rows(self, data: Any, n_rows: int, width: int) -> None:
        """Over one column or several, of whatever dtype, hashable or not."""
        drawn = {f"c{at}": data.draw(columns(n_rows)) for at in range(width)}

        found = rows_that_break(Unique(*drawn), drawn, None)

        keys = list(zip(*map(_cells, drawn.values()), strict=True))
        assert found.tolist() == self.plain(keys)

    @given(st.data(), st.integers(0, 10), st.lists(st.integers(0, 10), max_size=3))
    def test_chunks_are_judged_like_the_whole(self, data: Any, n_rows: int, cuts: Any) -> None:
        """Keys of earlier chunks count, wherever the stream is cut."""
        drawn = {f"c{at}": data.draw(columns(n_rows)) for at in range(data.draw(st.integers(1, 2)))}
        check, seen = Unique(*drawn), SeenKeys()
        ends = sorted(min(cut, n_rows) for cut in cuts)

        found = [
            rows_that_break(check, {name: c[start:end] for name, c in drawn.items()}, seen)
            for start, end in zip([0, *ends], [*ends, n_rows], strict=True)
        ]

        whole = rows_that_break(check, drawn, None)
        assert np.concatenate(found).tolist() == whole.tolist()

    def test_text_with_a_nul_is_told_apart(self) -> None:
        """Some versions of pandas read no further."""
        column = _objects(["a\x00b", "a", "a\x00c", "a\x00b"]).array

        assert rows_that_break(Unique("a"), {"a": column}, None).tolist() == [
            False, False, False, True,
        ]  # fmt: skip

    def test_values_without_a_hash(self) -> None:
        """Lists, dicts and sets are equal when their contents are; others when they look it."""

        class Odd:
            __hash__ = None  # type: ignore[assignment]

            def __repr__(self) -> str:
                return "Odd()"

        cells = [[1], (1,), {1}, {"a": [{2}]}, [1.0], {1.0}, {"a": [{2}]}, Odd(), Odd(), [Odd()]]

        found = rows_that_break(Unique("a"), {"a": _objects(cells).array}, None)

        assert np.flatnonzero(found).tolist() == [4, 5, 6, 8]

    def test_text_is_told_apart_on_any_pandas(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As with pandas 2, where it needs care."""
        monkeypatch.setattr(_row_checks, "pandas_major", lambda: 2)
        monkeypatch.setattr(_columns, "pandas_major", lambda: 2)
        column = _objects(["a\x00b", "a", "a\x00c", "a\x00b", None, None]).array

        found = rows_that_break(Unique("a", "b"), {"a": column, "b": column}, SeenKeys())

        assert found.tolist() == [False, False, False, True, False, False]

    def test_rejected_rows_do_not_count(self) -> None:
        """A row that its model or another check turns away leaves its key to the next."""

        class Item(BaseModel):
            id: int
            size: int = Field(ge=0)
            most: int = 9

        contract = Contract(Item, checks=[Unique("id"), Compare("size", "<=", "most")])
        frame = pd.DataFrame({"id": [1, 1, 1, 1], "size": [-1, 99, 1, 2]})

        result = contract.validate_frame(frame)

        assert [(one.row, one.rule) for one in result.iter_violations()] == [
            (0, "greater_than_equal"), (1, "compare"), (3, "unique"),
        ]  # fmt: skip
        assert result.accepted_positions.tolist() == [2]

    def test_several_are_applied_in_order(self) -> None:
        """Each looks at what those before it have left."""

        class Item(BaseModel):
            a: int
            b: int

        contract = Contract(Item, checks=[Unique("a"), Unique("b"), Unique("a", "b")])
        frame = pd.DataFrame({"a": [1, 1, 2, 3], "b": [1, 2, 2, 2]})

        found = [(one.row, one.column) for one in contract.validate_frame(frame).iter_violations()]

        assert found == [(1, "a"), (3, "b")]

    @pytest.mark.parametrize(
        ("names", "message"), [((), "at least one column"), (("a", "a"), "names a column twice")]
    )
    def test_nonsense_is_refused(self, names: Any, message: str) -> None:
        """It names columns, each once."""
        with pytest.raises(ValueError, match=message):
            Unique(*names)


class TestForeignKey:
    """A column holds only values that a reference knows."""

    @given(st.data(), st.integers(0, 8))
    def test_a_column_is_judged_like_its_rows(self, data: Any, n_rows: int) -> None:
        """Whatever the dtype; a missing value passes, and so does nothing without a hash."""
        column = data.draw(columns(n_rows))
        known = [cell for cell in _cells(column) if not isinstance(cell, dict | list | set)]
        check = ForeignKey("a", data.draw(st.permutations([*known[::2], 1, "a"])))

        found = rows_that_break(check, {"a": column}, None)

        def breaks(cell: Any) -> bool:
            return cell is not None and not any(
                cell == one and type(cell) is not list for one in check.reference
            )

        assert found.tolist() == [breaks(cell) for cell in _cells(column)]

    @pytest.mark.parametrize(
        "reference",
        [
            [1, 2, None],
            {1, 2},
            (one for one in [1, 2]),
            pd.Series([1, 2]),
            pd.Index([1.0, 2.0, math.nan]),
            np.array([1, 2], dtype="int8"),
            pd.Series([1, 2, None], dtype="Int64"),
        ],
    )
    def test_any_collection_is_a_reference(self, reference: Any) -> None:
        """It is read once, as plain values without the missing ones."""
        check = ForeignKey("a", reference)

        assert check.reference == {1, 2}
        assert {type(one) for one in check.reference} <= {int, float}

    def test_moments_are_plain(self) -> None:
        """A moment of numpy finds that of pandas."""
        reference = np.array(["2026-01-01"], dtype="M8[s]")

        assert ForeignKey("a", reference).reference == {MOMENT}

    @pytest.mark.parametrize("reference", ["DE", b"DE", [[1]], 5])
    def test_what_is_no_collection_of_values_is_refused(self, reference: Any) -> None:
        """Text would be taken for its letters."""
        with pytest.raises(TypeError):
            ForeignKey("country", reference)

    def test_both_doors_say_the_same(self) -> None:
        """The message calls the reference by its name."""

        class Item(BaseModel):
            country: str | None

        contract = Contract(Item, checks=[ForeignKey("country", ["DE"], name="countries")])
        result = contract.validate_frame(pd.DataFrame({"country": ["DE", "XX", None]}))

        (found,) = result.iter_violations()
        assert (found.row, found.rule) == (1, "foreign_key")
        assert found.message == "must be in 'countries'"
        with pytest.raises(RecordRejectedError, match="must be in 'countries'"):
            contract.validate_record({"country": "XX"})
        assert contract.validate_record({"country": None}).country is None


class TestNames:
    """Checks name fields, reasons name what arrived."""

    class Trip(BaseModel):
        model_config = ConfigDict(populate_by_name=True)
        start: int = Field(alias="Start Day")
        end: int = Field(alias="End Day")

    CONTRACT = Contract(
        Trip, checks=[Compare("start", "<=", "end"), Unique("end"), ForeignKey("end", range(9))]
    )

    def test_a_column_is_called_as_it_arrived(self) -> None:
        """The reader of a reason finds the column in the data."""
        frame = pd.DataFrame({"Start Day": [5, 1, 2], "End Day": [3, 7, 7]})

        result = self.CONTRACT.validate_frame(frame)

        found = [(one.row, one.column, one.rule, one.value) for one in result.iter_violations()]
        assert found == [(0, "Start Day", "compare", 5), (2, "End Day", "unique", 7)]
        assert result.quality["End Day"].uniqueness == pytest.approx(2 / 3)
        assert result.quality["Start Day"].validity == pytest.approx(2 / 3)

    @pytest.mark.parametrize(
        ("record", "value"), [({"Start Day": 5, "End Day": 3}, 5), ({"start": 5, "end": 3}, 5)]
    )
    def test_and_so_in_a_record(self, record: Any, value: Any) -> None:
        """By whatever name it came."""
        with pytest.raises(RecordRejectedError) as caught:
            self.CONTRACT.validate_record(record)
        (found,) = caught.value.violations
        assert (found.column, found.value) == ("Start Day", value)

    def test_a_field_that_is_none_is_refused(self) -> None:
        """With the nearest name, for all checks at once."""
        with pytest.raises(ContractError) as caught:
            Contract(self.Trip, key="strat", checks=[Unique("zzz"), NullFraction("ende", 0.5)])
        assert len(caught.value.faults) == 3
        assert "Did you mean 'start'?" in caught.value.faults[0]


class TestDelivery:
    """Checks on a delivery refuse arguments that make no sense."""

    @pytest.mark.parametrize(
        ("minimum", "maximum", "message"),
        [
            (-1, None, "`minimum` must be >= 0, got -1"),
            (3, 2, r"`maximum` must be >= `minimum` \(3\), got 2"),
            (1.5, None, r"`minimum` must be a whole number, got 1\.5"),
            (1, "9", "`maximum` must be a whole number, got '9'"),
            (None, 1, "`minimum` must be a whole number, got None"),
        ],
    )
    def test_row_counts_that_make_no_sense(self, minimum: Any, maximum: Any, message: str) -> None:
        """A range holds whole numbers."""
        with pytest.raises(ValueError, match=message):
            RowCount(minimum=minimum, maximum=maximum)

    @pytest.mark.parametrize("maximum", [-0.1, 1.1, math.nan, 25])
    def test_shares_that_make_no_sense(self, maximum: float) -> None:
        """A share is between 0 and 1."""
        with pytest.raises(ValueError, match="`maximum` must be between 0 and 1"):
            NullFraction("level", maximum)

    @pytest.mark.parametrize(
        ("age", "error", "message"),
        [
            (timedelta(seconds=-1), ValueError, "`max_age` must not be negative"),
            (3600, TypeError, "`max_age` must be a timedelta, got 3600"),
        ],
    )
    def test_ages_that_make_no_sense(self, age: Any, error: type[Exception], message: str) -> None:
        """An age has a unit, and nothing is younger than now."""
        with pytest.raises(error, match=message):
            Freshness("at", age)
