from __future__ import annotations

import json
import math
import pickle
from dataclasses import replace
from datetime import timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from prodml.errors import FeatureError, SkewError
from prodml.features import FeatureSet, Field
from prodml.features._compute_environment import describe_environment
from prodml.features.logged_features import LoggedFeatures
from prodml.features.parity import audit_parity
from prodml.features.parity_rates import estimate_rate
from prodml.features.served_log import MemoryServedLog, ServedRecord
from prodml.features.sqlite_served_log import SqliteServedLog
from prodml.testing import FakeClock, check_evidence_source
from tests.features.orders import NOON, orders, records, rows

FRAME = rows(3000)
FITTED = orders().fit(FRAME)
RECORDS = records(FRAME)


def serve(fitted=FITTED, incoming=RECORDS, log=None):
    """Return what a service has logged of records."""
    log = MemoryServedLog() if log is None else log
    service = LoggedFeatures(fitted, log, key="id", fraction=1.0, clock=FakeClock(NOON))
    service.transform_many(incoming)
    return list(log.records())


SERVED = serve()


def with_feature(one, name, value):
    """Return a record that was served with another value."""
    features = list(one.features)
    features[one.columns.index(name)] = value
    return replace(one, features=tuple(features))


def feature(one, name):
    """Return a served value."""
    return one.features[one.columns.index(name)]


def of(report, name):
    """Return how one feature or input agrees."""
    (found,) = [one for one in (*report.features, *report.fields) if one.name == name]
    return found


def planted(change, which, served=SERVED):
    """Return the log with some records changed."""
    return [change(one) if i in which else one for i, one in enumerate(served)]


# ------------------------------------------------------------------------------------ no skew


def test_three_thousand_clean_rows_bound_the_rate_at_a_thousandth():
    """The rule of three: none in 3,000 is at most 0.1 % with 95 %."""
    report = audit_parity(SERVED, FITTED)

    assert (report.rows.n, report.rows.n_mismatched) == (3000, 0)
    assert report.rows.confidence_interval.high == pytest.approx(1 - 0.05 ** (1 / 3000), rel=1e-9)
    assert 0.000998 < report.rows.confidence_interval.high < 0.001
    assert report.verdict == report.transform_verdict == "pass"
    assert report.data_verdict is None
    assert report.raise_for_skew() is report
    assert (report.n_keys, report.n_failed, report.n_other_environment) == (3000, 0, 0)
    assert all(one.max_ulps == 0 and one.max_absolute == 0.0 for one in report.features)


def test_two_thousand_clean_rows_do_not():
    """Too few rows are no pass, and the reason says how many it takes."""
    report = audit_parity(SERVED[:2000], FITTED)

    assert report.verdict == "inconclusive"
    assert report.rows.reason == (
        "2,000 pairs were compared; 2,995 without a mismatch bound the rate at 0.001"
    )
    assert report.raise_for_skew() is report
    assert audit_parity(SERVED[:2000], FITTED, threshold=0.002).verdict == "pass"


def test_no_rows_are_no_pass():
    """Nothing was measured, and that is what is said."""
    for report in (audit_parity([], FITTED), audit_parity(iter(()), FITTED, {})):
        assert report.verdict == "inconclusive"
        assert report.rows.value is None
        assert (report.start, report.end) == (None, None)
        evidence = check_evidence_source(report)
        assert {one.status for one in evidence} == {"insufficient_data"}
        assert report.to_frame()["n"].tolist() == [0] * len(report.to_frame())


def test_the_log_on_disk_gives_the_same_audit(tmp_path):
    """Nothing is lost between a service and its audit."""
    with SqliteServedLog(tmp_path / "s.db") as log:
        served = serve(log=log)
        report = audit_parity(log.records(), FITTED, FRAME, key="id")

    assert report == audit_parity(SERVED, FITTED, FRAME, key="id")
    assert len(served) == 3000
    assert report.verdict == "pass"


# -------------------------------------------------------------------------------- planted skew


def test_one_ulp_in_one_feature_is_counted():
    """The least difference there is counts, in its feature alone."""
    served = planted(
        lambda one: with_feature(
            one, "log_centred", math.nextafter(feature(one, "log_centred"), 9)
        ),
        range(40),
    )
    report = audit_parity(served, FITTED)
    found = of(report, "log_centred")

    assert (found.rate.n_mismatched, found.max_ulps, found.n_null_mismatched) == (40, 1, 0)
    assert 0 < found.max_absolute < 1e-15
    assert found.rate.verdict == "fail"
    assert {one.name for one in report.features if one.rate.n_mismatched} == {"log_centred"}
    assert report.rows.n_mismatched == 40
    assert report.transform_verdict == "fail"
    with pytest.raises(SkewError, match=r"^Transform skew: .* 40 of 3,000 records") as caught:
        report.raise_for_skew()
    assert len(caught.value.differences) == 3
    assert "Data skew" not in str(caught.value)


def test_null_against_zero():
    """A gap that was served as 0, and a 0 that was served as a gap."""
    gaps = [i for i, one in enumerate(SERVED) if math.isnan(feature(one, "pieces"))]
    full = [i for i, one in enumerate(SERVED) if not math.isnan(feature(one, "pieces"))]
    served = planted(lambda one: with_feature(one, "pieces", 0.0), set(gaps[:30]))
    served = planted(lambda one: with_feature(one, "pieces", math.nan), set(full[:20]), served)
    found = of(audit_parity(served, FITTED), "pieces")

    assert found.rate.n_mismatched == 50
    assert found.n_null_mismatched == 50
    assert found.max_ulps == 0
    assert found.max_absolute == 0.0


def test_infinity_is_far_from_every_number():
    """It differs without a distance in steps, and by an infinite one."""
    served = planted(lambda one: with_feature(one, "pieces", math.inf), {5, 6})
    found = of(audit_parity(served, FITTED), "pieces")

    assert found.rate.n_mismatched == 2
    assert found.max_absolute == math.inf
    assert json.dumps(audit_parity(served, FITTED).to_dict(), allow_nan=False)


def test_a_time_zone_shift():
    """A service in local time serves another hour from the same moment."""
    lima = timezone(timedelta(hours=-5))
    served = [
        with_feature(one, "hour", float(one.inputs["at"].astimezone(lima).hour)) for one in SERVED
    ]
    report = audit_parity(served, FITTED)

    assert of(report, "hour").rate.n_mismatched == 3000
    assert of(report, "hour").rate.value == 1.0
    assert of(report, "hour").max_absolute == 19.0
    assert [one.name for one in report.features if one.rate.verdict == "fail"] == ["hour"]


def test_float32_on_the_way_to_the_model():
    """A matrix that became float32 differs wherever it does not hold the value exactly."""
    served = [
        replace(one, features=tuple(np.array(one.features, np.float32).astype(float).tolist()))
        for one in SERVED
    ]
    report = audit_parity(served, FITTED)

    assert {one.name for one in report.features if one.rate.verdict == "fail"} == {
        "log_amount",
        "log_centred",
    }
    assert 1e-9 < of(report, "log_amount").max_absolute < 1e-5
    # as little as it is, it is no rounding of another CPU
    elsewhere = [replace(one, environment="numpy 1.0") for one in served]
    assert of(audit_parity(elsewhere, FITTED), "log_amount").rate.verdict == "fail"


def test_a_changed_state_is_another_fingerprint():
    """Records that other features served are told apart, and are in no rate."""
    other = orders().fit(rows(50, seed=9))
    report = audit_parity([*SERVED, *serve(other, RECORDS[:7])], FITTED)

    assert report.rows.n == 3000
    assert report.verdict == "pass"
    assert [(one.name, one.version, one.fingerprint, one.n) for one in report.others] == [
        ("orders", "1", other.fingerprint, 7)
    ]
    (left_out,) = [one for one in report.to_evidence() if one.metric == "other_features_fraction"]
    assert (left_out.value, left_out.n) == (7 / 3007, 3007)


def test_a_state_that_changed_under_the_same_name_is_seen():
    """A service that says it runs these features and has learned from other rows is caught."""
    other = orders().fit(rows(50, seed=9))
    served = [replace(one, fingerprint=FITTED.fingerprint) for one in serve(other)]
    report = audit_parity(served, FITTED)

    assert {one.name for one in report.features if one.rate.verdict == "fail"} == {"log_centred"}
    assert of(report, "log_centred").rate.value == 1.0


def test_records_that_can_no_longer_be_computed_are_mismatches():
    """They are counted, with the reason, wherever they stand, and the others are compared."""
    broken = {0, 17, 1234, 2999}
    served = planted(
        lambda one: replace(one, inputs=dict(one.inputs) | {"n_items": "three"}), broken
    )
    report = audit_parity(served, FITTED)

    assert report.n_failed == 4
    assert "'n_items' must be int64" in report.failure
    assert (report.rows.n, report.rows.n_mismatched) == (3000, 4)
    assert {one.rate.n for one in report.features} == {2996}
    assert {one.rate.n_mismatched for one in report.features} == {0}
    huge = [replace(one, inputs=dict(one.inputs) | {"n_items": 10**30}) for one in SERVED[:5]]
    assert audit_parity(huge, FITTED).n_failed == 5
    missing = planted(
        lambda one: replace(
            one, inputs={name: cell for name, cell in one.inputs.items() if name != "n_items"}
        ),
        {3},
    )
    assert audit_parity(missing, FITTED).n_failed == 1
    with pytest.raises(SkewError, match=r"records fail: .*n_items"):
        audit_parity(served[:40], FITTED, threshold=0.0).raise_for_skew()


def test_an_absent_nullable_input_is_missing():
    """A key that was not sent is a gap on both paths, alone and among records that have it."""
    lacking = [
        {name: cell for name, cell in one.items() if name not in {"city", "gift"}}
        for one in RECORDS[:50]
    ]
    report = audit_parity(serve(FITTED, [*lacking, *RECORDS[50:100]]), FITTED)
    alone = audit_parity(serve(FITTED, lacking), FITTED)

    assert report.rows.n_mismatched == report.n_failed == 0
    assert alone.rows.n_mismatched == alone.n_failed == 0


# ---------------------------------------------------------------------------- another environment


@pytest.mark.parametrize(
    ("name", "ulps", "differs"),
    [
        ("log_amount", 4, False),
        ("log_amount", 5, True),
        ("hour", 1, True),
        ("amount_bucket", 1, True),
    ],
)
def test_another_cpu_may_round_otherwise(name, ulps, differs):
    """Records of another machine may be 4 ulp apart, but not in whole numbers; others may not."""

    def moved(one):
        value = feature(one, name)
        for _ in range(ulps):
            value = math.nextafter(value, math.inf)
        return replace(with_feature(one, name, value), environment="numpy 1.0")

    top = max(range(3000), key=lambda i: np.nan_to_num(feature(SERVED[i], name)))
    if name in {"hour", "amount_bucket"}:
        # the batch path moved: what was served are whole numbers
        served = [replace(one, environment="numpy 1.0") for one in SERVED]
        report = audit_parity(served, Moved(name, top, ulps))
    else:
        report = audit_parity(planted(moved, {top}), FITTED)
    found = of(report, name)

    assert found.rate.n_mismatched == int(differs)
    assert found.max_ulps == ulps
    assert (
        of(
            audit_parity(
                planted(lambda one: replace(moved(one), environment=describe_environment()), {top}),
                FITTED,
            ),
            name,
        ).rate.n_mismatched
        == 1
    )


class Moved:
    """Features of which one value is another, as on another machine."""

    def __init__(self, name, row, ulps):
        self._name, self._row, self._ulps = name, row, ulps

    def __getattr__(self, name):
        return getattr(FITTED, name)

    def transform(self, frame):
        """Return the features, but for one value."""
        matrix = FITTED.transform(frame)
        at = self.columns.index(self._name)
        for _ in range(self._ulps):
            matrix[self._row, at] = np.nextafter(matrix[self._row, at], np.inf)
        return matrix


def test_records_of_several_environments_are_held_to_their_own_rule():
    """In one log, each record is exact or not by where it was served."""

    def moved(one):
        return with_feature(one, "log_amount", math.nextafter(feature(one, "log_amount"), 99))

    served = planted(moved, {10, 11})
    served = planted(lambda one: replace(one, environment=""), {11, 12}, served)
    report = audit_parity(served, FITTED)

    assert report.n_other_environment == 2
    assert of(report, "log_amount").rate.n_mismatched == 1
    assert report.differences[0].key == 10


# ------------------------------------------------------------------------------------ data skew


def test_data_skew_is_told_apart_from_transform_skew():
    """Other raw inputs in the store are no fault of the features: they still come out alike."""
    store = FRAME.copy()
    store.loc[:99, "n_items"] += 1
    report = audit_parity(SERVED, FITTED, store, key="id")

    assert report.transform_verdict == "pass"
    assert report.data_verdict == report.verdict == "fail"
    found = of(report, "n_items")
    assert (found.rate.n_mismatched, found.max_absolute, found.n_null_mismatched) == (100, 1.0, 0)
    assert report.raw_rows.n_mismatched == 100
    assert [one.name for one in report.fields if one.rate.n_mismatched] == ["n_items"]
    with pytest.raises(SkewError, match=r"^Data skew: 100 of 3,000 records"):
        report.raise_for_skew()


def test_transform_skew_is_told_apart_from_data_skew():
    """Other features from the same raw inputs are no fault of the store."""
    served = planted(lambda one: with_feature(one, "hour", 25.0), range(100))
    report = audit_parity(served, FITTED, FRAME, key="id")

    assert (report.transform_verdict, report.data_verdict) == ("fail", "pass")


def test_a_store_in_another_time_zone():
    """Moments that were shifted by an hour differ by an hour, each of them."""
    store = FRAME.assign(at=FRAME["at"] + pd.Timedelta(hours=1))
    found = of(audit_parity(SERVED, FITTED, store, key="id"), "at")

    assert found.rate.value == 1.0
    assert found.max_absolute == 3_600_000_000.0


def test_null_in_the_store():
    """A gap on one side alone is told."""
    store = FRAME.copy()
    store["amount"] = store["amount"].fillna(0.0)
    n_gaps = int(FRAME["amount"].isna().sum())
    found = of(audit_parity(SERVED, FITTED, store, key="id"), "amount")

    assert (found.rate.n_mismatched, found.n_null_mismatched) == (n_gaps, n_gaps)


def test_the_store_may_be_of_any_dtype():
    """Raw inputs are compared as features see them, not as they are stored."""
    store = FRAME.assign(
        amount=FRAME["amount"].astype("Float64"),
        n_items=FRAME["n_items"].astype("int8"),
        gift=FRAME["gift"].astype("boolean"),
        city=FRAME["city"].astype("category"),
        at=FRAME["at"].dt.tz_convert("Asia/Tokyo"),
    )

    assert audit_parity(SERVED, FITTED, store, key="id").verdict == "pass"


def test_only_what_the_store_has_is_compared():
    """What only a request knows, and entities that are not there, are no mismatch."""
    store = FRAME[["id", "amount"]].iloc[:1000]
    report = audit_parity(SERVED, FITTED, store, key="id")

    assert [one.name for one in report.fields] == ["amount"]
    assert (report.raw_rows.n, report.n_unmatched) == (1000, 2000)
    assert report.data_verdict == "inconclusive"
    nothing = audit_parity(SERVED, FITTED, FRAME[["id"]], key="id")
    assert nothing.fields == ()
    assert nothing.data_verdict == "inconclusive"


def test_stores_of_every_kind_agree():
    """A frame, a mapping and a function give the same audit."""
    store = FRAME.assign(n_items=FRAME["n_items"].where(FRAME["id"] > 30, 99))
    kept = {one["id"]: one for one in records(store)}
    expected = audit_parity(SERVED, FITTED, store, key="id")

    for raw in (kept, lambda one: kept[one.key], {np.int64(key): one for key, one in kept.items()}):
        report = audit_parity(SERVED, FITTED, raw)
        assert report.fields == expected.fields
        assert report.raw_rows == expected.raw_rows
    assert expected.raw_rows.n_mismatched > 0


def test_a_function_of_the_record_knows_its_time():
    """An entity that changed since it was served is looked up as it was."""
    changed = NOON + timedelta(hours=1)
    early = serve(incoming=RECORDS[:1])[0]
    late = replace(
        serve(incoming=[RECORDS[0] | {"n_items": 77}])[0], at=changed + timedelta(hours=1)
    )

    def as_of(one):
        return {"n_items": 77 if one.at >= changed else RECORDS[0]["n_items"]}

    assert audit_parity([early, late], FITTED, as_of).raw_rows.n_mismatched == 0
    assert audit_parity([early, late], FITTED, {0: RECORDS[0]}).raw_rows.n_mismatched == 1


def test_keys_of_several_columns():
    """A tuple of a record is found by the columns together."""
    frame = FRAME.head(50).assign(shop="a")
    log = MemoryServedLog()
    service = LoggedFeatures(FITTED, log, key=["shop", "id"], fraction=1.0)
    service.transform_many([one | {"shop": "a"} for one in RECORDS[:50]])
    report = audit_parity(log.records(), FITTED, frame, key=["shop", "id"])

    assert (report.raw_rows.n, report.raw_rows.n_mismatched, report.n_unmatched) == (50, 0, 0)


def test_a_store_with_values_that_no_feature_takes():
    """What the declared type refuses is a mismatch, on each side."""
    store = {0: {"n_items": "three"}, 1: {"n_items": None}, 2: {"n_items": 10**30}}
    found = of(audit_parity(SERVED[:3], FITTED, store), "n_items")

    assert (found.rate.n_mismatched, found.n_null_mismatched, found.max_absolute) == (3, 1, None)
    odd = [replace(SERVED[0], inputs=dict(SERVED[0].inputs) | {"n_items": "x"})]
    report = audit_parity(odd, FITTED, {0: {"n_items": "x"}})
    assert of(report, "n_items").rate.n_mismatched == 1


@pytest.mark.parametrize(
    ("raw", "key", "told"),
    [
        (FRAME, None, "`key` must name columns"),
        (FRAME, "no such", "`key` must name columns"),
        (FRAME, [], "`key` must name columns"),
        (pd.concat([FRAME, FRAME[["id"]]], axis=1), "id", "has once"),
        (pd.concat([FRAME, FRAME.head(2)]), "id", "2 rows of entities that it has already"),
        (3, None, "`raw` must be"),
    ],
)
def test_stores_that_cannot_be_searched(raw, key, told):
    """An entity is found, and once."""
    with pytest.raises(FeatureError, match=told):
        audit_parity(SERVED[:1], FITTED, raw, key=key)


# --------------------------------------------------------------------------------- statistics


@given(
    n=st.integers(1, 5000),
    share=st.floats(0, 1),
    threshold=st.floats(0, 0.99),
    level=st.floats(0.51, 0.999),
)
def test_the_verdict_is_that_of_exact_one_sided_tests(n, share, threshold, level):
    """It passes where a rate above the threshold is rejected by the exact binomial test, and fails
    where one below is.
    """
    k = round(share * n)
    rate = estimate_rate(k, n, threshold=threshold, confidence_level=level)
    too_high = binomtest(k, n, threshold, alternative="less").pvalue
    too_low = binomtest(k, n, threshold, alternative="greater").pvalue
    alpha = 1 - level

    if abs(too_high - alpha) > 1e-6 and abs(too_low - alpha) > 1e-6:
        expected = "pass" if too_high < alpha else "fail" if too_low < alpha else "inconclusive"
        assert rate.verdict == expected
    assert rate.value == k / n
    assert rate.confidence_interval.confidence_level == pytest.approx(2 * level - 1)
    assert (rate.reason is None) == (rate.verdict != "inconclusive")


def test_the_error_of_a_pass_is_bounded():
    """At a true rate right above the threshold, few audits of any size pass: summed, not drawn."""
    for n in (100, 1000, 5000):
        passing = [
            k
            for k in range(n + 1)
            if estimate_rate(k, n, threshold=0.01, confidence_level=0.95).verdict == "pass"
        ]
        chance = sum(_binomial(k, n, 0.0101) for k in passing)
        assert chance <= 0.05


def _binomial(k, n, p):
    logs = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(logs + k * math.log(p) + (n - k) * math.log1p(-p))


def test_a_threshold_of_zero_never_passes():
    """No number of rows shows that none ever differs; one that does is a failure."""
    assert audit_parity(SERVED, FITTED, threshold=0.0).verdict == "inconclusive"
    assert "no number" in audit_parity(SERVED, FITTED, threshold=0.0).rows.reason
    served = planted(lambda one: with_feature(one, "hour", -1.0), {8})
    assert audit_parity(served, FITTED, threshold=0.0).verdict == "fail"


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"threshold": 1}, ["threshold"]),
        ({"threshold": -0.1}, ["threshold"]),
        ({"threshold": "0.1"}, ["threshold"]),
        ({"confidence_level": 0.5}, ["confidence_level"]),
        ({"confidence_level": 1.0}, ["confidence_level"]),
        ({"confidence_level": math.nan}, ["confidence_level"]),
        ({"threshold": True, "confidence_level": 95}, ["threshold", "confidence_level"]),
    ],
)
def test_options_out_of_range(options, names):
    """All of them are told at once."""
    with pytest.raises(FeatureError) as caught:
        audit_parity(SERVED, FITTED, **options)
    for name in names:
        assert f"`{name}`" in str(caught.value)


def test_records_of_other_columns_are_refused():
    """A log that was written by hand must hold what the features return."""
    odd = replace(SERVED[0], features=SERVED[0].features[:-1], columns=SERVED[0].columns[:-1])

    with pytest.raises(FeatureError, match="Log what `transform_one` returns"):
        audit_parity([odd], FITTED)


# ------------------------------------------------------------------------------------- the whole


def naive_counts(served):
    """Return mismatches by feature, and of whole rows, in plain loops."""
    by_name = dict.fromkeys(FITTED.columns, 0)
    n_rows = 0
    for one in served:
        again = FITTED.transform(pd.DataFrame([dict(one.inputs)]))[0].tolist()
        unlike = [
            name
            for name, value, other in zip(FITTED.columns, one.features, again, strict=True)
            if value.hex() != other.hex()
        ]
        for name in unlike:
            by_name[name] += 1
        n_rows += bool(unlike)
    return by_name, n_rows


@given(
    changes=st.dictionaries(
        st.integers(0, 59),
        st.tuples(st.sampled_from(FITTED.columns), st.floats(allow_nan=True)),
        max_size=20,
    ),
    order=st.permutations(range(60)),
)
def test_it_is_what_a_plain_loop_counts(changes, order):
    """Row by row with frames of one row, in any order of the records."""
    served = [with_feature(SERVED[i], *changes[i]) if i in changes else SERVED[i] for i in order]
    report = audit_parity(served, FITTED)
    by_name, n_rows = naive_counts(served)

    assert {one.name: one.rate.n_mismatched for one in report.features} == by_name
    assert report.rows.n_mismatched == n_rows


def test_pieces_do_not_show(monkeypatch):
    """A log is read a piece at a time, with the same result."""
    served = planted(lambda one: with_feature(one, "hour", -1.0), {5, 500, 2999})
    served += [replace(one, fingerprint="other") for one in SERVED[:10]]
    expected = audit_parity(iter(served), FITTED, FRAME, key="id")
    for size in (7, 1000):
        monkeypatch.setattr("prodml.features.parity._PIECE", size)
        assert audit_parity(iter(served), FITTED, FRAME, key="id") == expected


def test_rows_of_odd_values_agree():
    """Infinities, both zeros, denormals, int extremes and odd text come out alike on both paths."""
    fs = FeatureSet(
        "odd",
        version="1",
        inputs=[
            Field("x", "float64", nullable=True),
            Field("i", "int64"),
            Field("t", "string", nullable=True),
        ],
    )
    fs.feature(lambda x: np.sqrt(np.abs(x)) - 1 / x, name="root")
    fs.feature(lambda i: i % 1001, name="mod")
    fs.feature(lambda t: 0.0 if t is None else float(len(t)), name="size", elementwise=True)
    fitted = fs.fit(pd.DataFrame({"x": [1.0, 2.0], "i": [1, 2], "t": ["a", "b"]}))
    numbers = [
        math.nan,
        math.inf,
        -math.inf,
        0.0,
        -0.0,
        5e-324,
        1e308,
        None,
        2**53,
        np.float32(0.1),
    ]
    counts = [0, -1, 2**63 - 1, -(2**63), True, 5.0, np.int8(3)]
    texts = [None, "", "\x00", "\ud800", "ß", math.nan]
    incoming = [
        {"id": number, "x": x, "i": i, "t": t}
        for number, (x, i, t) in enumerate(
            (x, i, t) for x in numbers for i in counts for t in texts
        )
    ]
    report = audit_parity(serve(fitted, incoming), fitted)

    assert report.rows.n == 420
    assert report.rows.n_mismatched == 0
    assert all(
        audit_parity([one], fitted).rows.n_mismatched == 0 for one in serve(fitted, incoming)
    )


def test_the_report_speaks_evidence():
    """A rate with its interval, threshold and verdict for rows, features and inputs."""
    served = planted(lambda one: with_feature(one, "hour", -1.0), range(30))
    report = audit_parity(served, FITTED, FRAME, key="id")
    found = {one.series: one for one in check_evidence_source(report)}
    hour = found['skew_mismatch_rate{feature="hour"}']

    assert (hour.value, hour.n, hour.verdict, hour.threshold) == (0.01, 3000, "fail", 0.001)
    assert hour.confidence_interval.low > 0.001
    assert hour.confidence_interval.confidence_level == pytest.approx(0.9)
    assert hour.method == "Clopper-Pearson, each end at 0.95"
    assert hour.subject == FITTED.fingerprint
    assert found["skew_row_mismatch_rate"].verdict == "fail"
    assert found['skew_data_mismatch_rate{field="city"}'].verdict == "pass"
    assert found["skew_data_row_mismatch_rate"].value == 0.0
    assert found["skew_other_features_fraction"].value == 0.0


def test_how_a_report_looks():
    """One line, frames, plain values without single records, and escaped text."""
    served = planted(lambda one: replace(with_feature(one, "hour", -1.0), key="<b>"), range(30))
    report = audit_parity(served, FITTED, FRAME, key="id")
    frame = report.to_frame()

    assert repr(report) == "<ParityReport: 3,000 records, transform fail, data inconclusive>"
    assert frame["name"].tolist()[:2] == ["(any)", "log_amount"]
    assert frame.set_index(["cause", "name"]).loc[("transform", "hour"), "n_mismatched"] == 30
    assert report.differences_frame()["name"].tolist() == ["hour"] * 3
    assert str(report.differences[0]).startswith("'hour' of '<b>' was served as -1.0, recomputed")
    assert "<b>" not in json.dumps(report.to_dict(), allow_nan=False)
    assert "<b>" not in report._repr_html_()
    assert pickle.loads(pickle.dumps(report)) == report
    assert (report.start, report.end) == (NOON, NOON)


def test_any_served_record_will_do():
    """A log of one's own needs nothing of ours but the record."""
    matrix = FITTED.transform(FRAME)
    served = (
        ServedRecord(
            key=row,
            at=NOON + timedelta(seconds=row),
            inputs=RECORDS[row],
            features=tuple(matrix[row].tolist()),
            columns=FITTED.columns,
            name="orders",
            version="1",
            fingerprint=FITTED.fingerprint,
        )
        for row in range(3000)
    )
    report = audit_parity(served, FITTED)

    assert report.verdict == "pass"
    assert report.n_other_environment == 3000
    assert (report.start, report.end) == (NOON, NOON + timedelta(seconds=2999))
