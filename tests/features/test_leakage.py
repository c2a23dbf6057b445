"""Leakage is found where it was planted, and nowhere else."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from prodml.errors import (
    FeatureDefinitionError,
    InputTypeError,
    MissingInputError,
    PointInTimeError,
)
from prodml.features._single_column_scores import (
    Label,
    score_categories,
    score_missing,
    score_numbers,
)
from prodml.features.leakage import check_leakage
from prodml.testing import check_evidence_source

N = 400


@pytest.fixture
def rng():
    """Return random numbers, the same ones each time."""
    return np.random.default_rng(11)


@pytest.fixture
def honest(rng):
    """Columns of every kind that say little about the label, and the label."""
    y = rng.integers(0, 2, N)
    frame = pd.DataFrame(
        {
            "amount": rng.normal(size=N) + y,
            "n_items": rng.integers(0, 9, N),
            "city": rng.choice(["a", "b", "c"], N),
            "known": np.where(rng.random(N) < 0.3, np.nan, rng.normal(size=N)),
            "flag": rng.random(N) < 0.5,
            "when": pd.Timestamp("2024-05-01") + pd.to_timedelta(rng.permutation(N), "h"),
        }
    )
    return frame, y


def found(report, check):
    """Return the findings of one check by their columns."""
    return {one.column: one for one in report.findings if one.check == check}


def checks_of(report):
    """Return the checks that were made, by name."""
    return {one.check: one for one in report.checks}


# ------------------------------------------------------------------------------ scores


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.5, 1.0, -1.0, float("inf"), 3.25]), st.integers(0, 2)),
        min_size=60,
        max_size=90,
    )
)
def test_the_score_is_the_area_under_the_curve(pairs):
    """As scikit-learn computes it, of each class against the others; ties count half."""
    values = np.array([value for value, _ in pairs])
    classes = np.array([one for _, one in pairs])
    finite = np.where(np.isinf(values), 9.0, values)
    areas = [
        roc_auc_score(classes == one, finite)
        for one in range(3)
        if 10 <= np.sum(classes == one) <= len(classes) - 10
    ]

    score = score_numbers(values, Label(classes, 3))

    expected = max((max(area, 1 - area) for area in areas), default=None)
    assert score == (None if expected is None else pytest.approx(expected, abs=1e-12))


@pytest.mark.parametrize("seed", range(5))
def test_the_score_of_numbers_is_the_rank_correlation(seed):
    """Spearman's, as scipy computes it, without its sign."""
    rng = np.random.default_rng(seed)
    values, y = rng.integers(0, 30, 200), rng.normal(size=200)
    y = y + 0.1 * values

    score = score_numbers(values, Label(y, 0))

    assert score == pytest.approx(abs(spearmanr(values, y).statistic), abs=1e-12)


@given(st.permutations(range(40)))
def test_the_order_of_the_rows_does_not_matter(order):
    """Scores are sums of whole numbers."""
    values, label = np.arange(40) % 11, np.arange(40) % 2

    assert score_numbers(values, Label(label, 2)) == score_numbers(
        values[list(order)], Label(label[list(order)], 2)
    )


def test_a_score_needs_enough_rows():
    """Nine rows of a class are separated by chance too often."""
    label = Label(np.array([1] * 9 + [0] * 50), 2)
    assert score_numbers(np.arange(59), label) is None
    assert score_categories(np.arange(59) % 2, label) is None
    assert score_numbers(np.arange(19), Label(np.arange(19.0), 0)) is None
    assert score_numbers(np.zeros(30), Label(np.arange(30.0), 0)) is None


def test_categories_that_occur_once_do_not_score():
    """A name for each row tells nothing about other rows; a code for the label does."""
    y = np.arange(200) % 2
    assert score_categories(np.arange(200), Label(y, 2)) == pytest.approx(0.5)
    assert score_categories(y, Label(y, 2)) == 1.0
    three = np.arange(300) % 3
    assert score_categories(three[::-1].copy(), Label(three[::-1].copy(), 3)) == 1.0
    numbers = np.arange(200.0)
    assert score_categories(np.arange(200) // 20, Label(numbers, 0)) > 0.99
    assert score_categories(np.arange(200), Label(numbers, 0)) is None


def test_noise_in_many_categories_does_not_score(rng):
    """Means of small categories follow the label of their own rows, which have no say here."""
    y = rng.integers(0, 2, 1000)
    score = score_categories(rng.integers(0, 300, 1000), Label(y, 2))
    assert score < 0.6


def test_absence_is_scored_like_a_value():
    """Missing in one class only is a perfect score; missing by chance is none."""
    y = np.array([0, 1] * 50)
    assert score_missing(y == 1, Label(y, 2)) == 1.0
    assert score_missing(np.arange(100) % 4 < 2, Label(y, 2)) == 0.5


# ------------------------------------------------------------------------------ findings


def test_honest_columns_pass(honest):
    """No finding, and every check says so."""
    frame, y = honest

    report = check_leakage(frame, y, test=frame.assign(amount=frame["amount"] + 0.5))

    assert report.findings == ()
    assert report.verdict == "pass"
    assert {one.verdict for one in report.checks} == {"pass"}
    assert set(checks_of(report)) == {
        "label_score", "missing_score", "id_like", "duplicate_rows"
    }  # fmt: skip
    check_evidence_source(report)


@pytest.mark.parametrize(
    ("name", "leak"),
    [
        ("number", lambda y: y * 2.0 - 1),
        ("reversed", lambda y: -y),
        ("text", lambda y: np.where(y == 1, "yes", "no")),
        ("bool", lambda y: y == 1),
        ("category", lambda y: pd.Categorical(np.where(y == 1, "yes", "no"))),
        ("nullable", lambda y: pd.array(y, dtype="Int8")),
    ],
)
def test_a_column_that_is_the_label_is_found(honest, name, leak):
    """In any dtype, and whichever way round."""
    frame, y = honest

    report = check_leakage(frame.assign(leak=leak(y)), y)

    finding = found(report, "label_score")
    assert list(finding) == ["leak"]
    assert finding["leak"].value == 1.0
    assert finding["leak"].n == N
    assert "area under the ROC curve 1.0000" in finding["leak"].reason
    assert report.verdict == "warn"


@pytest.mark.parametrize(
    "label",
    [
        lambda y: y.tolist(),
        lambda y: y.astype(bool),
        lambda y: np.where(y == 1, "bad", "good"),
        lambda y: pd.Series(y, index=range(5, 5 + N)),
        lambda y: y.astype(float),
        lambda y: pd.array(y, dtype="Int64"),
        lambda y: iter(y.tolist()),
    ],
)
def test_a_label_may_come_in_any_form(honest, label):
    """Lists, booleans, text, Series, whole floats, nullable integers."""
    frame, y = honest

    report = check_leakage(frame.assign(leak=y), label(y))

    assert list(found(report, "label_score")) == ["leak"]


def test_a_number_as_label_is_ranked(rng):
    """A monotone function of the label is the label."""
    y = rng.normal(size=N)
    frame = pd.DataFrame({"leak": np.exp(y), "noise": y + rng.normal(size=N)})

    report = check_leakage(frame, y)

    assert list(found(report, "label_score")) == ["leak"]
    assert "rank correlation 1.0000" in found(report, "label_score")["leak"].reason


def test_one_of_many_classes_can_leak(rng):
    """A column that tells one class from all others is found."""
    y = rng.integers(0, 5, N)
    frame = pd.DataFrame({"leak": (y == 3).astype(int), "noise": rng.normal(size=N)})

    assert list(found(check_leakage(frame, y), "label_score")) == ["leak"]


def test_a_column_that_is_filled_in_for_one_outcome_is_found(honest):
    """Its values say nothing; that it has some does."""
    frame, y = honest
    frame["collected"] = np.where(y == 1, frame["known"].fillna(0.0), np.nan)

    report = check_leakage(frame, y)

    assert list(found(report, "missing_score")) == ["collected"]
    assert found(report, "label_score") == {}
    assert "collected" in checks_of(report)["label_score"].skipped


def test_the_threshold_is_the_callers(honest):
    """What is strange depends on the problem."""
    frame, y = honest

    assert list(found(check_leakage(frame, y, score_threshold=0.7), "label_score")) == ["amount"]
    with pytest.raises(FeatureDefinitionError, match="must be between"):
        check_leakage(frame, y, score_threshold=99)


@pytest.mark.parametrize(
    ("name", "values", "is_id"),
    [
        ("row number", np.arange(N), True),
        ("text", [f"u{one}" for one in range(N)], True),
        ("whole floats", np.arange(N) * 10.0, True),
        ("measured", np.random.default_rng(0).normal(size=N), False),
        ("times", pd.date_range("2024-05-01", periods=N, freq="h"), False),
        ("aware times", pd.date_range("2024-05-01", periods=N, freq="h", tz="UTC"), False),
        ("counts", np.arange(N) % 100, False),
        ("all missing", [None] * N, False),
    ],
)
def test_what_names_rows_is_found(honest, name, values, is_id):
    """Text and whole numbers that hardly repeat; measurements may."""
    frame, _ = honest
    frame[name] = values

    finding = found(check_leakage(frame), "id_like")

    assert list(finding) == ([name] if is_id else [])
    if is_id:
        assert finding[name].value == 1.0


def test_few_rows_are_all_different():
    """Below 50 rows nothing is said about identifiers."""
    report = check_leakage(pd.DataFrame({"id": range(49)}))

    assert report.findings == ()
    assert report.verdict == "inconclusive"
    assert report.to_evidence()[0].status == "insufficient_data"


def test_test_rows_that_stand_in_the_training_set_are_found(honest):
    """By all of their cells, missing ones too, whatever the order of rows and columns."""
    frame, _ = honest
    fresh = frame.assign(amount=frame["amount"] + 100)
    test = pd.concat([fresh.iloc[:90], frame.iloc[[3, 7, *range(20, 28)]]])[frame.columns[::-1]]

    report = check_leakage(frame, test=test)

    (finding,) = report.findings
    assert (finding.check, finding.column, finding.value) == ("duplicate_rows", "", 0.1)
    assert finding.rows == (90, 91, 92, 93, 94)
    assert "0.0% of the training rows" in finding.reason


def test_a_rate_of_twins_in_training_tells_what_is_chance(rng):
    """Coarse features repeat everywhere."""
    train = rng.integers(0, 2, (200, 2))

    (finding,) = check_leakage(train, test=train[:50]).findings

    assert finding.value == 1.0
    assert "100.0% of the training rows have a twin" in finding.reason


def test_duplicates_are_those_of_a_set(rng):
    """The fraction is what a set of tuples gives; -0.0 is 0.0, and NaN is NaN."""
    train = rng.choice([0.0, -0.0, 1.5, np.nan], (60, 3))
    test = rng.choice([0.0, 2.5, np.nan], (200, 3))

    def rows(matrix):
        return [tuple("nan" if np.isnan(one) else one + 0.0 for one in row) for row in matrix]

    known = set(rows(train))
    expected = sum(row in known for row in rows(test)) / 200

    (finding,) = check_leakage(train, test=test).findings

    assert finding.value == expected


@pytest.mark.parametrize(("n_train", "n_test"), [(0, 5), (5, 0)])
def test_no_rows_are_no_duplicates(n_train, n_test):
    """Nothing was compared, which is no pass."""
    report = check_leakage(np.zeros((n_train, 2)), test=np.zeros((n_test, 2)))

    assert checks_of(report)["duplicate_rows"].verdict == "inconclusive"


def test_rows_of_no_plain_type_are_not_compared(honest):
    """What cannot be compared is named."""
    frame, _ = honest
    frame["odd"] = pd.Series([object()] * N, dtype=object)

    check = checks_of(check_leakage(frame, test=frame))["duplicate_rows"]

    assert (check.verdict, check.skipped) == ("inconclusive", ("odd",))


# ------------------------------------------------------------------------------ times


def test_what_is_later_than_the_label_is_found():
    """With the fraction of rows, and the first of them; the same moment is not later."""
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]})
    settled = pd.to_datetime(["2024-05-02"] * 4)
    times = {
        "written": pd.to_datetime(["2024-05-02", "2024-05-03", "2024-05-01", None]),
        "fine": settled + pd.to_timedelta([0, 0, 1, 0], "ns"),
        "early": pd.to_datetime(["2024-05-01"] * 4),
        "never": pd.to_datetime([None] * 4),
    }

    report = check_leakage(frame, label_time=settled, times=times)

    finding = found(report, "after_label")
    assert list(finding) == ["written", "fine"]
    assert (finding["written"].value, finding["written"].n) == (1 / 3, 3)
    assert finding["written"].rows == (1,)
    assert (finding["fine"].value, finding["fine"].rows) == (0.25, (2,))
    assert checks_of(report)["after_label"].skipped == ("never",)


def test_times_may_be_columns():
    """By their names."""
    frame = pd.DataFrame(
        {
            "x": [1.0, 2.0],
            "at": pd.to_datetime(["2024-05-02"] * 2, utc=True),
            "seen": [datetime(2024, 5, 3, tzinfo=UTC), None],
        }
    )

    finding = found(check_leakage(frame, label_time="at", times=["seen"]), "after_label")

    assert (finding["seen"].rows, finding["seen"].value) == ((0,), 1.0)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"label_time": "at"}, FeatureDefinitionError, "give both"),
        ({"times": ["at"]}, FeatureDefinitionError, "give both"),
        ({"label_time": "at", "times": ["seen"]}, MissingInputError, "'seen'"),
        ({"label_time": "at", "times": ["aware"]}, PointInTimeError, "time zone"),
        ({"label_time": "at", "times": ["x"]}, InputTypeError, "has the dtype"),
        (
            {"label_time": "at", "times": {"t": pd.to_datetime(["2024-05-01"])}},
            FeatureDefinitionError,
            "one value a row",
        ),
    ],
)
def test_times_that_cannot_be_compared_are_refused(options, error, words):
    """With what is wrong about them."""
    frame = pd.DataFrame({"x": [1.0, 2.0], "at": pd.to_datetime(["2024-05-02"] * 2)})
    frame["aware"] = frame["at"].dt.tz_localize("UTC")

    with pytest.raises(error, match=words):
        check_leakage(frame, **options)


# ------------------------------------------------------------------------------ encodings


def test_encodings_without_folds_are_found():
    """None and 1 are no folds."""
    report = check_leakage(np.zeros((3, 1)), encodings={"city": None, "shop": 5, "day": 1})

    assert list(found(report, "target_encoding")) == ["city", "day"]
    assert "crossfit=5" in report.findings[0].repair
    assert checks_of(report)["target_encoding"].n_columns == 3


# ------------------------------------------------------------------------------ the report


def test_a_report_shows_itself(honest):
    """One line, text for a terminal, escaped HTML, plain JSON, a frame, a pickle."""
    frame, y = honest
    report = check_leakage(frame.assign(**{"<b>": y}), y)

    assert repr(report) == "LeakageReport(400 rows, 3 checks, 1 findings: warn)"
    assert str(report).splitlines()[1].startswith("  <b>: By itself it tells the label")
    assert "<b>" not in report._repr_html_()
    assert json.loads(json.dumps(report.to_dict())) == report.to_dict()
    assert report.to_frame()["column"].tolist() == ["<b>"]
    assert pickle.loads(pickle.dumps(report)) == report
    check_evidence_source(report)


def test_evidence_warns(honest):
    """A count for each check, then each finding with its number."""
    frame, y = honest
    evidence = check_leakage(frame.assign(leak=y), y).to_evidence()

    assert [(one.series, one.value, one.verdict) for one in evidence] == [
        ('features_leakage_findings{check="label_score"}', 1, "warn"),
        ('features_leakage_findings{check="missing_score"}', 0, "pass"),
        ('features_leakage_findings{check="id_like"}', 0, "pass"),
        ('features_leakage_label_score{column="leak"}', 1.0, "warn"),
    ]


def test_a_label_of_one_class_is_inconclusive(honest):
    """Nothing can be told apart, and that is no pass."""
    frame, _ = honest

    checks = checks_of(check_leakage(frame, np.zeros(N)))

    assert checks["label_score"].verdict == "inconclusive"


def test_columns_of_no_plain_type_are_named(honest):
    """They are passed over, by name."""
    frame, y = honest
    frame["odd"] = pd.Series([{"a": 1}, 2] * (N // 2), dtype=object)

    checks = checks_of(check_leakage(frame, y))

    assert all("odd" in one.skipped for one in checks.values())


def test_columns_with_one_name_are_both_looked_at(honest):
    """Labels repeat in the wild."""
    frame, y = honest
    twice = pd.concat([frame[["amount"]], pd.DataFrame({"amount": y})], axis=1)

    assert list(found(check_leakage(twice, y), "label_score")) == ["amount"]


def test_inputs_stay_as_they_are(honest):
    """Nothing is written to what is given."""
    frame, y = honest
    before = frame.copy()
    y.flags.writeable = False

    check_leakage(frame, y, test=frame, label_time="when", times=["when"])

    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("features", "y", "options", "error", "words"),
    [
        ([[1.0]], None, {}, InputTypeError, "DataFrame or an array"),
        (np.zeros(3), None, {}, InputTypeError, "DataFrame or an array"),
        (np.zeros((3, 1)), [0, 1], {}, FeatureDefinitionError, "one value a row"),
        (np.zeros((2, 1)), np.zeros((2, 1)), {}, FeatureDefinitionError, "one value a row"),
        (np.zeros((3, 1)), [0, None, 1], {}, MissingInputError, "first in row 1"),
        (np.zeros((2, 1)), [0, "a"], {}, InputTypeError, "all of one type"),
        (np.zeros((2, 2)), None, {"test": np.zeros((2, 1))}, MissingInputError, "'1'"),
        (np.zeros((2, 2)), None, {"test": [1]}, InputTypeError, "`test`"),
        (np.zeros((2, 2)), None, {"label_time": "t", "times": ["t"]}, InputTypeError, "'t'"),
    ],
)
def test_bad_input_is_refused(features, y, options, error, words):
    """With the argument, the rule and what was given."""
    with pytest.raises(error, match=words):
        check_leakage(features, y, **options)
