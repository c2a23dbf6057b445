from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.errors import (
    FeatureError,
    FeatureOutputError,
    FormatError,
    ProdmlError,
    SkewError,
)
from prodml.features import FeatureSet, Field
from prodml.features._compute_environment import describe_environment
from prodml.features.golden import GoldenRows
from prodml.features.golden_replay import GoldenReplay
from prodml.testing import check_evidence_source
from tests.features.orders import NOON, orders, rows

FRAME = rows()
FITTED = orders().fit(FRAME)
GOLDEN = GoldenRows.take(FITTED, FRAME)


def changed(golden, **content):
    """Return golden rows with other content, as a damaged or foreign file would hold."""
    return GoldenRows.from_json(json.dumps(golden.to_dict() | content))


def elsewhere(golden):
    """Return golden rows that were recorded on another machine."""
    return changed(golden, environment="numpy 1.0.0; Plan9 vax; none")


def with_output(golden, feature, row, value):
    """Return golden rows with another recorded value."""
    outputs = golden.to_dict()["outputs"]
    outputs[golden.columns.index(feature)][row] = value.hex()
    return changed(golden, outputs=outputs)


def value_of(golden, feature, row):
    """Return a recorded value."""
    return golden.outputs[row, golden.columns.index(feature)].item()


def linear(matrix):
    """Return what a model would."""
    return np.nan_to_num(matrix) @ np.arange(1.0, 8.0)


# ------------------------------------------------------------------------------------ taking


def test_what_was_taken_replays():
    """Golden rows give the same bits as a batch and one by one."""
    replay = GOLDEN.replay(FITTED)

    assert replay.passed
    assert replay.raise_for_skew() is replay
    assert replay.n_compared == {"transform": 64 * 7, "transform_one": 64 * 7}
    assert replay.same_fingerprint
    assert replay.same_environment
    assert replay.most_ulps == 0


def test_rows_that_differ_are_chosen():
    """Each side of each flag, each bucket's ends, each pattern of gaps and the extremes are in."""
    matrix = FITTED.transform(FRAME)

    assert GOLDEN.n_rows == 64
    for at, name in enumerate(FITTED.columns):
        kept = GOLDEN.outputs[:, at]
        assert np.nanmin(kept) == np.nanmin(matrix[:, at]), name
        assert np.nanmax(kept) == np.nanmax(matrix[:, at]), name
        assert np.isnan(kept).any() == np.isnan(matrix[:, at]).any(), name
    names = ["amount", "gift", "city"]
    patterns = set(map(tuple, FRAME[names].isna().to_numpy().tolist()))
    assert set(map(tuple, GOLDEN.to_frame()[names].isna().to_numpy().tolist())) == patterns
    assert set(FRAME["city"].dropna()) <= set(GOLDEN.inputs["city"])


@pytest.mark.parametrize(("n_frame", "n", "kept"), [(200, 5, 5), (3, 64, 3), (1, 1, 1)])
def test_how_many_are_kept(n_frame, n, kept):
    """At most `n`, and no row twice."""
    golden = GoldenRows.take(FITTED, FRAME.head(n_frame), n=n)

    assert golden.n_rows == kept
    assert len(set(golden.inputs["at"])) == kept


def test_neither_the_frame_nor_the_rows_can_be_changed():
    """Taking leaves the frame alone; what was taken is read-only."""
    before = FRAME.copy()
    golden = GoldenRows.take(FITTED, FRAME, predict=linear)
    copy = golden.to_frame()
    copy.loc[:, "n_items"] = 0

    pd.testing.assert_frame_equal(FRAME, before)
    assert golden.replay(FITTED, predict=linear).passed
    for array in (golden.outputs, golden.predictions):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(TypeError):
        golden.inputs["amount"] = ()


@pytest.mark.parametrize(
    ("frame", "n"), [(FRAME.head(0), 64), (FRAME, 0), (FRAME, True), (FRAME, 2.0), (FRAME, -1)]
)
def test_no_rows_are_no_golden_rows(frame, n):
    """An empty frame guards nothing, and says so."""
    with pytest.raises(FeatureError, match="need rows"):
        GoldenRows.take(FITTED, frame, n=n)


def test_what_does_not_replay_is_not_taken():
    """A model that answers otherwise the second time cannot be guarded."""
    rng = np.random.default_rng(0)

    with pytest.raises(SkewError, match="predict"):
        GoldenRows.take(FITTED, FRAME, predict=lambda matrix: rng.random(len(matrix)))


# ---------------------------------------------------------------------------------- round trip


def test_they_survive_json_exactly():
    """Raw values, bits of features and predictions come back as they were."""
    golden = GoldenRows.take(FITTED, FRAME, predict=linear)
    again = GoldenRows.from_json(golden.to_json().encode())

    assert again == golden
    assert hash(again) == hash(golden)
    assert again.to_json() == golden.to_json()
    assert again.outputs.tobytes() == golden.outputs.tobytes()
    assert again.predictions.tobytes() == golden.predictions.tobytes()
    assert again.replay(FITTED, predict=linear).passed
    assert pickle.loads(pickle.dumps(golden)) == golden
    assert golden != GOLDEN
    assert golden != 1


class Colour(str, Enum):
    """Text that is no plain text."""

    RED = "red"


class Count(int):
    """An int that is no plain int."""


class Share(float):
    """A float that is no plain float."""


class Moment(datetime):
    """A datetime that is no plain datetime."""


def kinds():
    """Return features of one input of each type, which show the value they get."""
    fs = FeatureSet(
        "kinds",
        version="1",
        inputs=[
            Field("number", "float64", nullable=True),
            Field("count", "int64"),
            Field("flag", "bool", nullable=True),
            Field("text", "string", nullable=True),
            Field("moment", "timestamp[us, UTC]", nullable=True, tz="Europe/Rome"),
        ],
    )
    fs.feature(lambda number: number, name="f_number")
    fs.feature(lambda count: count % 1_000_003, name="f_count")
    fs.feature(lambda flag: flag, name="f_flag")
    fs.feature(
        lambda text: -1.0 if text is None else float(sum(map(ord, text))),
        name="f_text",
        elementwise=True,
    )
    fs.feature(lambda moment: moment, name="f_moment")
    return fs


ZONED = datetime(2026, 7, 1, 9, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
ODD = [
    {
        "number": np.nan, "count": 2**63 - 1, "flag": None, "text": None,
        "moment": None,
    },
    {
        "number": -0.0, "count": -(2**63), "flag": True, "text": "a\x00\ud800\U0001f600",
        "moment": ZONED,
    },
    {
        "number": 5e-324, "count": 0, "flag": pd.NA, "text": "",
        "moment": datetime(2026, 7, 1, 9, 30),
    },
    {
        "number": np.inf, "count": Count(7), "flag": np.True_, "text": Colour.RED,
        "moment": pd.Timestamp(ZONED),
    },
    {
        "number": np.float32(0.1), "count": np.int8(-3), "flag": False, "text": np.str_("x"),
        "moment": datetime(2026, 1, 1, tzinfo=UTC),
    },
    {
        "number": 3, "count": 5.0, "flag": None, "text": pd.NA,
        "moment": pd.NaT,
    },
    {
        "number": Share(-0.0), "count": 1, "flag": True, "text": "y",
        "moment": Moment(2026, 1, 1, tzinfo=ZONED.tzinfo),
    },
]  # fmt: skip


@pytest.mark.parametrize("n", range(1, len(ODD) + 1))
def test_odd_values_are_kept_as_they_arrived(n):
    """Everything that the inputs take is kept, and gives the same bits after JSON."""
    frame = pd.DataFrame(
        {name: pd.Series([record[name] for record in ODD[:n]], dtype=object) for name in ODD[0]}
    )
    fitted = kinds().fit(frame)
    golden = GoldenRows.take(fitted, frame)
    again = GoldenRows.from_json(golden.to_json())

    assert golden.n_rows == n
    assert again.replay(fitted).passed
    assert "other" not in golden.to_json()
    singles = np.array([fitted.transform_one(again.record(row)) for row in range(n)])
    assert singles.tobytes() == np.ascontiguousarray(golden.outputs).tobytes()


DTYPES = {
    "float32": ("number", lambda: pd.Series([0.1, np.nan, 3.0], dtype="float32")),
    "Float64": ("number", lambda: pd.Series([0.1, None, 3.0], dtype="Float64")),
    "int8": ("count", lambda: pd.Series([1, -2, 3], dtype="int8")),
    "uint64": ("count", lambda: pd.Series([1, 2, 3], dtype="uint64")),
    "Int64": ("count", lambda: pd.Series([1, -2, 3], dtype="Int64")),
    "boolean": ("flag", lambda: pd.Series([True, None, False], dtype="boolean")),
    "category": ("text", lambda: pd.Series(["b", None, "a"], dtype="category")),
    "string": ("text", lambda: pd.Series(["b", None, "a"], dtype="string[python]")),
    "datetime64[ns]": (
        "moment",
        lambda: pd.Series(
            pd.to_datetime(["2026-03-01 10:00:00.123456789", None, "2026-01-01 00:00:00.0"])
        ),
    ),
    "datetime64[s, Asia/Tokyo]": (
        "moment",
        lambda: pd.Series(
            pd.to_datetime(["2026-03-01", None, "1700-01-01"])
            .as_unit("s")
            .tz_localize("Asia/Tokyo")
        ),
    ),
}


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_is_kept(dtype):
    """Whatever dtype a frame has, its cells are kept as records have them."""
    name, make = DTYPES[dtype]
    frame = pd.DataFrame(
        {
            "number": [1.0, 2.0, 3.0],
            "count": [1, 2, 3],
            "flag": [True, False, True],
            "text": ["a", "b", "c"],
            "moment": pd.to_datetime(["2026-01-01"] * 3).tz_localize("UTC"),
        }
    ).assign(**{name: make()})
    fitted = kinds().fit(frame)
    golden = GoldenRows.take(fitted, frame)

    assert GoldenRows.from_json(golden.to_json()).replay(fitted).passed
    assert sorted(map(str, fitted.transform(frame).tolist())) == sorted(
        map(str, golden.outputs.tolist())
    )


@pytest.mark.needs_arrow
@pytest.mark.parametrize(
    ("name", "values", "dtype"),
    [
        ("number", [0.1, None, 2.0], "double[pyarrow]"),
        ("count", [1, 2, 3], "int32[pyarrow]"),
        ("flag", [True, None, False], "bool[pyarrow]"),
        ("text", ["b", None, "a"], "string[pyarrow]"),
    ],
)
def test_arrow_columns_are_kept(name, values, dtype):
    """Cells of Arrow columns are kept as plain ones."""
    frame = pd.DataFrame(
        {
            "number": [1.0, 2.0, 3.0],
            "count": [1, 2, 3],
            "flag": [True, False, True],
            "text": ["a", "b", "c"],
            "moment": pd.to_datetime(["2026-01-01"] * 3).tz_localize("UTC"),
        }
    ).assign(**{name: pd.array(values, dtype=dtype)})
    fitted = kinds().fit(frame)

    assert GoldenRows.from_json(GoldenRows.take(fitted, frame).to_json()).replay(fitted).passed


def test_an_absent_nullable_column_stays_absent():
    """What was no column of the frame is no key of the records."""
    frame = FRAME.drop(columns=["gift"])
    golden = GoldenRows.take(FITTED, frame)

    assert "gift" not in golden.inputs
    assert "gift" not in golden.record(0)
    assert "id" not in golden.inputs
    assert golden.replay(FITTED).passed


def test_features_without_inputs():
    """A set whose features read nothing has rows all the same."""
    fs = FeatureSet("none", version="1", inputs=[Field("a", "float64")])
    fs.feature(lambda a: a * 0 + 1.0, name="one")
    fitted = fs.fit(pd.DataFrame({"a": [1.0, 2.0]}))
    golden = GoldenRows.take(fitted, pd.DataFrame({"a": [1.0, 2.0]}))

    assert golden.replay(fitted).passed


CONTENT = GOLDEN.to_dict()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        "1",
        "{}",
        '{"format": "prodml-features/1"}',
        json.dumps(CONTENT | {"format": "prodml-golden/2"}),
        json.dumps(CONTENT | {"n_rows": 63}),
        json.dumps(CONTENT | {"n_rows": "64"}),
        json.dumps(CONTENT | {"columns": CONTENT["columns"][1:]}),
        json.dumps(CONTENT | {"columns": [1] * 7}),
        json.dumps(CONTENT | {"name": 1}),
        json.dumps(CONTENT | {"environment": None}),
        json.dumps(CONTENT | {"outputs": [["1.5z"] * 64] * 7}),
        json.dumps(CONTENT | {"outputs": [["0x1p5000"] * 64] * 7}),
        json.dumps(CONTENT | {"outputs": [[1.5] * 64] * 7}),
        json.dumps(CONTENT | {"outputs": 3}),
        json.dumps(CONTENT | {"inputs": {"amount": [{"$": "Thing", "v": 1}] * 64}}),
        json.dumps(CONTENT | {"inputs": {"amount": [{"$": "datetime", "v": "noon"}] * 64}}),
        json.dumps(CONTENT | {"inputs": []}),
        json.dumps(CONTENT | {"predictions": {"dtype": "<M8[s]", "shape": [64], "values": []}}),
        json.dumps(CONTENT | {"predictions": {"dtype": "<f8", "shape": [1], "values": ["0x1p0"]}}),
        json.dumps(CONTENT | {"predictions": {"dtype": "<f8", "shape": [64], "values": []}}),
        json.dumps({name: one for name, one in CONTENT.items() if name != "fingerprint"}),
        b"\xff",
        "[" * 100_000,
    ],
)
def test_other_text_is_refused(text):
    """What is no golden rows, or damaged, is told and never half read."""
    with pytest.raises(FormatError) as caught:
        GoldenRows.from_json(text)

    assert isinstance(caught.value, ProdmlError)
    assert isinstance(caught.value, ValueError)


# ------------------------------------------------------------------------------ planted skew


@pytest.mark.parametrize("feature", ["log_amount", "log_centred", "pieces", "hour"])
def test_one_ulp_is_seen(feature):
    """In the same place one bit of one value is a difference, on each path, and is named."""
    value = value_of(GOLDEN, feature, 3)
    moved = np.nextafter(value, np.inf).item()
    replay = with_output(GOLDEN, feature, 3, moved).replay(FITTED)

    assert [(one.feature, one.row, one.path, one.ulps) for one in replay.differences] == [
        (feature, 3, "transform", 1),
        (feature, 3, "transform_one", 1),
    ]
    assert {(one.expected, one.got) for one in replay.differences} == {(moved, value)}
    with pytest.raises(SkewError, match=f"'{feature}' in row 3 by transform: .* 1 ulp") as caught:
        replay.raise_for_skew()
    assert caught.value.differences == replay.differences
    assert "other features" not in str(caught.value)


@pytest.mark.parametrize(
    ("feature", "ulps", "passes"),
    [
        ("log_amount", 4, True),
        ("log_amount", -4, True),
        ("log_amount", 5, False),
        ("log_centred", 5, False),
        ("log_centred", 4, True),
        ("hour", 1, False),
        ("city_Oslo", 1, False),
        ("amount_bucket", 1, False),
    ],
)
def test_elsewhere_four_ulp_are_let_pass_but_not_in_whole_numbers(feature, ulps, passes):
    """Another CPU may round otherwise; it may not count otherwise."""
    whole = feature in {"hour", "city_Oslo", "amount_bucket"}
    row = int(np.nanargmax(np.abs(GOLDEN.outputs[:, GOLDEN.columns.index(feature)])))
    moved = value_of(GOLDEN, feature, row)
    for _ in range(abs(ulps)):
        moved = np.nextafter(moved, np.copysign(np.inf, ulps)).item()
    # a recorded fraction would make the column one of fractions: here the features moved instead
    golden = elsewhere(GOLDEN if whole else with_output(GOLDEN, feature, row, moved))
    fitted = Moved(FITTED, feature, row, moved) if whole else FITTED
    replay = golden.replay(fitted)

    assert not replay.same_environment
    assert replay.most_ulps == 4
    assert replay.passed is passes
    assert all(one.feature == feature for one in replay.differences)


class Moved:
    """Features of which one value is another, as on another machine."""

    def __init__(self, fitted, feature, row, value):
        self._fitted, self._feature, self._row, self._value = fitted, feature, row, value

    def __getattr__(self, name):
        return getattr(self._fitted, name)

    def transform(self, frame):
        """Return the features, but for one value."""
        matrix = self._fitted.transform(frame)
        matrix[self._row, self.columns.index(self._feature)] = self._value
        return matrix


def test_null_is_not_zero():
    """A missing value that became 0, or the other way round, has no distance and is never let
    pass.
    """
    column = GOLDEN.outputs[:, GOLDEN.columns.index("pieces")]
    row = int(np.argmax(np.isnan(column)))
    for golden in (GOLDEN, elsewhere(GOLDEN)):
        replay = with_output(golden, "pieces", row, 0.0).replay(FITTED)
        first = replay.differences[0]

        assert (first.feature, first.row, first.expected, first.ulps) == ("pieces", row, 0.0, None)
        assert np.isnan(first.got)
        assert "nan instead of 0.0" in str(first)
        assert json.loads(json.dumps(replay.to_dict(), allow_nan=False))["differences"]


def test_another_state_is_another_fingerprint_and_told_first():
    """Features that learned from other rows differ, and the message begins with why."""
    other = orders().fit(rows(seed=1))
    replay = GOLDEN.replay(other)

    assert not replay.same_fingerprint
    assert {one.feature for one in replay.differences} == {"log_centred"}
    with pytest.raises(SkewError, match=r"^These are other features") as caught:
        replay.raise_for_skew()
    assert other.fingerprint[:12] in str(caught.value)
    assert GOLDEN.fingerprint[:12] in str(caught.value)


def test_other_code_with_the_same_bits_passes_with_a_warning():
    """A fingerprint that changed is no difference by itself."""

    def log_amount(amount):
        filled = np.where(np.isnan(amount), 0.0, np.abs(amount))
        return np.log1p(filled)

    fs = FeatureSet("orders", version="1", inputs=FITTED.fields[:1])
    fs.feature(log_amount)
    before = FeatureSet("orders", version="1", inputs=FITTED.fields[:1])
    before.feature(
        lambda amount: np.log1p(np.where(np.isnan(amount), 0.0, np.abs(amount))), name="log_amount"
    )
    replay = GoldenRows.take(before.fit(FRAME), FRAME).replay(fs.fit(FRAME))

    assert replay.passed
    assert not replay.same_fingerprint
    assert replay.raise_for_skew() is replay
    assert replay.to_evidence()[0].verdict == "warn"
    assert "other features" in repr(replay)


def test_a_batch_that_differs_from_single_records_is_told_by_its_path():
    """Each path is compared for itself."""
    moved = Moved(FITTED, "log_amount", 2, 0.25)
    replay = GOLDEN.replay(moved)

    assert [(one.row, one.path, one.got) for one in replay.differences] == [(2, "transform", 0.25)]


def renamed(names):
    """Return features that pass `amount` on, under other names."""
    fs = FeatureSet("orders", version="1", inputs=[Field("amount", "float64", nullable=True)])
    for name in names:
        fs.feature(lambda amount: amount + 0.0, name=name)
    return fs.fit(FRAME)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["a", "b"], []),
        (["b", "a"], ["The columns are in another order: 'b', 'a'."]),
        (["a"], ["Columns are gone: 'b'."]),
        (["a", "b", "c"], ["Columns are new: 'c'."]),
        (["a", "c"], ["Columns are gone: 'b'.", "Columns are new: 'c'."]),
    ],
)
def test_columns_that_come_and_go_are_faults(names, told):
    """A model expects its columns; those that are left are still compared."""
    replay = GoldenRows.take(renamed(["a", "b"]), FRAME).replay(renamed(names))

    assert list(replay.faults) == told
    assert replay.passed is not bool(told)
    assert replay.differences == ()
    assert replay.n_compared["transform"] == 64 * len({"a", "b"} & set(names))
    for sentence in told:
        with pytest.raises(SkewError) as caught:
            replay.raise_for_skew()
        assert sentence in str(caught.value)


def test_rows_that_can_no_longer_be_computed_are_faults():
    """An input that must have a value now fails both ways, and says on which row."""
    fs = FeatureSet("orders", version="1", inputs=[Field("amount", "float64")])
    fs.feature(lambda amount: amount, name="log_amount")
    replay = GOLDEN.replay(fs.fit(FRAME.dropna(subset="amount")))

    assert any(
        fault.startswith("The golden rows fail as a batch: No value") for fault in replay.faults
    )
    assert any("fails as a record" in fault for fault in replay.faults)
    assert replay.n_compared == {}
    assert not replay.passed
    assert check_evidence_source(replay)[-1].verdict == "fail"
    assert "fail as a batch" in replay._repr_html_()
    assert repr(replay) == "<GoldenReplay: 64 rows, 0 differences, 3 faults, other features>"


def test_time_zones_are_part_of_what_is_replayed():
    """An input that reads naive times in another zone shifts the hour, and is seen."""

    def hours(zone):
        fs = FeatureSet("h", version="1", inputs=[Field("at", "timestamp[us, UTC]", tz=zone)])
        fs.feature(lambda at: at // 3_600_000_000 % 24, name="hour")
        return fs

    naive = pd.DataFrame({"at": pd.to_datetime(["2026-01-01 23:30", "2026-07-01 10:00"])})
    golden = GoldenRows.take(hours("UTC").fit(naive), naive)
    replay = GoldenRows.from_json(golden.to_json()).replay(hours("America/Lima").fit(naive))

    assert {one.feature for one in replay.differences} == {"hour"}
    assert len(replay.differences) == 4


# -------------------------------------------------------------------------------- predictions


@pytest.mark.parametrize(
    "predict",
    [
        linear,
        lambda matrix: linear(matrix).astype(np.float32),
        lambda matrix: np.stack([linear(matrix), -linear(matrix)], axis=1),
        lambda matrix: matrix[:, 2] > 12,
        lambda matrix: matrix[:, 2].astype(np.int64),
        lambda matrix: np.where(matrix[:, 2] > 12, "late", "early"),
        lambda matrix: ["late" if hour > 12 else None for hour in matrix[:, 2]],
        lambda matrix: pd.Series(linear(matrix)),
        lambda matrix: np.where(matrix[:, 2] > 12, np.nan, np.inf),
    ],
)
def test_predictions_are_kept_and_replayed(predict):
    """Numbers of any width, flags, labels, and several outputs."""
    golden = GoldenRows.from_json(GoldenRows.take(FITTED, FRAME, predict=predict).to_json())
    replay = golden.replay(FITTED, predict=predict)

    assert replay.passed
    assert replay.n_compared["predict"] == golden.n_rows
    assert golden.replay(FITTED).n_compared.keys() == {"transform", "transform_one"}


def test_a_model_of_float32_inputs_is_seen():
    """A service that hands its model float32 gives other predictions from the same features."""
    golden = GoldenRows.take(FITTED, FRAME, predict=linear)
    replay = golden.replay(FITTED, predict=lambda matrix: linear(matrix.astype(np.float32)))

    assert {one.path for one in replay.differences} == {"predict"}
    assert {one.feature for one in replay.differences} == {"prediction"}
    assert all(
        one.ulps > 4
        for one in elsewhere(golden)
        .replay(FITTED, predict=lambda matrix: linear(matrix.astype(np.float32)))
        .differences
    )
    near = golden.replay(
        FITTED, predict=lambda matrix: linear(matrix.astype(np.float32)), prediction_rtol=1e-6
    )
    assert near.passed


def test_float32_predictions_may_be_four_of_their_own_ulp_apart_elsewhere():
    """The step is that of the type that the model returns."""
    golden = GoldenRows.take(FITTED, FRAME, predict=lambda m: linear(m).astype(np.float32))

    def moved(steps):
        def predict(matrix):
            out = linear(matrix).astype(np.float32)
            for _ in range(steps):
                out = np.nextafter(out, np.float32(np.inf))
            return out

        return predict

    assert not golden.replay(FITTED, predict=moved(1)).passed
    assert elsewhere(golden).replay(FITTED, predict=moved(4)).passed
    assert not elsewhere(golden).replay(FITTED, predict=moved(5)).passed


@pytest.mark.parametrize(
    ("recorded", "today", "feature", "row"),
    [
        (lambda m: m[:, 2] > 12, lambda m: m[:, 2] > 99, "prediction", None),
        (
            lambda m: np.where(m[:, 2] >= 0, "a", "b"),
            lambda m: np.where(np.arange(len(m)) == 3, "b", "a"),
            "prediction",
            3,
        ),
        (
            lambda m: np.zeros((len(m), 2)),
            lambda m: np.eye(len(m), 2) * 0.5,
            "prediction 0",
            0,
        ),
    ],
)
def test_predictions_that_differ_are_named(recorded, today, feature, row):
    """Labels and flags are compared as they are; several outputs by their number."""
    first = GoldenRows.take(FITTED, FRAME, predict=recorded).replay(FITTED, predict=today)

    assert first.differences[0].path == "predict"
    assert first.differences[0].feature == feature
    assert row is None or first.differences[0].row == row


@pytest.mark.parametrize(
    ("today", "told"),
    [
        (lambda m: linear(m).astype(np.float32), "returns float32 of shape (64,)"),
        (lambda m: linear(m)[:, None], "returns float64 of shape (64, 1)"),
        (lambda m: m.no_such_thing, "AttributeError"),
        (lambda _: 1.0, "FeatureOutputError"),
    ],
)
def test_a_model_that_answers_in_another_form_is_a_fault(today, told):
    """It cannot be compared, and that is told instead of raised."""
    replay = GoldenRows.take(FITTED, FRAME, predict=linear).replay(FITTED, predict=today)

    assert not replay.passed
    assert told in " ".join(replay.faults)


@pytest.mark.parametrize(
    "predict",
    [
        lambda _: None,
        lambda _: 1.0,
        lambda m: linear(m)[1:],
        lambda m: [object()] * len(m),
        lambda m: linear(m).astype(complex),
        lambda m: np.zeros(len(m), "M8[s]"),
    ],
)
def test_what_is_no_prediction_is_refused(predict):
    """One answer per row, of a kind that can be kept."""
    with pytest.raises(FeatureOutputError, match="`predict` must return") as caught:
        GoldenRows.take(FITTED, FRAME, predict=predict)

    assert caught.value.feature == "prediction"


def test_a_model_may_write_into_its_input():
    """It gets a copy, so that the recorded features stay what they are."""

    def greedy(matrix):
        matrix[:] = 0
        return matrix[:, 0]

    assert GoldenRows.take(FITTED, FRAME, predict=greedy).outputs.any()


def test_predictions_that_were_not_recorded_cannot_be_replayed():
    """Nothing is compared with nothing."""
    with pytest.raises(FeatureError, match="hold no predictions"):
        GOLDEN.replay(FITTED, predict=linear)


# -------------------------------------------------------------------------------- what is shown


def test_the_report_speaks_evidence():
    """Each path is one number with a verdict; the code and the faults are others."""
    good = {one.series: one for one in check_evidence_source(GOLDEN.replay(FITTED))}
    bad = {
        one.series: one
        for one in check_evidence_source(with_output(GOLDEN, "hour", 1, 99.0).replay(FITTED))
    }
    path = 'skew_golden_differences{path="transform"}'

    assert {one.verdict for one in good.values()} == {"pass"}
    assert (good[path].value, good[path].n) == (0, 448)
    assert (bad[path].value, bad[path].verdict) == (1, "fail")
    assert good[path].subject == FITTED.fingerprint


def test_how_results_look():
    """One line, a table, a frame and plain values; text from data is escaped."""
    replay = with_output(GOLDEN, "hour", 1, 99.0).replay(FITTED)

    assert repr(GOLDEN) == "<GoldenRows orders 1: 64 rows, 5 inputs, 7 columns>"
    assert repr(replay) == "<GoldenReplay: 64 rows, 2 differences>"
    assert list(replay.to_frame()["path"]) == ["transform", "transform_one"]
    assert list(GOLDEN.replay(FITTED).to_frame().columns) == list(replay.to_frame().columns)
    assert "99.0" in replay._repr_html_()
    assert replay.to_dict()["differences"][0]["feature"] == "hour"
    assert pickle.loads(pickle.dumps(replay)) == replay
    hostile = FRAME.assign(city="<script>")
    assert "<script>" not in GoldenRows.take(FITTED, hostile)._repr_html_()


def test_a_long_list_of_differences_is_cut_in_the_message():
    """The message shows five, the attribute has all."""
    replay = GOLDEN.replay(orders(scale=1.5).fit(FRAME))

    with pytest.raises(SkewError, match=r"and 2[0-9]{2} more") as caught:
        replay.raise_for_skew()
    assert len(caught.value.differences) > 200
    assert pickle.loads(pickle.dumps(caught.value)).differences == replay.differences


# ---------------------------------------------------------------------- properties, processes

CELLS = st.fixed_dictionaries(
    {
        "number": st.none() | st.floats() | st.integers(-(2**53), 2**53),
        "count": st.integers(-(2**63), 2**63 - 1),
        "flag": st.none() | st.booleans(),
        "text": st.none() | st.text(max_size=5),
        "moment": st.none()
        | st.datetimes(datetime(1700, 1, 1), datetime(2250, 1, 1), timezones=st.just(UTC)),
    }
)
KINDS = kinds().fit(
    pd.DataFrame([{"number": 1.0, "count": 1, "flag": True, "text": "a", "moment": NOON}])
)


@given(found=st.lists(CELLS, min_size=1, max_size=12))
def test_any_rows_replay_after_json(found):
    """What the inputs take survives JSON, and gives the same bits on both paths."""
    frame = pd.DataFrame(
        {name: pd.Series([one[name] for one in found], dtype=object) for name in found[0]}
    )
    golden = GoldenRows.from_json(GoldenRows.take(KINDS, frame).to_json())

    assert golden.replay(KINDS).passed
    assert golden.n_rows == len(found)


ELSEWHERE = """
import sys
from pathlib import Path
from prodml.features._compute_environment import describe_environment
from prodml.features.golden import GoldenRows
from tests.features.orders import orders
golden, fitted = (Path(path).read_text() for path in sys.argv[1:])
replay = GoldenRows.from_json(golden).replay(orders().restore(fitted))
print(replay.same_environment, replay.same_fingerprint, replay.passed, replay.most_ulps)
print(describe_environment())
"""


@pytest.mark.parametrize("disabled", [False, True])
def test_another_process_with_and_without_vector_units(tmp_path, disabled):
    """They replay in a fresh process: to the bit on this CPU, within 4 ulp with units off."""
    from prodml.features import _compute_environment as environment

    units = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    if disabled and not units:
        pytest.skip("numpy uses no vector unit here that could be switched off")
    golden, fitted = tmp_path / "golden.json", tmp_path / "fitted.json"
    golden.write_text(GOLDEN.to_json())
    fitted.write_text(FITTED.to_json())
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("COV_", "COVERAGE_"))}
    if disabled:
        environ["NPY_DISABLE_CPU_FEATURES"] = " ".join(units)
    command = [sys.executable, "-c", ELSEWHERE, str(golden), str(fitted)]
    done = subprocess.run(command, env=environ, cwd=".", capture_output=True, text=True, check=True)
    told, described = done.stdout.splitlines()

    assert told == ("False True True 4" if disabled else "True True True 0")
    assert (described == environment.describe_environment()) is not disabled


def test_the_environment_names_what_decides_the_last_bit():
    """The version of numpy, the machine and its vector units."""
    described = describe_environment()

    assert described.startswith(f"numpy {np.__version__}; ")
    for unit in np.show_config(mode="dicts")["SIMD Extensions"].get("found", []):
        assert unit in described.split()
    assert isinstance(GOLDEN.replay(FITTED), GoldenReplay)
