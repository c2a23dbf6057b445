"""Features in scikit-learn: its own checks, pipelines, cross-validation, clones and pickles."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from prodml.errors import FitError
from prodml.features import FeatureSet, FeatureSetTransformer, Field, ops


def checks():
    """Return scikit-learn's own checks; how to ask for them has changed."""
    try:
        found = check_estimator(FeatureSetTransformer(), on_fail=None)
    except TypeError:  # before 1.6
        found = []
        for estimator, check in check_estimator(FeatureSetTransformer(), generate_only=True):
            check(estimator)
            found.append({"status": "passed", "check_name": str(check), "exception": None})
    return found


@pytest.mark.filterwarnings("ignore")
def test_the_checks_of_scikit_learn_pass():
    """All that apply; what is skipped needs another library."""
    found = checks()
    failed = [(one["check_name"], one["exception"]) for one in found if one["status"] == "failed"]
    assert failed == []
    assert sum(one["status"] == "passed" for one in found) >= 30


def feature_set():
    """Return features of numbers and text, one of which learns with the target."""
    fs = FeatureSet(
        "people",
        version="1",
        inputs=[Field("age", "float64", nullable=True), Field("city", "string", nullable=True)],
    )
    fs.add(ops.fill("age", "median"), ops.missing_indicator("age"))
    fs.add(ops.target_mean("city", smoothing=1.0, crossfit=3))
    return fs


def people(n=120):
    """Return rows and a target."""
    rng = np.random.default_rng(0)
    city = rng.choice(["Rome", "Oslo", "Lima"], n).astype(object)
    age = np.where(rng.random(n) < 0.1, np.nan, rng.integers(18, 90, n))
    y = (rng.random(n) < np.where(city == "Rome", 0.8, 0.2)).astype(int)
    return pd.DataFrame({"age": age, "city": city}), y


def test_a_pipeline_can_be_cross_validated():
    """Folds are fitted anew, in this process and in others."""
    rows, y = people()
    model = make_pipeline(FeatureSetTransformer(feature_set()), LogisticRegression())
    scores = cross_validate(model, rows, y, cv=3, return_estimator=True)["test_score"]
    assert len(scores) == 3
    assert scores.mean() > 0.6
    assert (cross_validate(model, rows, y, cv=3, n_jobs=2)["test_score"] == scores).all()


def test_the_set_can_be_searched_over():
    """It is a parameter as any other."""
    rows, y = people()
    plain = FeatureSet("plain", version="1", inputs=[Field("age", "float64", nullable=True)])
    plain.add(ops.fill("age", 0.0))
    model = make_pipeline(FeatureSetTransformer(), LogisticRegression())
    grid = {"featuresettransformer__feature_set": [plain, feature_set()]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(rows, y)
    chosen = search.best_params_["featuresettransformer__feature_set"]
    assert chosen.name == "people"


def test_training_rows_get_values_out_of_fold():
    """fit_transform does not show a row its own target; transform shows what is served."""
    rows, y = people()
    transformer = FeatureSetTransformer(feature_set())
    training = transformer.fit_transform(rows, y)
    fitted, expected = feature_set().fit_transform(rows, y)
    assert (training == expected).all()
    served = transformer.transform(rows)
    assert (served == fitted.transform(rows)).all()
    assert (training[:, 2] != served[:, 2]).any()
    assert (training[:, :2] == served[:, :2]).all()


@pytest.mark.parametrize("method", ["fit_transform", "fit then transform"])
def test_frames_come_out_when_asked_for(method):
    """With the names of the columns and the index of the rows."""
    rows, y = people(12)
    rows.index = np.arange(12) * 7
    transformer = FeatureSetTransformer(feature_set()).set_output(transform="pandas")
    if method == "fit_transform":
        out = transformer.fit_transform(rows, y)
    else:
        out = transformer.fit(rows, y).transform(rows)
    assert list(out.columns) == ["age_filled", "age_missing", "city_target_mean"]
    assert list(out.index) == list(rows.index)
    assert transformer.get_feature_names_out().tolist() == list(out.columns)


def test_it_works_beside_other_columns():
    """ColumnTransformer names its columns by get_feature_names_out."""
    rows, y = people(30)
    both = ColumnTransformer(
        [("made", FeatureSetTransformer(feature_set()), ["age", "city"])], remainder="drop"
    ).set_output(transform="pandas")
    assert both.fit_transform(rows, y).columns[0] == "made__age_filled"


def test_clones_are_unfitted_and_pickles_are_the_same():
    """A clone shares the definition alone."""
    rows, y = people(30)
    fitted = FeatureSetTransformer(feature_set(), random_state=3).fit(rows, y)
    other = clone(fitted)
    assert other.get_params() == {"feature_set": fitted.feature_set, "random_state": 3} or (
        other.feature_set.name == "people"
    )
    with pytest.raises(NotFittedError):
        other.transform(rows)
    restored = pickle.loads(pickle.dumps(fitted))
    assert (restored.transform(rows) == fitted.transform(rows)).all()


def test_columns_are_found_by_name():
    """In any order, with others beside them."""
    rows, y = people(30)
    transformer = FeatureSetTransformer(feature_set()).fit(rows, y)
    moved = rows[["city", "age"]].assign(more=1)
    assert (transformer.transform(moved) == transformer.transform(rows)).all()
    assert transformer.n_features_in_ == 2
    assert transformer.feature_names_in_.tolist() == ["age", "city"]


def test_arrays_have_the_fields_in_their_order():
    """As the set declares them."""
    rows, y = people(30)
    transformer = FeatureSetTransformer(feature_set()).fit(rows.to_numpy(), y)
    assert (transformer.transform(rows.to_numpy()) == transformer.transform(rows)).all()
    with pytest.raises(ValueError, match="2 columns age, city"):
        transformer.transform(np.ones((3, 1)))


@pytest.mark.parametrize("y", [["no", "yes", "no", "yes"], [False, True, False, True]])
def test_labels_of_two_classes_are_a_target(y):
    """The second in sorted order counts as one."""
    rows = pd.DataFrame({"age": [1.0, 2.0, 3.0, 4.0], "city": ["a", "b", "a", "b"]})
    means = FeatureSetTransformer(feature_set()).fit(rows, y).fitted_.state("city_target_mean")
    assert means.overall == 0.5
    assert means.means == {"a": 0.5 / 3, "b": 2.5 / 3}


def test_labels_of_three_classes_are_refused():
    """There is no one number for them."""
    rows = pd.DataFrame({"age": [1.0, 2.0, 3.0], "city": ["a", "b", "a"]})
    with pytest.raises(FitError, match="two classes, got 3"):
        FeatureSetTransformer(feature_set()).fit(rows, ["x", "y", "z"])


def test_unknown_parameters_are_named():
    """As scikit-learn does."""
    with pytest.raises(ValueError, match="Invalid parameter 'depth'"):
        FeatureSetTransformer().set_params(depth=3)
    assert FeatureSetTransformer().set_params(random_state=2).random_state == 2
    assert repr(FeatureSetTransformer(random_state=2)) == "FeatureSetTransformer(random_state=2)"


SCRIPT = """
import numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from prodml.features import FeatureSet, FeatureSetTransformer, Field

fs = FeatureSet("script", version="1", inputs=[Field("x", "float64")])

@fs.feature
def doubled(x):
    return x * 2

if __name__ == "__main__":
    rows = pd.DataFrame({"x": np.arange(40.0)})
    y = np.where(rows["x"] > 20, "yes", np.where(rows["x"] > 10, "maybe", "no"))
    model = make_pipeline(FeatureSetTransformer(fs), LogisticRegression(max_iter=1000))
    found = cross_validate(model, rows, y, cv=2, n_jobs=2, error_score="raise")
    print(len(found["test_score"]))
"""


def test_features_of_a_script_reach_other_processes(tmp_path):
    """They are handed over by value, since each process has a `__main__` of its own."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["2"]
