"""Features that were fitted: the same bits for a frame, for many records and for one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np

from prodml.errors import FeatureError, InputTypeError
from prodml.features._batch_kernel import compute_features, schedule
from prodml.features._cast_columns import cast_frame, cast_records
from prodml.features._definition import digest_of, fingerprint_set
from prodml.features._frame_checks import check_frame, keys_of_record
from prodml.features._outputs import exact_floats, matrix_for
from prodml.features._record_kernel import compile_kernel
from prodml.features._set_text import refuse_changed, write_set
from prodml.features._state_text import encode_state, refuse_lossy, settle_state
from prodml.features._steps import refuse_idle_text, refuse_repeated, step_of
from prodml.features.check import CheckReport, Served, check_features
from prodml.features.explanation import FeatureExplanation, SetExplanation, explain_feature
from prodml.features.lineage import Lineage, trace_lineage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd

    from prodml.features._definition import Definition
    from prodml.features._proof import Proof
    from prodml.features.field import Field
    from prodml.features.fingerprint import CodeFingerprint

    Matrix = npt.NDArray[np.float64]

__all__ = ["FittedFeatureSet"]

Output = Literal["numpy", "pandas"]

#: From here on columns are faster than record after record, where all is compiled and where not.
_MANY_COMPILED: Final = 90
_MANY_RECORDS: Final = 30


class FittedFeatureSet:
    """Features with what they learned; made by :meth:`FeatureSet.fit`.

    Immutable; thread-safe, since no call shares a buffer with another; fork-safe. It pickles
    where its functions do (those of a module, as pickle asks), and what is restored is compiled
    anew and refused if the code has changed since.

    Attributes
    ----------
    columns : tuple of str
        The names of the output columns, in the order of definition.
    definition_fingerprint : str
        What identifies the definition, apart from what was learned; hexadecimal.
    fingerprint : str
        What identifies the features: their code, inputs, options and states; hexadecimal.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from prodml.features import FeatureSet, Field
    >>> fs = FeatureSet("orders", version="1", inputs=[Field("amount", "float64", nullable=True)])
    >>> @fs.feature
    ... def log_amount(amount):
    ...     return np.log1p(np.where(np.isnan(amount), 0.0, amount))
    >>> fitted = fs.fit(pd.DataFrame({"amount": [1.0, None, 9.0]}))
    >>> fitted.transform(pd.DataFrame({"amount": [0.0, None]})).tolist()
    [[0.0], [0.0]]
    >>> fitted.transform_one({"amount": 0}).tolist()
    [0.0]
    """

    def __init__(
        self,
        definition: Definition,
        states: Mapping[str, Any],
        kinds: Mapping[str, tuple[str, ...]],
        demoted: Mapping[str, str],
        fingerprints: Mapping[str, CodeFingerprint],
    ) -> None:
        self._definition = definition
        self._states = dict(states)
        self._kinds = dict(kinds)
        self._demoted = dict(demoted)
        self._fingerprints = dict(fingerprints)
        self._plan = definition.plan()
        self._steps = tuple(
            replace(step_of(one, self._states.get(one.name)), kinds=self._kinds[one.name])
            for one in self._plan.features
        )
        self._by_name = {step.name: step for step in self._steps}
        refuse_idle_text(self._steps)
        self._outputs = [
            step
            for one in definition.features
            if (step := self._by_name[one.name]).feature.output and "s" not in (step.kinds or ())
        ]
        self.columns = tuple(name for step in self._outputs for name in step.names)
        refuse_repeated(self.fields, self._steps)
        self._kernel = compile_kernel(self._plan, self._steps, self.columns, demoted=self._demoted)
        self._run = self._kernel.run
        self._many = _MANY_RECORDS if self._kernel.reasons else _MANY_COMPILED
        kept = frozenset(step.name for step in self._outputs)
        self._schedule = schedule(self._steps, self.fields, kept)
        self._places = {name: at for at, name in enumerate(self.columns)}
        self._allowed = frozenset(one.name for one in definition.fields).union(definition.others)
        self._forbids = definition.extra == "forbid"
        self._state_texts = {
            name: encode_state(state, feature=name) for name, state in self._states.items()
        }
        self.definition_fingerprint = fingerprint_set(self.fields, self._fingerprints)
        self.fingerprint = digest_of([self.definition_fingerprint, self._state_texts])

    def __setattr__(self, name: str, value: Any) -> None:
        if "fingerprint" in self.__dict__:  # which is set last
            message = f"A FittedFeatureSet is immutable; {name!r} cannot be set."
            raise AttributeError(message)
        super().__setattr__(name, value)

    @classmethod
    def _of(cls, definition: Definition, proof: Proof) -> FittedFeatureSet:
        return cls(
            definition,
            {one.name: one.state for one in proof.steps if one.feature.learner is not None},
            {one.name: one.kinds or () for one in proof.steps},
            proof.demoted,
            definition.fingerprints(),
        )

    @property
    def name(self) -> str:
        """The name of the set."""
        return self._definition.name

    @property
    def version(self) -> str:
        """The version of its definition."""
        return self._definition.version

    @property
    def fields(self) -> tuple[Field, ...]:
        """The inputs that are read."""
        return self._plan.fields

    def state(self, feature: str, /) -> Any:
        """Return a copy of what a feature learned, or None.

        Raises
        ------
        FeatureError
            For an unknown name.
        """
        step = self._step(feature)
        kind = step.feature.state_type
        return None if step.state is None else settle_state(step.state, kind, feature=feature)

    @property
    def target_encodings(self) -> dict[str, int | None]:
        """The columns that were learned with the target, and the folds of their training values."""
        learned = [one for one in self._steps if one.feature.uses_target]
        return {name: one.feature.crossfit for one in learned for name in one.names}

    def transform(
        self,
        frame: pd.DataFrame,
        /,
        *,
        output: Output = "numpy",
        order: Literal["F", "C"] = "F",
        out: Matrix | None = None,
    ) -> Any:
        """Return the features of a frame, a row for each of its rows.

        Parameters
        ----------
        frame : pandas.DataFrame
            Has the columns of :attr:`fields`; a nullable one may be absent, and is missing then,
            as a key of a record. Others are ignored, unless the set forbids them. Not changed.
        output : {"numpy", "pandas"}, default "numpy"
            ``"pandas"`` gives a frame under the index of `frame`.
        order : {"F", "C"}, default "F"
            Memory layout. Columns are written one after the other, so "F" costs nothing.
        out : numpy.ndarray of float64, shape (n_rows, n_columns), optional
            Where to write.

        Returns
        -------
        numpy.ndarray of float64, shape (n_rows, n_columns), or pandas.DataFrame
            The columns are those of ``fitted.columns``.

        Raises
        ------
        MissingInputError
            For columns that are absent, or missing values where there must be one.
        InputTypeError
            For a value that the declared type does not take.
        """
        if output not in get_args(Output):
            message = f"`output` must be 'numpy' or 'pandas', got {output!r}."
            raise ValueError(message)
        if order not in {"F", "C"}:
            message = f"`order` must be 'F' or 'C', got {order!r}."
            raise ValueError(message)
        check_frame(frame, "What features are computed from")
        if self._forbids:
            self._refuse_extra(map(str, frame.columns))
        matrix = matrix_for((len(frame), len(self.columns)), out)
        self._write(cast_frame(frame, self.fields), matrix)
        if output == "pandas":
            import pandas as pd

            return pd.DataFrame(matrix, columns=list(self.columns), index=frame.index, copy=False)
        return np.ascontiguousarray(matrix) if order == "C" and out is None else matrix

    def transform_one(self, record: Mapping[str, Any], /) -> Matrix:
        """Return the features of one record.

        Parameters
        ----------
        record : mapping
            Has a value for each of :attr:`fields`; a nullable one may be absent.

        Returns
        -------
        numpy.ndarray of float64, shape (n_columns,)
            The same bits as its row of :meth:`transform`.
        """
        if self._forbids:
            self._refuse_extra(keys_of_record(record))
        try:
            return np.array(self._run(record), dtype=np.float64)
        except FeatureError:
            raise
        except Exception:  # noqa: BLE001 - of a feature's own code
            # whole columns name the feature that fails
            return self._of_records([record]).reshape(-1)

    def transform_many(self, records: Sequence[Mapping[str, Any]], /) -> Matrix:
        """Return the features of several records.

        Few are computed one by one, many as columns, with the same bits.

        Parameters
        ----------
        records : sequence of mapping
            As for :meth:`transform_one`.

        Returns
        -------
        numpy.ndarray of float64, shape (n_records, n_columns)
            A row for each.
        """
        records = list(records)
        if self._forbids:
            for record in records:
                self._refuse_extra(keys_of_record(record))
        if len(records) < self._many:
            try:
                rows = [self._run(record) for record in records]
            except Exception:  # noqa: BLE001, S110 - whole columns name the row and the feature
                pass
            else:
                return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.columns))
        return self._of_records(records)

    def _of_records(self, records: list[Any]) -> Matrix:
        for record in records:
            keys_of_record(record)
        matrix = matrix_for((len(records), len(self.columns)))
        self._write(cast_records(records, self.fields), matrix)
        return matrix

    def _write(self, columns: dict[str, Any], out: Matrix) -> None:
        for name, start, column in compute_features(self._schedule, columns, len(out)):
            values = exact_floats(column, name) if column.dtype.kind == "i" else column
            out[start : start + len(values), self._places[name]] = values

    def _refuse_extra(self, names: Iterable[str]) -> None:
        unknown = [name for name in names if name not in self._allowed]
        if unknown:
            message = (
                f"{unknown[0]!r} is not an input of {self.name!r}. Drop it, or extra='ignore'."
            )
            raise InputTypeError(message, field=unknown[0], got=unknown[0], expected="no such key")

    def _step(self, name: str) -> Any:
        if name not in self._by_name:
            message = f"There is no feature {name!r}. There are {', '.join(self._by_name)}."
            raise FeatureError(message)
        return self._by_name[name]

    def explain(self, feature: str | None = None, /) -> FeatureExplanation | SetExplanation:
        """Return how a feature is computed, or all of them.

        Parameters
        ----------
        feature : str, optional
            Which one.

        Returns
        -------
        FeatureExplanation or SetExplanation
            Its inputs, state, source and fingerprint, and whether single records take compiled
            lines; if not, why.
        """
        if feature is not None:
            return self._explained(feature)
        told = tuple(self._explained(one.name) for one in self._definition.features)
        return SetExplanation(told, self.name)

    def _explained(self, feature: str) -> FeatureExplanation:
        return explain_feature(self._step(feature), self._kernel, self._fingerprints[feature])

    def lineage(self) -> Lineage:
        """Return what each output column is made of, down to the inputs."""
        return trace_lineage(self._plan, self._outputs)

    def check(self, frame: pd.DataFrame, /) -> CheckReport:
        """Compare whole columns, single rows and the compiled kernel on rows of a frame.

        Parameters
        ----------
        frame : pandas.DataFrame
            Up to 256 of its rows that differ are compared, and as many made-up ones; all of its
            rows are searched for odd values.

        Returns
        -------
        CheckReport
            What differs, what was missing, infinite or unknown, and what a reader of the code
            would warn of.
        """
        now = self._definition.fingerprints()
        return check_features(
            self._plan,
            self._steps,
            self._demoted,
            frame,
            served=Served(self._run, self.columns),
            changed=[
                name for name, one in self._fingerprints.items() if one.digest != now[name].digest
            ],
            subject=self.fingerprint,
        )

    def to_json(self) -> str:
        """Return the inputs, definitions and states as JSON, from which FeatureSet.restore reads.

        No code is in it but as text to read; the functions come from the FeatureSet.
        It raises FingerprintError if a state would not come back as it is.
        """
        refuse_lossy({one.name: one.feature for one in self._steps}, self._states)
        return write_set(
            self._definition,
            fields=self.fields,
            columns=self.columns,
            fingerprint=self.fingerprint,
            fingerprints=self._fingerprints,
            kinds=self._kinds,
            demoted=self._demoted,
            states=self._state_texts,
        )

    def __reduce__(self) -> Any:
        return _rebuilt, (
            self._definition,
            self._states,
            self._kinds,
            self._demoted,
            {name: one.digest for name, one in self._fingerprints.items()},
        )

    def __repr__(self) -> str:
        return (
            f"<FittedFeatureSet {self.name} {self.version}: {len(self.fields)} inputs, "
            f"{len(self.columns)} columns>"
        )

    def _repr_html_(self) -> str:
        return self.explain()._repr_html_()


def _rebuilt(
    definition: Definition,
    states: dict[str, Any],
    kinds: dict[str, tuple[str, ...]],
    demoted: dict[str, str],
    digests: dict[str, str],
) -> FittedFeatureSet:
    fingerprints = definition.fingerprints()
    refuse_changed(definition.name, digests, fingerprints)
    return FittedFeatureSet(definition, states, kinds, demoted, fingerprints)
