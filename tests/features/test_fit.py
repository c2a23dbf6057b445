"""Fitting: the same state from one frame and from chunks, and values out of fold."""

from __future__ import annotations

import functools
import itertools
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodml.errors import FitError, InputTypeError, MissingInputError
from prodml.features import Feature, FeatureSet, Field, _fitting, ops
from prodml.sketches import Moments
from tests.features.agreement import assert_agrees, words

INPUTS = [
    Field("amount", "float64", nullable=True),
    Field("age", "float64"),
    Field("city", "string", nullable=True),
]


@dataclass(frozen=True)
class Spread:
    mean: float
    std: float


def plain_set():
    """Return a set that learns nothing."""
    fs = FeatureSet("shop", version="1", inputs=INPUTS)
    fs.feature(name="twice")(lambda age: age * 2)
    return fs


def target_set():
    """Return a set that learns with the target."""
    fs = FeatureSet("shop", version="1", inputs=INPUTS)
    fs.add(ops.target_mean("city", crossfit=None))
    return fs


def test_a_target_is_not_judged_where_nobody_learns_with_it():
    """Labels of three classes are a target of the model, not of the features."""
    labels = np.resize(["a", "b", "c"], len(FRAME))
    assert plain_set().fit(FRAME, labels).fingerprint == plain_set().fit(FRAME).fingerprint
    _, matrix = plain_set().fit_transform(FRAME, labels)
    assert len(matrix) == len(FRAME)
    assert target_set().fit(FRAME, TARGET.reshape(-1, 1)).state("city_target_mean")


def log_amount(amount):
    """Return a logarithm."""
    return np.log1p(np.abs(amount))


def scaled(log_amount, state: Spread):
    """Return a number of spreads."""
    return (log_amount - state.mean) / state.std


def summarise_scaled(log_amount):
    """Return what a spread is made of."""
    return Moments.of(log_amount)


def fit_scaled(moments) -> Spread:
    """Return the spread."""
    return Spread(moments.mean or 0.0, moments.std() or 1.0)


def above(scaled, state: float):
    """Return a test against what is learned from what is learned."""
    return scaled > state


def summarise_above(scaled, y):
    """Return what the second level is made of."""
    return Moments.of(np.where(np.isfinite(scaled), scaled, 0.0) * y)


def fit_above(moments) -> float:
    """Return the threshold."""
    return moments.mean or 0.0


def levels_set():
    """Return a set with two levels of learners, and ready-made ones."""
    fs = FeatureSet("shop", version="1", inputs=INPUTS)
    fs.feature(log_amount)
    one = fs.feature(scaled)
    one.summarise(summarise_scaled)
    one.fit(fit_scaled)
    two = fs.feature(above)
    two.summarise(summarise_above)
    two.fit(fit_above)
    fs.add(
        ops.scale("age"),
        ops.frequency("city"),
        ops.target_mean("city", smoothing=2.0, crossfit=None),
        ops.fill("amount", "median"),
    )
    return fs


def rows(n_rows=200, seed=0):
    """Return training rows and their target."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "amount": np.where(rng.random(n_rows) < 0.2, np.nan, rng.lognormal(size=n_rows) * 1e3),
            "age": rng.integers(18, 90, n_rows).astype(float),
            "city": pd.Series(rng.choice(["Rome", "Oslo", "Bonn"], n_rows), dtype=object).where(
                rng.random(n_rows) > 0.1, None
            ),
        }
    )
    return frame, rng.integers(0, 2, n_rows).astype(float)


FRAME, TARGET = rows()
WHOLE = levels_set().fit(FRAME, TARGET)


# -------------------------------------------------------------------------- chunks


@settings(max_examples=15)
@given(st.lists(st.integers(0, 200), max_size=6), st.randoms(use_true_random=False))
def test_chunks_in_any_order_give_the_same_states(cuts, random):
    """Any partition, in any order, learns the same states as one pass, bit by bit."""
    bounds = sorted({0, 200, *cuts})
    chunks = [(FRAME.iloc[low:high], TARGET[low:high]) for low, high in itertools.pairwise(bounds)]
    random.shuffle(chunks)

    fitted = levels_set().fit_chunks(chunks)

    assert fitted.fingerprint == WHOLE.fingerprint
    np.testing.assert_array_equal(words(fitted.transform(FRAME)), words(WHOLE.transform(FRAME)))


def test_the_order_of_rows_does_not_count():
    """States are those of a set of rows."""
    order = np.random.default_rng(1).permutation(len(FRAME))
    fitted = levels_set().fit(FRAME.iloc[order], TARGET[order])

    assert fitted.fingerprint == WHOLE.fingerprint


def test_states_are_what_they_should_be():
    """Against plain numpy; within rounding, since ours are exact sums."""
    logs = np.log1p(np.abs(FRAME["amount"].to_numpy()))
    logs = logs[np.isfinite(logs)]

    assert WHOLE.state("scaled").mean == pytest.approx(logs.mean(), rel=1e-12)
    assert WHOLE.state("log_amount") is None
    assert WHOLE.state("above") == pytest.approx(
        (np.nan_to_num(WHOLE.transform(FRAME)[:, WHOLE.columns.index("scaled")]) * TARGET).mean(),
        rel=1e-9,
    )


def test_chunks_over_processes():
    """The work of a chunk pickles, and so does its summary; results may come in any order."""
    chunks = [(FRAME.iloc[at : at + 50], TARGET[at : at + 50]) for at in range(0, 200, 50)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        fitted = levels_set().fit_chunks(chunks, map=pool.map)
    backwards = levels_set().fit_chunks(
        chunks, map=lambda work, parts: list(reversed([work(one) for one in parts]))
    )

    assert fitted.fingerprint == WHOLE.fingerprint == backwards.fingerprint


def test_chunks_may_be_read_anew_by_a_function():
    """A function that returns them is called once for each level of learners."""
    calls = []

    def chunks():
        calls.append(1)
        return iter([(FRAME[:90], TARGET[:90]), (FRAME[90:], TARGET[90:])])

    assert levels_set().fit_chunks(chunks).fingerprint == WHOLE.fingerprint
    assert len(calls) == 2


def test_an_iterator_is_read_once():
    """For one level of learners it will do; for more it is refused before it is read."""
    one = plain_set()
    one.add(ops.scale("age"))
    assert one.fit_chunks(iter([FRAME])).fingerprint == one.fit(FRAME).fingerprint
    assert_agrees(plain_set().fit_chunks(iter([FRAME])), FRAME)
    unread = iter([(FRAME, TARGET)])

    with pytest.raises(FitError, match="The chunks are read 2 times"):
        levels_set().fit_chunks(unread)
    assert next(unread)[0] is FRAME


def mean_learner(**options):
    """Return a set with a feature that learns from all rows at once."""
    fs = plain_set()

    @fs.feature(**options)
    def centred(age, state):
        return age - state

    @centred.fit
    def _(age):
        return float(age.mean())

    return fs


def encoder(crossfit=None):
    """Return a set that encodes a city by its mean target, and learns from that again."""
    fs = FeatureSet("shop", version="1", inputs=INPUTS)
    fs.add(ops.target_mean("city", smoothing=2.0, called="encoded", crossfit=crossfit))

    @fs.feature
    def doubled(encoded):
        return encoded * 2

    @fs.feature
    def centred(doubled, state):
        return doubled - state

    @centred.fit
    def _(doubled):
        return float(np.mean(doubled))

    return fs


@pytest.mark.parametrize(
    ("make", "chunks", "match", "feature"),
    [
        (mean_learner, [FRAME], "learns from all rows at once", "centred"),
        (levels_set, [], "There are no chunks", "scaled"),
        (plain_set, [], "There are no chunks", ""),
        (levels_set, [FRAME], "is learned with the target", "above"),
        (lambda: encoder(4), [(FRAME, TARGET)], "over chunks there are no folds", "centred"),
        (levels_set, [(FRAME, TARGET[:5])], "one value for each of 200 rows", ""),
    ],
)
def test_chunks_that_cannot_be_learned_from(make, chunks, match, feature):
    """What is missing is named, and so is the feature."""
    with pytest.raises(FitError, match=match) as caught:
        make().fit_chunks(chunks)
    assert caught.value.feature in {feature, "city_target_mean"}


def test_a_chunk_must_be_a_frame():
    """What is none is refused by type."""
    for make in (plain_set, levels_set):
        with pytest.raises(InputTypeError, match="A chunk must be a pandas DataFrame, got list"):
            make().fit_chunks([[1.0, 2.0]])


def test_an_empty_chunk_adds_nothing():
    """A partition may be empty, the first one as well."""
    parts = [(FRAME[:0], TARGET[:0]), (FRAME, TARGET), (FRAME[:0], TARGET[:0])]

    assert levels_set().fit_chunks(parts).fingerprint == WHOLE.fingerprint


# -------------------------------------------------------------------------- errors


def failing(error):
    """Return a set whose fit does not return a state."""
    fs = plain_set()

    @fs.feature
    def odd(age, state):
        return age - state

    odd.fit(error)
    return fs


def _raises(age):
    message = "no idea"
    raise ZeroDivisionError(message)


def _returns_none(age):
    pass


@pytest.mark.parametrize(
    ("make", "frame", "y", "match", "feature"),
    [
        (lambda: failing(_raises), FRAME, None, "failed: ZeroDivisionError: no idea", "odd"),
        (lambda: failing(_returns_none), FRAME, None, "returned None", "odd"),
        (levels_set, FRAME, None, "is learned with the target. Give `y`", "above"),
        (levels_set, FRAME[:0], TARGET[:0], "The frame is empty", "scaled"),
        (target_set, FRAME, TARGET[:3], "one value for each of 200 rows, got shape", ""),
        (target_set, FRAME, np.column_stack([TARGET, TARGET]), "got shape", ""),
        (target_set, FRAME, 3.0, "got shape", ""),
        (target_set, FRAME, ["yes"] * 200, "`y` must be numbers or booleans", ""),
        (target_set, FRAME, [np.nan, *TARGET[1:]], "missing or infinite in 1 rows, such as 0", ""),
        (
            target_set,
            FRAME,
            [*TARGET[1:], np.inf],
            "missing or infinite in 1 rows, such as 199",
            "",
        ),
        (target_set, FRAME, [None, *TARGET[1:]], "missing or infinite", ""),
        (lambda: encoder(300), FRAME, TARGET, "200 rows do not fill the 300 folds", "encoded"),
    ],
)
def test_what_cannot_be_learned(make, frame, y, match, feature):
    """The reason is told, and whose state it is."""
    with pytest.raises(FitError, match=match) as caught:
        make().fit_transform(frame, y)
    assert caught.value.feature in {feature, "city_target_mean"}


@pytest.mark.parametrize("y", [TARGET > 0, pd.Series(TARGET, index=range(7, 207)), list(TARGET)])
def test_targets_of_other_types(y):
    """Booleans, lists and series are numbers, by position."""
    assert levels_set().fit(FRAME, y).fingerprint == WHOLE.fingerprint


def test_columns_that_must_be_there_at_fit():
    """A nullable column may be absent when features are computed, and not when they are learned."""
    with pytest.raises(MissingInputError, match="has no column 'amount'"):
        levels_set().fit(FRAME.drop(columns="amount"), TARGET)
    assert WHOLE.transform(FRAME.drop(columns="amount")).shape == (200, len(WHOLE.columns))


def test_missing_values_are_named_by_their_row_in_the_frame():
    """Also where only some rows of a long frame are looked at."""
    frame = pd.concat([FRAME] * 100, ignore_index=True)
    frame.loc[19_999, "age"] = np.nan

    with pytest.raises(MissingInputError) as caught:
        plain_set().fit(frame)
    assert caught.value.rows == (19_999,)
    with pytest.raises(InputTypeError) as wrong:
        plain_set().fit(frame.astype({"age": object}).assign(age=[1.0] * 19_999 + ["x"]))
    assert wrong.value.row == 19_999


# ----------------------------------------------------------------------- out of fold


@pytest.fixture
def folds(monkeypatch):
    """Return the folds that are drawn, by feature."""
    drawn = {}
    draw = _fitting.fold_of_rows

    @functools.wraps(draw)
    def recording(*args, feature="", **options):
        drawn[feature] = draw(*args, feature=feature, **options)
        return drawn[feature]

    monkeypatch.setattr(_fitting, "fold_of_rows", recording)
    return drawn


def test_out_of_fold_values_against_a_loop(folds):
    """Each row has the value under a state that was learned without its fold."""
    fitted, matrix = encoder(4).fit_transform(FRAME, TARGET, rng=5)
    expected = np.empty(len(FRAME))
    for fold in range(4):
        inside = folds["encoded"] == fold
        part = encoder().fit(FRAME[~inside], TARGET[~inside])
        expected[inside] = part.transform(FRAME[inside])[:, 0]

    assert sorted(np.bincount(folds["encoded"])) == [50, 50, 50, 50]
    np.testing.assert_array_equal(words(matrix[:, 0]), words(expected))
    np.testing.assert_array_equal(words(matrix[:, 1]), words(expected * 2))
    assert fitted.state("centred") == float(np.mean(expected * 2))
    np.testing.assert_array_equal(words(matrix[:, 2]), words(expected * 2 - np.mean(expected * 2)))


def test_a_learner_without_summary_is_learned_from_the_rest(folds):
    """The same where a fit sees all rows of the other folds at once."""
    fs = plain_set()

    @fs.feature(crossfit=3)
    def encoded(age, state):
        return np.where(age > 50, state[0], state[1])

    @encoded.fit
    def _(age, y):
        return float(y[age > 50].mean()), float(y[age <= 50].mean())

    _, matrix = fs.fit_transform(FRAME, TARGET)
    age = FRAME["age"].to_numpy()
    for row in range(len(FRAME)):
        rest = folds["encoded"] != folds["encoded"][row]
        same = rest & ((age > 50) == (age[row] > 50))
        assert matrix[row, 1] == TARGET[same].mean()


def test_a_model_does_not_see_its_own_target():
    """With one row per category the encoded value is the overall mean of the others, not y."""
    n_rows = 40
    frame = pd.DataFrame({"city": [f"c{at}" for at in range(n_rows)], "age": 1.0, "amount": 1.0})
    y = np.arange(n_rows, dtype=float)

    fitted, matrix = encoder(5).fit_transform(frame, y)

    inside = fitted.transform(frame)[:, 0]
    assert np.corrcoef(inside, y)[0, 1] > 0.99
    assert abs(np.corrcoef(matrix[:, 0], y)[0, 1]) < 0.7
    assert len(set(matrix[:, 0].tolist())) <= 5


def test_fit_and_fit_transform_give_the_same_features():
    """Whatever of it is computed for training, the folds of a feature are its own."""
    fs = encoder(4)
    fs.add(ops.target_mean("city", called="aside", crossfit=5))
    first = FeatureSet("shop", version="1", inputs=INPUTS)
    first.add(ops.target_mean("city", called="aside", crossfit=5), *fs.features[:-1])
    for one in (fs, first):
        fitted = one.fit(FRAME, TARGET, rng=3)
        trained, _ = one.fit_transform(FRAME, TARGET, rng=3)
        assert fitted.fingerprint == trained.fingerprint
        assert fitted.state("centred") == trained.state("centred")


def test_the_generator_decides_the_folds():
    """The same seed gives the same values, and another one others."""
    results = [encoder(4).fit_transform(FRAME, TARGET, rng=rng)[1] for rng in (1, 1, 2)]
    own = encoder(4).fit_transform(FRAME, TARGET, rng=np.random.default_rng(1))[1]

    assert (results[0] == results[1]).all()
    assert (results[0] == own).all()
    assert (results[0] != results[2]).any()


def test_what_is_served_is_not_out_of_fold():
    """Served values come from the state of all rows, in every way."""
    fitted, matrix = encoder(4).fit_transform(FRAME, TARGET)
    plain = encoder().fit(FRAME, TARGET)

    served = assert_agrees(fitted, FRAME)
    np.testing.assert_array_equal(words(served[:, 0]), words(plain.transform(FRAME)[:, 0]))
    assert (matrix[:, 0] != served[:, 0]).any()


def test_without_folds_training_values_are_those_that_are_served():
    """`fit_transform` is `fit` and `transform`, bit by bit."""
    fitted, matrix = levels_set().fit_transform(FRAME, TARGET)

    np.testing.assert_array_equal(words(matrix), words(WHOLE.transform(FRAME)))
    assert fitted.fingerprint == WHOLE.fingerprint


def test_columns_that_depend_on_the_fold():
    """A feature whose columns are learned cannot have others in a fold."""
    feature = Feature(
        name="parts",
        function=lambda x, state: tuple(x * at for at in range(len(state))),
        inputs=("age",),
        crossfit=2,
        columns=lambda state: tuple(f"p{at}" for at in range(len(state))),
    )
    feature.fit(lambda age, y: tuple(sorted(set(age[y >= 0].tolist()))))
    fs = plain_set()
    fs.add(feature)

    with pytest.raises(FitError, match="has other columns without fold 0") as caught:
        fs.fit_transform(FRAME[:4].assign(age=[1.0, 2.0, 3.0, 4.0]), TARGET[:4])
    assert caught.value.feature == "parts"


def test_the_frame_is_not_changed():
    """Neither by a fit nor by a fit over chunks."""
    frame, y = FRAME.copy(deep=True), TARGET.copy()
    levels_set().fit_transform(frame, y)
    levels_set().fit_chunks([(frame, y)])

    pd.testing.assert_frame_equal(frame, FRAME)
    assert (y == TARGET).all()
