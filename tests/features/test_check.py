"""The check of fitted features over a frame: what differs, and what odd values came in."""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import FrozenInstanceError
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.errors import InputTypeError, MissingInputError
from prodml.evidence import Evidence
from prodml.features import FeatureSet, Field, ops

FIELDS = [
    Field("amount", "float64", nullable=True),
    Field("n", "int64", nullable=True),
    Field("city", "string", nullable=True),
    Field("size", "int64"),
]


@cache
def orders():
    """Return features of numbers and categories, fitted."""
    fs = FeatureSet("orders", version="1", inputs=FIELDS)
    fs.add(ops.normalize_text("city"), ops.frequency("city_normalized", called="share"))
    fs.add(ops.one_hot("city", ["Rome", "Oslo"]), ops.ordinal("size"), ops.log1p("amount"))
    fs.add(ops.ordinal("n", [1, 2], called="n_code"), ops.target_mean("city"))
    frame = frame_of([(1.0, 1, "Rome", 1), (2.0, 2, "Oslo", 2), (3.0, 3, "Rome", 3)])
    return fs.fit(frame, [0.0, 1.0, 1.0])


def frame_of(rows):
    """Return a frame of orders."""
    columns = list(zip(*rows, strict=True)) or [[]] * 4
    return pd.DataFrame(
        {
            "amount": np.array(columns[0], dtype=float),
            "n": pd.array(list(columns[1]), dtype="Int64"),
            "city": pd.Series(list(columns[2]), dtype=object),
            "size": np.array(columns[3], dtype=np.int64),
        }
    )


rows = st.lists(
    st.tuples(
        st.sampled_from([math.nan, math.inf, -math.inf, 0.5]),
        st.sampled_from([None, 1, 2, 9]),
        st.sampled_from([None, "Rome", "rome ", "Lima"]),
        st.sampled_from([1, 2, 8]),
    ),
    max_size=12,
)


@given(found=rows)
def test_odd_values_are_counted(found):
    """Missing and infinite ones by input; unknown ones by feature, as the feature reads them."""
    report = orders().check(frame_of(found))
    assert report.n_rows == len(found)
    amounts, numbers, cities, sizes = list(zip(*found, strict=True)) or [()] * 4
    assert report.n_missing == {
        "amount": sum(map(math.isnan, amounts)),
        "n": numbers.count(None),
        "city": cities.count(None),
        "size": 0,
    }
    assert report.n_infinite == {"amount": sum(map(math.isinf, amounts)), "n": 0}
    assert report.n_unknown == {
        "share": cities.count("Lima"),
        "city_one_hot": cities.count("Lima") + cities.count("rome "),
        "size_ordinal": sizes.count(8),
        "n_code": numbers.count(9),
        "city_target_mean": cities.count("Lima") + cities.count("rome "),
    }
    assert report.passed
    assert report.faults == ()


def test_every_row_is_counted_and_a_few_are_compared():
    """Counts are of the whole frame, however long."""
    frame = frame_of([(math.nan, 1, "Rome", 1), (0.5, None, "Lima", 8)] * 5000)
    report = orders().check(frame)
    assert report.n_rows == 10_000
    assert report.n_compared < 1000
    assert report.n_missing == {"amount": 5000, "n": 5000, "city": 0, "size": 0}
    assert report.n_unknown["size_ordinal"] == 5000


def test_an_absent_column_is_missing_in_every_row():
    """Where it may be; else the check says which is not there."""
    frame = frame_of([(1.0, 1, "Rome", 1)] * 3)
    assert orders().check(frame.drop(columns="city")).n_missing["city"] == 3
    with pytest.raises(MissingInputError, match="no column 'size'"):
        orders().check(frame.drop(columns="size"))


class Counter:
    """Something that changes from call to call, as a feature must not."""

    def __init__(self):
        self.n_calls = 0

    def call(self):
        """Count a call, once it was asked to."""
        self.n_calls += bool(self.n_calls)
        return self.n_calls


COUNTER = Counter()


def drifting(amount):
    """Return another value in every call, once it is asked to."""
    return amount + COUNTER.call()


def test_a_feature_that_is_not_the_same_twice_is_a_fault(monkeypatch):
    """The report names it, the row and the reason, and fails."""
    monkeypatch.setattr("tests.features.test_check.COUNTER", counter := Counter())
    fs = FeatureSet("drifting", version="1", inputs=[FIELDS[0]])
    fs.feature(elementwise=True)(drifting)
    frame = pd.DataFrame({"amount": [1.0, 2.0]})
    fitted = fs.fit(frame)
    assert fitted.check(frame).passed
    counter.n_calls = 1
    report = fitted.check(frame)
    changed, fault = report.faults
    assert not report.passed
    assert changed.feature == fault.feature == "drifting"
    assert "a value that it reads, is no longer what was fitted" in changed.reason
    assert fault.row is not None
    assert "drifting" in fault.reason
    assert repr(report) == f"<CheckReport: {report.n_compared:,} rows compared, 2 faults>"
    first = report.to_evidence()[0]
    assert (first.verdict, first.value, first.reason) == ("fail", 1, changed.reason)
    assert report.to_dict()["faults"][1] == {
        "feature": "drifting",
        "reason": fault.reason,
        "row": fault.row,
    }
    assert ("fault", "drifting", fault.reason) in list(report.to_frame().itertuples(index=False))


def uncompiled(amount):
    """Return something else where it is compiled, once it is asked to."""
    return amount + (0 if isinstance(amount, np.ndarray) else COUNTER.n_calls)


def test_compiled_lines_that_differ_are_a_fault(monkeypatch):
    """They were served; unless it was known from the fit, and the feature is called as it is."""
    monkeypatch.setattr("tests.features.test_check.COUNTER", counter := Counter())
    fs = FeatureSet("uncompiled", version="1", inputs=[FIELDS[0]])
    fs.feature(uncompiled)
    frame = pd.DataFrame({"amount": [1.0, 2.0]})
    fitted = fs.fit(frame)
    assert fitted.explain("uncompiled").single_record == "traced"
    assert fitted.check(frame).passed
    counter.n_calls = 1
    changed, fault, *_ = fitted.check(frame).faults
    assert changed.feature == fault.feature == "uncompiled"
    assert fault.reason.startswith("the compiled kernel differs from whole columns on row 0")
    known = fs.fit(frame)
    assert known.explain("uncompiled").single_record == "columns of length 1"
    report = known.check(frame)
    assert report.passed
    assert list(report.length_one) == ["uncompiled"]
    assert "not traced" in report.to_frame()["about"].tolist()


def test_a_feature_that_fails_is_a_fault():
    """It is told, with all that could be counted before."""
    fs = FeatureSet("failing", version="1", inputs=[FIELDS[2]])

    @fs.feature(elementwise=True, output=False)
    def initial(city) -> str:
        return city[0] if city else "?"

    @fs.feature(elementwise=True)
    def place(initial) -> int:
        return {"R": 0, "?": 1, " ": 1, "ß": 1, "\U0001f600": 1, "n": 1}[initial]

    fs.add(ops.frequency("city"), ops.frequency("initial", called="share"))
    fitted = fs.fit(frame_of([(1.0, 1, "Rome", 1)]))
    report = fitted.check(frame_of([(1.0, 1, "Rome", 1), (1.0, 1, "Oslo", 1), (1.0, 1, None, 1)]))
    (fault,) = report.faults
    assert (fault.feature, report.n_compared) == ("place", 0)
    assert "KeyError" in fault.reason
    assert report.n_missing == {"city": 1}
    assert report.n_unknown == {"city_frequency": 1, "share": 2}


@pytest.mark.parametrize("given", [{"amount": [1.0]}, None, [1]])
def test_only_a_frame_is_checked(given):
    """The error says what it should be."""
    with pytest.raises(InputTypeError, match="must be a pandas DataFrame"):
        orders().check(given)


def odd_report():
    """Return a report that has something to tell of every kind."""
    return orders().check(
        frame_of([(math.nan, None, None, 1), (math.inf, 9, "<b>Lima</b>", 8), (1.0, 1, "Rome", 1)])
    )


def test_the_report_as_plain_values():
    """JSON, a frame and one line."""
    report = odd_report()
    content = report.to_dict()
    assert json.loads(json.dumps(content)) == content
    assert content["n_missing"] == {"amount": 1, "n": 1, "city": 1, "size": 0}
    assert content["n_infinite"] == {"amount": 1, "n": 0}
    assert content["subject"] == orders().fingerprint
    told = [tuple(row) for row in report.to_frame().itertuples(index=False)]
    assert told[:4] == [
        ("missing", "amount", "1 of 3"),
        ("missing", "n", "1 of 3"),
        ("missing", "city", "1 of 3"),
        ("infinite", "amount", "1 of 3"),
    ]
    assert ("unknown category", "size_ordinal", "1 of 3") in told
    assert list(report.to_frame().columns) == ["about", "name", "result"]
    assert repr(report) == f"<CheckReport: {report.n_compared:,} rows compared, all the same>"


def test_the_report_as_evidence():
    """A verdict on the faults, and a share for each count; of no rows there is none."""
    found = odd_report().to_evidence()
    assert all(isinstance(one, Evidence) and one.kind == "features" for one in found)
    assert {one.subject for one in found} == {orders().fingerprint}
    verdict, *shares = found
    assert (verdict.metric, verdict.value, verdict.verdict) == ("faulty_features", 0, "pass")
    values = {(one.metric, *one.labels.values()): one.value for one in shares}
    assert values["missing_fraction", "city"] == 1 / 3
    assert values["infinite_fraction", "amount"] == 1 / 3
    assert values["unknown_fraction", "share"] == 1 / 3
    assert values["missing_fraction", "size"] == 0.0
    assert all(one.n == 3 for one in shares)
    empty = orders().check(frame_of([])).to_evidence()[1:]
    assert {(one.status, one.value, one.n) for one in empty} == {("insufficient_data", None, 0)}


def test_the_report_as_html():
    """A table whose text cannot become markup."""
    html = odd_report()._repr_html_()
    assert html.count("<tr>") == len(odd_report().to_frame()) + 1
    assert "rows compared, all the same" in html
    assert "unknown category" in html
    assert "<b>" not in html


def test_the_report_is_a_value():
    """Frozen; it pickles."""
    report = odd_report()
    assert pickle.loads(pickle.dumps(report)) == report
    with pytest.raises(FrozenInstanceError):
        report.n_rows = 5


def test_what_a_reader_would_warn_of_is_told():
    """Findings of the code itself, beside what was computed."""
    fs = FeatureSet("warned", version="1", inputs=[FIELDS[0]])

    @fs.feature
    def rounded(amount):
        return np.array([round(one, 1) for one in amount.tolist()], dtype=float)

    frame = pd.DataFrame({"amount": [1.0, 2.0]})
    report = fs.fit(frame).check(frame)
    assert report.passed
    assert all(found for found in report.findings.values())
    told = {row.name for row in report.to_frame().itertuples(index=False) if row.about == "warning"}
    assert told == set(report.findings)
