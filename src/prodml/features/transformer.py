"""Features as a transformer of scikit-learn, for pipelines and cross-validation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from prodml.errors import FitError

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from prodml.features.feature_set import FeatureSet
    from prodml.features.fitted import FittedFeatureSet

__all__ = ["FeatureSetTransformer"]


class FeatureSetTransformer:
    """A :class:`FeatureSet` as a transformer of scikit-learn.

    It needs no base class of scikit-learn, which is imported only where it is asked for. Not
    thread-safe while it is fitted; picklable where the functions of the set are.

    Parameters
    ----------
    feature_set : FeatureSet, optional
        What to compute. None passes numbers through as float64.
    random_state : int, default 0
        Decides the folds of features with `crossfit`.

    Attributes
    ----------
    fitted_ : FittedFeatureSet or None
        What :meth:`fit` made of the set.
    n_features_in_ : int
        Columns of what it was fitted on.
    feature_names_in_ : numpy.ndarray of str
        Their names, if they have any.

    Notes
    -----
    :meth:`fit_transform` gives training rows their values out of fold where features ask for it
    (``crossfit``), as :class:`sklearn.preprocessing.TargetEncoder` does; hence it is not
    ``fit(X, y).transform(X)`` for these.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from prodml.features import FeatureSet, FeatureSetTransformer, Field, ops
    >>> fs = FeatureSet("people", version="1", inputs=[Field("age", "float64", nullable=True)])
    >>> fs.add(ops.fill("age", 40.0), ops.missing_indicator("age"))
    >>> people = pd.DataFrame({"age": [20.0, 30.0, None, 70.0]})
    >>> model = make_pipeline(FeatureSetTransformer(fs), LogisticRegression())
    >>> model.fit(people, [0, 0, 1, 1]).predict(people).tolist()
    [0, 0, 1, 1]
    >>> model[0].get_feature_names_out().tolist()
    ['age_filled', 'age_missing']
    """

    #: Tells scikit-learn that :meth:`set_output` is heard.
    _sklearn_auto_wrap_output_keys = frozenset({"transform"})

    def __init__(self, feature_set: FeatureSet | None = None, *, random_state: int = 0) -> None:
        self.feature_set = feature_set
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803 - as scikit-learn calls it
        """Learn what the features need.

        Parameters
        ----------
        X : pandas.DataFrame, or array_like of shape (n_rows, n_fields)
            The inputs; an array has them in the order in which the set declares its fields.
        y : array_like of shape (n_rows,), optional
            The target: numbers, booleans, or labels of two classes, of which the second in
            sorted order counts as 1.

        Returns
        -------
        FeatureSetTransformer
            Itself.
        """
        self._learn(X, y, transform=False)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Any:  # noqa: N803 - as scikit-learn calls it
        """Fit, and return the features of the training rows, out of fold where asked for.

        Parameters
        ----------
        X, y
            As for :meth:`fit`.

        Returns
        -------
        numpy.ndarray of float64, shape (n_rows, n_columns), or a frame
            As :meth:`set_output` says.
        """
        return self._wrapped(self._learn(X, y, transform=True), X)

    def transform(self, X: Any) -> Any:  # noqa: N803 - as scikit-learn calls it
        """Return the features of rows.

        Parameters
        ----------
        X
            As for :meth:`fit`.

        Returns
        -------
        numpy.ndarray of float64, shape (n_rows, n_columns), or a frame
            As :meth:`set_output` says.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before :meth:`fit`.
        """
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self)
        if self.fitted_ is None:
            return self._wrapped(self._numbers(X, reset=False), X)
        return self._wrapped(self.fitted_.transform(self._frame(X, reset=False)), X)

    def _learn(self, rows: Any, y: Any, *, transform: bool) -> Any:
        if self.feature_set is None:
            self.fitted_: FittedFeatureSet | None = None
            return self._numbers(rows, reset=True)
        frame = self._frame(rows, reset=True)
        asked = any(one.uses_target for one in self.feature_set.features)
        target = _as_numbers(y) if asked else None
        if not transform:
            self.fitted_ = self.feature_set.fit(frame, target, rng=self.random_state)
            return None
        self.fitted_, matrix = self.feature_set.fit_transform(frame, target, rng=self.random_state)
        return matrix

    def _numbers(self, rows: Any, *, reset: bool) -> npt.NDArray[np.float64]:
        from sklearn.utils.validation import check_array

        _note_columns(self, rows, reset=reset)
        options = {"dtype": np.float64, "estimator": self, "copy": True}
        try:
            numbers = check_array(rows, ensure_all_finite=False, **options)
        except TypeError as error:
            if "ensure_all_finite" not in str(error):
                raise
            numbers = check_array(rows, force_all_finite=False, **options)  # before 1.6
        _note_width(self, numbers, reset=reset)
        result: npt.NDArray[np.float64] = numbers
        return result

    def _frame(self, rows: Any, *, reset: bool) -> pd.DataFrame:
        import pandas as pd

        if isinstance(rows, pd.DataFrame):
            _note_columns(self, rows, reset=reset, lenient=True)
            if reset:
                self.n_features_in_ = rows.shape[1]
            return rows
        assert self.feature_set is not None  # noqa: S101 - for type checkers; the caller looked
        names = [one.name for one in self.feature_set.fields]
        values = np.asarray(rows, dtype=object)
        if values.ndim != 2 or values.shape[1] != len(names):  # noqa: PLR2004 - rows and columns
            message = (
                f"X must be a DataFrame, or have the {len(names)} columns {', '.join(names)}; "
                f"got shape {values.shape}."
            )
            raise ValueError(message)
        if reset:
            self.n_features_in_ = len(names)
        return pd.DataFrame(dict(zip(names, values.T, strict=True)), dtype=object)

    def _wrapped(self, matrix: Any, rows: Any) -> Any:
        from sklearn.utils._set_output import _wrap_data_with_container

        return _wrap_data_with_container("transform", matrix, rows, self)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the names of the output columns.

        Parameters
        ----------
        input_features : array_like of str, optional
            Only where numbers pass through: the names of the columns, if they have none.

        Returns
        -------
        numpy.ndarray of str
            A name for each column.
        """
        from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

        check_is_fitted(self)
        if self.fitted_ is not None:
            return np.array(self.fitted_.columns, dtype=object)
        names: npt.NDArray[np.object_] = _check_feature_names_in(self, input_features)
        return names

    def set_output(
        self, *, transform: Literal["default", "pandas", "polars"] | None = None
    ) -> Self:
        """Choose what :meth:`transform` returns, as for every transformer of scikit-learn.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, optional
            None changes nothing.

        Returns
        -------
        FeatureSetTransformer
            Itself.
        """
        if transform is not None:
            known = getattr(self, "_sklearn_output_config", {})
            self._sklearn_output_config = known | {"transform": transform}
        return self

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002 - scikit-learn's
        """Return the parameters of the constructor.

        Parameters
        ----------
        deep : bool, default True
            Of no effect: a set of features has no parameters of its own.

        Returns
        -------
        dict
            By name.
        """
        del deep
        return {"feature_set": self.feature_set, "random_state": self.random_state}

    def set_params(self, **params: Any) -> Self:
        """Set parameters of the constructor.

        Parameters
        ----------
        **params
            By name.

        Returns
        -------
        FeatureSetTransformer
            Itself.

        Raises
        ------
        ValueError
            For an unknown name.
        """
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                message = f"Invalid parameter {name!r}; there are {', '.join(known)}."
                raise ValueError(message)
            setattr(self, name, value)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "fitted_")

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        text = self.feature_set is not None
        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(preserves_dtype=[]),
            input_tags=InputTags(allow_nan=True, string=text, categorical=text),
        )

    def _more_tags(self) -> dict[str, Any]:
        # for scikit-learn before 1.6
        return {"allow_nan": True, "preserves_dtype": []}

    def __repr__(self) -> str:
        options = [] if self.feature_set is None else [repr(self.feature_set)]
        if self.random_state != 0:
            options.append(f"random_state={self.random_state!r}")
        return f"FeatureSetTransformer({', '.join(options)})"


def _note_columns(estimator: Any, rows: Any, *, reset: bool, lenient: bool = False) -> None:
    """Keep, or compare, the names of columns, in the words of scikit-learn."""
    if lenient and not reset:
        return  # a set finds its columns by name, wherever they stand
    try:
        from sklearn.utils.validation import _check_feature_names
    except ImportError:  # before 1.6
        from sklearn.base import BaseEstimator

        BaseEstimator._check_feature_names(estimator, rows, reset=reset)  # noqa: SLF001
    else:
        _check_feature_names(estimator, rows, reset=reset)


def _note_width(estimator: Any, rows: Any, *, reset: bool) -> None:
    try:
        from sklearn.utils.validation import _check_n_features
    except ImportError:  # before 1.6
        from sklearn.base import BaseEstimator

        BaseEstimator._check_n_features(estimator, rows, reset=reset)  # noqa: SLF001
    else:
        _check_n_features(estimator, rows, reset=reset)


def _as_numbers(y: Any) -> Any:
    if y is None:
        return None
    values = np.asarray(y)
    if values.dtype.kind in "biuf":
        return values
    classes = sorted(set(values.tolist()), key=str)
    if len(classes) > 2:  # noqa: PLR2004 - two classes have one number between them
        message = f"`y` must be numbers, booleans or labels of two classes, got {len(classes)}."
        raise FitError(message)
    return values == classes[-1]
