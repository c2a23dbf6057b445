"""Checks beyond single fields: over columns and over records they say the same."""

from __future__ import annotations

import math
import operator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import create_model

from prodml.contracts import (
    Compare,
    Contract,
    ForeignKey,
    Freshness,
    NullFraction,
    RowCount,
    Unique,
)
from prodml.errors import RecordRejectedError
from prodml.testing import FakeClock

from .oracle import plain_cell

NOW = datetime(2026, 3, 4, tzinfo=UTC)
OPERATORS = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
}
_numbers = st.sampled_from([0, 1, 2, -1, 2**53, 2**53 + 1, 2**62, -(2**63)])
_floats = st.sampled_from([0.0, -0.0, 1.0, 1.5, 2.0**53, 1e300, math.inf, -math.inf, math.nan])
_naive = [datetime(2026, 1, 1), datetime(2026, 1, 2), datetime(2026, 1, 1, 0, 0, 0, 1)]
COLUMNS: dict[str, Any] = {
    "int": (int, _numbers, "int64"),
    "nullable int": (int | None, st.one_of(st.none(), _numbers), "Int64"),
    "unsigned": (int, st.sampled_from([0, 1, 2**63, 2**64 - 1]), "uint64"),
    "float": (float | None, _floats, "float64"),
    "float32": (float | None, _floats.map(lambda x: float(np.float32(min(x, 3e38)))), "float32"),
    "text": (str | None, st.sampled_from(["a", "b", "B", "é", None]), object),
    "naive": (datetime | None, st.sampled_from([*_naive, None]), "datetime64[us]"),
    "nanoseconds": (datetime, st.sampled_from(_naive), "datetime64[ns]"),
    "date": (date, st.sampled_from([date(2026, 1, 1), date(2026, 1, 2)]), object),
    "duration": (timedelta, st.sampled_from([timedelta(0), timedelta(1)]), "timedelta64[us]"),
    "anything": (Any, st.sampled_from([1, "a", None, 1.5, (1,), date(2026, 1, 1)]), object),
}
PAIRS = [
    (left, right)
    for left, right in [
        *((name, name) for name in COLUMNS),
        ("int", "float"),
        ("float", "int"),
        ("int", "nullable int"),
        ("nullable int", "float32"),
        ("unsigned", "int"),
        ("naive", "nanoseconds"),
        ("int", "anything"),
        ("text", "anything"),
    ]
]


def _pair(left, right, cells):
    """Return a model of two fields, and a frame of their columns."""
    kinds = {"left": COLUMNS[left], "right": COLUMNS[right]}
    model = create_model("Pair", **{name: (kind[0], ...) for name, kind in kinds.items()})
    columns = {}
    for at, (name, kind) in enumerate(kinds.items()):
        values = [cell[at] for cell in cells]
        objects = np.empty(len(values), dtype=object)
        objects[:] = values
        columns[name] = pd.Series(objects, dtype=object).astype(kind[2])
    return model, pd.DataFrame(columns)


def _holds(left, symbol, right):
    if left is None or right is None:
        return True
    try:
        return bool(OPERATORS[symbol](left, right))
    except TypeError:
        return False


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
@given(data=st.data(), symbol=st.sampled_from(sorted(OPERATORS)))
def test_compare_means_what_it_means_in_python(pair, data, symbol):
    """Row by row, for every pair of dtypes; missing values pass; a record gets the same answer."""
    left, right = pair
    rows = st.tuples(COLUMNS[left][1], COLUMNS[right][1])
    model, frame = _pair(left, right, data.draw(st.lists(rows, min_size=1, max_size=8)))
    contract = Contract(model, checks=[Compare("left", symbol, "right")])
    result = contract.validate_frame(frame)
    records = [
        {name: plain_cell(frame[name].iloc[at]) for name in frame} for at in range(len(frame))
    ]
    wanted = [at for at, one in enumerate(records) if not _holds(one["left"], symbol, one["right"])]

    assert result.rejected_positions.tolist() == wanted
    for at, record in enumerate(records):
        if at in wanted:
            with pytest.raises(RecordRejectedError, match=r"\[compare\]"):
                contract.validate_record(record)
        else:
            contract.validate_record(record)


def test_naive_and_aware_moments_do_not_compare():
    """Python refuses, so the row does not hold."""
    model = create_model("Pair", left=(datetime, ...), right=(datetime, ...))
    frame = pd.DataFrame(
        {"left": pd.Series(_naive[:1]), "right": pd.Series(_naive[:1]).dt.tz_localize("UTC")}
    )
    result = Contract(model, checks=[Compare("left", "<=", "right")]).validate_frame(frame)

    assert result.violations["rule"].tolist() == ["compare"]


_keys = st.sampled_from([1, 2, 3, None])


@given(st.lists(st.tuples(_keys, st.sampled_from(["a", "b", None])), max_size=14), st.data())
def test_unique_keeps_the_first_of_each_key(rows, data):
    """Alone and combined, in one piece and in chunks; a missing part lets a row pass."""
    model = create_model("Row", n=(int | None, ...), text=(str | None, ...))
    frame = pd.DataFrame(
        {
            "n": pd.Series([row[0] for row in rows], dtype=object),
            "text": pd.Series([row[1] for row in rows], dtype=object),
        }
    )
    contract = Contract(model, checks=[Unique("n", "text")])
    seen, wanted = set(), []
    for at, row in enumerate(rows):
        if None not in row and row in seen:
            wanted.append(at)
        seen.add(row)
    cut = data.draw(st.integers(0, len(rows)))
    chunks = contract.validate_chunks([frame.iloc[:cut], frame.iloc[cut:]])

    assert contract.validate_frame(frame).rejected_positions.tolist() == wanted
    assert [
        row + one.first_row for one in chunks for row in one.rejected_positions.tolist()
    ] == wanted


@pytest.mark.parametrize(
    ("cells", "rejected"),
    [
        ([[1], [1], [2]], [1]),
        ([{"a": 1}, {"a": 1}, {"a": 2}], [1]),
        (["a\x00b", "a\x00c", "a\x00b"], [2]),
        ([1, 1.0, True], [1, 2]),
    ],
    ids=["lists", "dicts", "zero bytes", "equal numbers"],
)
def test_unique_tells_odd_values_apart(cells, rejected):
    """Values without a hash, and text that pandas 2 cut at a zero byte."""
    frame = pd.DataFrame({"value": pd.Series(cells, dtype=object)})
    contract = Contract(create_model("Row", value=(Any, ...)), checks=[Unique("value")])
    (chunked,) = contract.validate_chunks([frame])

    assert contract.validate_frame(frame).rejected_positions.tolist() == rejected
    assert chunked.rejected_positions.tolist() == rejected


def test_a_row_that_is_rejected_anyway_does_not_count_as_the_first():
    """The key of a bad row is free for a good one, in later chunks too."""
    model = create_model("Row", id=(int, ...), n=(int, ...))
    frame = pd.DataFrame({"id": [1, 1, 1], "n": ["x", "2", "3"]})
    contract = Contract(model, checks=[Unique("id")])
    chunks = [frame.iloc[:1], frame.iloc[1:2], frame.iloc[2:]]

    assert contract.validate_frame(frame).accepted_positions.tolist() == [1]
    assert [len(one.accepted) for one in contract.validate_chunks(chunks)] == [0, 1, 0]


@given(st.lists(st.sampled_from(["DE", "FR", "XX", None]), max_size=10))
def test_a_foreign_key_knows_its_reference(cells):
    """Whatever collection the reference came in."""
    frame = pd.DataFrame({"country": pd.Series(cells, dtype=object)})
    model = create_model("Row", country=(str | None, ...))
    wanted = [at for at, cell in enumerate(cells) if cell == "XX"]

    for reference in (["DE", "FR"], pd.Series(["DE", "FR"]), pd.Index(["DE", "FR", None])):
        contract = Contract(model, checks=[ForeignKey("country", reference, name="countries")])
        result = contract.validate_frame(frame)
        assert result.rejected_positions.tolist() == wanted
        assert set(result.violations["message"]) <= {"must be in 'countries'"}


def test_a_value_without_a_hash_is_in_no_reference():
    """It is rejected, not raised."""
    frame = pd.DataFrame({"value": pd.Series([[1], "a"], dtype=object)})
    contract = Contract(create_model("Row", value=(Any, ...)), checks=[ForeignKey("value", ["a"])])

    assert contract.validate_frame(frame).rejected_positions.tolist() == [0]


def _deliver(check, **columns):
    model = create_model("Row", n=(int | None, None), at=(datetime | None, None))
    contract = Contract(model, checks=[check], clock=FakeClock(NOW))
    return contract.validate_frame(pd.DataFrame(columns)).checks[0]


@pytest.mark.parametrize(
    ("check", "n_rows", "verdict", "message"),
    [
        (RowCount(minimum=2), 2, "pass", "2 rows arrived, at least 2 were expected"),
        (RowCount(minimum=3), 2, "fail", "2 rows arrived, at least 3 were expected"),
        (RowCount(minimum=0, maximum=1), 2, "fail", "2 rows arrived, at least 0 and at most 1"),
        (RowCount(), 0, "fail", "0 rows arrived, at least 1"),
    ],
)
def test_row_count(check, n_rows, verdict, message):
    """A verdict on the delivery; no row is rejected for it."""
    found = _deliver(check, n=[1] * n_rows)

    assert found.verdict == verdict
    assert message in found.message
    assert found.value == n_rows


@pytest.mark.parametrize(
    ("cells", "verdict", "value"),
    [([1, None], "pass", 0.5), ([None, None, 1], "fail", 2 / 3), ([], "inconclusive", None)],
)
def test_null_fraction(cells, verdict, value):
    """A share of all rows, on the limit included."""
    found = _deliver(NullFraction("n", 0.5), n=pd.Series(cells, dtype=object))

    assert (found.verdict, found.value, found.threshold) == (verdict, value, 0.5)


def test_a_column_that_did_not_arrive_is_missing_in_every_row():
    """Though its default makes up for it."""
    assert _deliver(NullFraction("n", 0.5), at=[NOW]).value == 1.0


@pytest.mark.parametrize(
    ("moments", "verdict", "age"),
    [
        ([NOW - timedelta(hours=1), NOW - timedelta(days=9)], "pass", 3600.0),
        ([NOW - timedelta(days=1)], "pass", 86_400.0),
        ([NOW - timedelta(days=1, seconds=1)], "fail", 86_401.0),
        ([NOW + timedelta(seconds=5)], "warn", -5.0),
        ([None], "inconclusive", None),
        (["not a date"], "inconclusive", None),
        (["2026-03-03T23:00:00"], "pass", 3600.0),
        (["2026-03-04T02:00:00+03:00"], "pass", 3600.0),
    ],
)
def test_freshness(moments, verdict, age):
    """The age of the newest accepted moment, by the clock of the contract."""
    found = _deliver(Freshness("at", timedelta(days=1)), at=pd.Series(moments, dtype=object))

    assert (found.verdict, found.value) == (verdict, age)
    (evidence,) = found.to_evidence(labels={"contract": "c"})
    assert evidence.labels == {"contract": "c", "column": "at"}
    assert evidence.status == ("ok" if age is not None else "insufficient_data")


def test_freshness_of_dates():
    """A date is the start of its day."""
    model = create_model("Row", day=(date, ...))
    check = Freshness("day", timedelta(days=1))
    contract = Contract(model, checks=[check], clock=FakeClock(NOW))
    found = contract.validate_frame(pd.DataFrame({"day": ["2026-03-03", "2026-03-01"]})).checks[0]

    assert (found.verdict, found.value) == ("pass", 86_400.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Compare("a", "<>", "b"), "`operator` must be one of"),
        (Unique, "at least one column"),
        (lambda: RowCount(minimum=-1), "`minimum` must be >= 0, got -1"),
        (lambda: RowCount(minimum=5, maximum=4), r"`maximum` must be >= `minimum` \(5\), got 4"),
        (lambda: NullFraction("a", 1.1), "between 0 and 1, got 1.1"),
        (lambda: Freshness("a", timedelta(-1)), "must not be negative"),
    ],
)
def test_a_check_refuses_nonsense(make, message):
    """When it is declared."""
    with pytest.raises(ValueError, match=message):
        make()
