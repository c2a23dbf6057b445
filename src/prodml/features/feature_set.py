"""A set of features: one definition for training and for serving."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from prodml.errors import FeatureDefinitionError
from prodml.features._definition import Definition, fingerprint_set
from prodml.features._fitting import fit_chunks, fit_frame
from prodml.features._learning import learning_faults
from prodml.features._outputs import exact_floats
from prodml.features._plan import plan_features
from prodml.features._restoring import restore_fitted
from prodml.features.feature import Feature, FeatureKind, feature_of
from prodml.features.field import Field, fields_of
from prodml.features.fitted import FittedFeatureSet
from prodml.features.lint import lint_function

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import numpy.typing as npt
    import pandas as pd

    from prodml.features._protocols import RecordContract
    from prodml.features.fingerprint import CodeFingerprint

__all__ = ["FeatureSet"]


class FeatureSet:
    """Features under one name and version, defined once for training and serving.

    It is filled with :meth:`feature` and :meth:`add`, and made ready with :meth:`fit`. Not
    thread-safe while it is filled; picklable where its functions are.

    Parameters
    ----------
    name : str
        What it is called, in registries and messages.
    version : str
        Of the definition. Change it when the code changes; :class:`FeatureRegistry` refuses a
        known version with other code.
    inputs : iterable of Field, or a contract
        What comes in. Of a contract, such as :class:`prodml.contracts.Contract`, the fields of
        types that can be an input.
    extra : {"ignore", "forbid"}, default "ignore"
        What to do with keys and columns that are no input.

    Raises
    ------
    FeatureDefinitionError
        For an empty name or version, or inputs that are no fields.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from dataclasses import dataclass
    >>> from prodml.features import FeatureSet, Field, ops
    >>> fs = FeatureSet(
    ...     "orders",
    ...     version="1.0",
    ...     inputs=[
    ...         Field("amount", "float64", nullable=True),
    ...         Field("city", "string", nullable=True),
    ...     ],
    ... )
    >>> @fs.feature
    ... def amount_filled(amount):
    ...     return np.where(np.isnan(amount), 0.0, amount)
    >>> @dataclass
    ... class Centre:
    ...     mean: float
    >>> @fs.feature(kind="model_dependent")
    ... def amount_centred(amount_filled, state: Centre):
    ...     return amount_filled - state.mean
    >>> @amount_centred.fit
    ... def _(amount_filled):
    ...     return Centre(float(amount_filled.mean()))
    >>> fs.add(ops.frequency("city"))
    >>> frame = pd.DataFrame({"amount": [1.0, None, 5.0], "city": ["Rome", "Oslo", "Rome"]})
    >>> fitted = fs.fit(frame)
    >>> fitted.columns
    ('amount_filled', 'amount_centred', 'city_frequency')
    >>> fitted.transform_one({"amount": 5.0, "city": "Rome"}).tolist()
    [5.0, 3.0, 0.6666666666666666]
    """

    def __init__(
        self,
        name: str,
        *,
        version: str,
        inputs: Iterable[Field] | RecordContract,
        extra: Literal["ignore", "forbid"] = "ignore",
    ) -> None:
        faults = [
            f"`{what}` must be text, got {value!r}."
            for what, value in (("name", name), ("version", version))
            if not _is_filled(value)
        ]
        if extra not in {"ignore", "forbid"}:
            faults.append(f"`extra` must be 'ignore' or 'forbid', got {extra!r}.")
        if faults:
            raise FeatureDefinitionError(" ".join(faults), faults=faults)
        self.name = name
        self.version = version
        self._extra = extra
        self._fields, self._unusable = fields_of(inputs)
        self._features: list[Feature] = []

    @property
    def fields(self) -> tuple[Field, ...]:
        """The declared inputs."""
        return self._fields

    @property
    def features(self) -> tuple[Feature, ...]:
        """The features, in the order of definition."""
        return tuple(self._features)

    @overload
    def feature(self, function: Callable[..., Any]) -> Feature: ...

    @overload
    def feature(
        self,
        function: None = None,
        *,
        name: str | None = None,
        elementwise: bool = False,
        kind: FeatureKind = "model_independent",
        output: bool = True,
        crossfit: int | None = None,
    ) -> Callable[[Callable[..., Any]], Feature]: ...

    def feature(
        self,
        function: Callable[..., Any] | None = None,
        *,
        name: str | None = None,
        elementwise: bool = False,
        kind: FeatureKind = "model_independent",
        output: bool = True,
        crossfit: int | None = None,
    ) -> Any:
        """Define a feature by a function whose parameters name what it reads; a decorator.

        Parameters
        ----------
        function : callable
            Numpy columns in, one numpy column with a value per row out. It must not look at other
            rows: no mean, no rank. The parameter ``state`` receives what was learned.
        name : str, optional
            By default that of the function.
        elementwise : bool, default False
            The function takes plain values of one row and returns one. An annotated return
            (``float``, ``int``, ``bool``, ``str``) fixes the type; otherwise numbers are floats.
        kind : {"model_independent", "model_dependent", "on_demand"}
            Whether it may be stored for any model, belongs to one, or needs the request itself.
        output : bool, default True
            Whether it is a column of the result, or only read by other features.
        crossfit : int, optional
            The number of folds of its training values, where it learns with ``y``.

        Returns
        -------
        Feature
            Callable as the function; ``.fit`` and ``.summarise`` register how it learns.

        Notes
        -----
        A function that is defined again, as when a cell of a notebook is run again, takes the
        place of the first. Another one of the same name is refused when the set is fitted.
        """

        def define(plain: Callable[..., Any]) -> Feature:
            made = feature_of(
                plain,
                name=name,
                elementwise=elementwise,
                kind=kind,
                output=output,
                crossfit=crossfit,
            )
            self._take(made)
            return made

        return define if function is None else define(function)

    def add(self, *features: Feature, output: bool = True) -> None:
        """Add features that are made already, as those of :mod:`prodml.features.ops`.

        Parameters
        ----------
        *features : Feature
            In order.
        output : bool, default True
            With False, they are only read by other features, and are no columns of the result.
        """
        for one in features:
            if not _is_feature(one):
                message = f"`add` takes features, got {one!r}. Decorate functions with @fs.feature."
                raise FeatureDefinitionError(message, faults=(message,))
        for one in features:
            self._take(one if output else replace(one, output=False))

    def _take(self, one: Feature) -> None:
        """Add a feature, or put it in the place of itself, as when a cell is run again."""
        for at, known in enumerate(self._features):
            if known.name == one.name and _is_defined_at(known) == _is_defined_at(one):
                self._features[at] = one
                return
        self._features.append(one)

    def _definition(self) -> Definition:
        plan_features(self._features, self._fields, self._unusable)
        faults = [fault for one in self._features for fault in learning_faults(one)]
        faults += [fault for one in self._features for fault in _lint_faults(one)]
        if faults:
            raise FeatureDefinitionError(" ".join(faults), faults=faults)
        return Definition(
            self.name, self.version, self._fields, self._features, self._extra, self._unusable
        )

    def fit(
        self, frame: pd.DataFrame, y: Any = None, /, *, rng: int | np.random.Generator = 0
    ) -> FittedFeatureSet:
        """Learn what the features need, and prove that they can be served.

        Parameters
        ----------
        frame : pandas.DataFrame, n rows
            Training rows. Not changed.
        y : array_like of shape (n,), optional
            The target, for features that learn with it: numbers or booleans.
        rng : int or numpy.random.Generator, default 0
            Decides the folds of features with `crossfit`.

        Returns
        -------
        FittedFeatureSet
            The features, ready to be computed.

        Raises
        ------
        FeatureDefinitionError
            If the features do not fit together (unknown names, cycles, names taken twice), or
            their code cannot be the same twice (``hash``, random numbers, the time of day).
        FitError
            If a state cannot be learned.
        FeatureOutputError
            If a feature fails or returns no column.
        RowDependentFeatureError
            If a value depends on other rows.
        """
        definition = self._definition()
        fit = fit_frame(definition.plan(), frame, y, np.random.default_rng(rng), training=False)
        return FittedFeatureSet._of(definition, fit.proof)  # noqa: SLF001 - its own maker

    def fit_transform(
        self, frame: pd.DataFrame, y: Any = None, /, *, rng: int | np.random.Generator = 0
    ) -> tuple[FittedFeatureSet, npt.NDArray[np.float64]]:
        """Fit, and return the features of the training rows as well, out of fold.

        A feature with ``crossfit=k`` gets, for each row, the value under a state that was learned
        without the row's fold, so that a model does not see its own target in it.

        Parameters
        ----------
        frame, y, rng
            As for :meth:`fit`.

        Returns
        -------
        fitted : FittedFeatureSet
            The same as of :meth:`fit`.
        matrix : numpy.ndarray of float64, shape (n_rows, n_columns)
            Training values. Without `crossfit` they are those of ``fitted.transform(frame)``.
        """
        definition = self._definition()
        fit = fit_frame(definition.plan(), frame, y, np.random.default_rng(rng), training=True)
        fitted = FittedFeatureSet._of(definition, fit.proof)  # noqa: SLF001 - its own maker
        matrix = np.empty((len(fitted.columns), len(frame)), dtype=np.float64)
        for at, name in enumerate(fitted.columns):
            column = fit.training[name]
            matrix[at] = exact_floats(column, name) if column.dtype.kind == "i" else column
        return fitted, matrix.T

    def fit_chunks(
        self,
        chunks: Callable[[], Iterable[Any]] | Iterable[Any],
        /,
        *,
        map: Callable[..., Iterable[Any]] = map,  # noqa: A002 - as the builtin
    ) -> FittedFeatureSet:
        """Learn from chunks in any order, with the same states to the bit as :meth:`fit`.

        Parameters
        ----------
        chunks : iterable, or callable that returns one
            Frames, or pairs ``(frame, y)``. They are read once for each level of features that
            learn from features that learn, so an iterator is taken for one level only.
        map : callable, default the builtin
            Applies a function to each chunk. The ``map`` of an executor spreads the work over
            processes; the function and its results pickle, and results may come in any order.

        Returns
        -------
        FittedFeatureSet
            The features, ready. The proof uses rows of the first chunk.

        Raises
        ------
        FitError
            If a feature learns without a Mergeable summary, or from out-of-fold values.
        """
        definition = self._definition()
        fit = fit_chunks(definition.plan(), chunks, map=map)
        return FittedFeatureSet._of(definition, fit.proof)  # noqa: SLF001 - its own maker

    def restore(self, text: str | bytes, /) -> FittedFeatureSet:
        """Return what :meth:`FittedFeatureSet.to_json` wrote, with the functions of this set.

        Parameters
        ----------
        text : str or bytes
            JSON. Nothing in it is run.

        Returns
        -------
        FittedFeatureSet
            As it was.

        Raises
        ------
        FormatError
            If the text is something else, or of another set.
        SkewError
            If the code of this set is not the code that was fitted.
        """
        return restore_fitted(self._definition(), text)

    def definition(self) -> Mapping[str, CodeFingerprint]:
        """Return the fingerprint of each feature's code, inputs and options, by name."""
        return self._definition().fingerprints()

    @property
    def fields_digest(self) -> str:
        """What identifies the inputs that are read; hexadecimal."""
        return fingerprint_set(self._definition().plan().fields, {})

    def __repr__(self) -> str:
        n_learn = sum(one.learner is not None for one in self._features)
        return (
            f"<FeatureSet {self.name} {self.version}: {len(self._fields)} inputs, "
            f"{len(self._features)} features, {n_learn} of them learn>"
        )


def _is_defined_at(one: Feature) -> tuple[Any, ...]:
    """Return what is the same if a definition is run again."""
    code = getattr(one.function, "__code__", None)
    if code is None:
        return one.function, one.inputs
    if getattr(one.function, "__module__", None) == "__main__":  # cells are moved and rewritten
        return (one.function.__qualname__,)
    return code.co_filename, code.co_firstlineno, one.function.__qualname__


def _is_filled(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip())


def _is_feature(one: object) -> bool:
    return isinstance(one, Feature)


def _lint_faults(one: Feature) -> list[str]:
    found = lint_function(one.function, elementwise=one.elementwise)
    return [
        f"Feature {one.name!r}, line {finding.line}: {finding.message}"
        for finding in found
        if finding.severity == "error"
    ]
