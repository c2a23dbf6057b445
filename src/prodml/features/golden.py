"""Golden rows: raw inputs with the features that they gave, to be computed again later.

They travel with a model. Where it is loaded, they are computed anew, as a batch and record by
record, and whatever comes out otherwise shows that these are not the features it was trained on:
other code, another state, another library, another CPU.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from prodml._core.cells import decode_cell, encode_cell
from prodml._core.render import html_table
from prodml._frozen_mapping import FrozenMapping
from prodml.errors import FeatureError, FormatError
from prodml.features._cast_columns import cast_frame
from prodml.features._compute_environment import describe_environment
from prodml.features._golden_comparison import replay_rows
from prodml.features._golden_predictions import decode_predictions, encode_predictions, predicted
from prodml.features._proof_rows import candidate_rows, extreme_rows, gap_patterns, rows_at
from prodml.features._raw_cells import exact_cell, frame_of_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt
    import pandas as pd

    from prodml.features.fitted import FittedFeatureSet
    from prodml.features.golden_replay import GoldenReplay

__all__ = ["GoldenRows"]

_FORMAT: Final = "prodml-golden/1"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class GoldenRows:
    """Raw rows with the features they gave. Immutable, thread-safe, picklable.

    They hold real data as it arrived: keep them as you keep the training data.

    Attributes
    ----------
    name, version, fingerprint : str
        Of the features.
    environment : str
        The version of numpy, CPU and math library that computed them.
    columns : tuple of str
        The names of the features.
    inputs : mapping of str to tuple
        For each input, the values as they arrived.
    outputs : numpy.ndarray of float64, shape (n_rows, n_columns)
        The features, read-only.
    predictions : numpy.ndarray of shape (n_rows, ...), or None
        What a model said of them, read-only.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from prodml.features import FeatureSet, Field
    >>> fs = FeatureSet("orders", version="1", inputs=[Field("amount", "float64", nullable=True)])
    >>> @fs.feature
    ... def log_amount(amount):
    ...     return np.log1p(np.where(np.isnan(amount), 0.0, amount))
    >>> frame = pd.DataFrame({"amount": [1.0, None, 9.0]})
    >>> fitted = fs.fit(frame)
    >>> golden = GoldenRows.from_json(GoldenRows.take(fitted, frame).to_json())
    >>> golden.replay(fitted)
    <GoldenReplay: 3 rows, 0 differences>
    """

    name: str
    version: str
    fingerprint: str
    environment: str
    columns: tuple[str, ...]
    inputs: Mapping[str, tuple[Any, ...]]
    outputs: npt.NDArray[np.float64]
    predictions: npt.NDArray[Any] | None = None
    _frame: Any = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        inputs = {name: tuple(cells) for name, cells in self.inputs.items()}
        object.__setattr__(self, "inputs", FrozenMapping(inputs))
        object.__setattr__(self, "outputs", _read_only(self.outputs))
        if self.predictions is not None:
            object.__setattr__(self, "predictions", _read_only(self.predictions))
        # once, since a replay is to cost little more than the features
        object.__setattr__(self, "_frame", frame_of_cells(self.inputs, self.n_rows))

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return len(self.outputs)

    @classmethod
    def take(
        cls,
        fitted: FittedFeatureSet,
        frame: pd.DataFrame,
        /,
        *,
        n: int = 64,
        predict: Callable[[Any], Any] | None = None,
    ) -> Self:
        """Choose rows of a frame that differ, and record what they give.

        Parameters
        ----------
        fitted : FittedFeatureSet
            The features.
        frame : pandas.DataFrame
            Raw rows, as for ``fitted.transform``: the more kinds of rows, the better. Not changed.
        n : int, default 64
            The most rows to keep: the extremes of each input and feature first, then each pattern
            of missing values, then others evenly over the frame.
        predict : callable, optional
            Takes the matrix of float64 features, and returns a number, a boolean or text, or a
            list of them, for each row, as the ``predict`` of a model does. Its answers are kept.

        Returns
        -------
        GoldenRows
            They have been replayed once already.

        Raises
        ------
        FeatureError
            If the frame is empty, or `n` is no positive whole number.
        FeatureOutputError
            If `predict` returns something else.
        SkewError
            If batch, single records or predictions differ even now.
        """
        if not len(frame) or type(n) is not int or n < 1:
            message = f"Golden rows need rows: got {len(frame)} of them, and n={n!r}."
            raise FeatureError(message)
        chosen = _chosen_rows(fitted, frame, n)
        inputs = {
            one.name: tuple(map(exact_cell, frame[one.name].iloc[chosen].tolist()))
            for one in fitted.fields
            if one.name in frame.columns
        }
        outputs = fitted.transform(frame.iloc[chosen])
        golden = cls(
            name=fitted.name,
            version=fitted.version,
            fingerprint=fitted.fingerprint,
            environment=describe_environment(),
            columns=fitted.columns,
            inputs=inputs,
            outputs=outputs,
            predictions=None if predict is None else predicted(predict, outputs),
        )
        golden.replay(fitted, predict=predict).raise_for_skew()
        return golden

    def replay(
        self,
        fitted: FittedFeatureSet,
        /,
        *,
        predict: Callable[[Any], Any] | None = None,
        prediction_rtol: float = 0.0,
    ) -> GoldenReplay:
        """Compute the rows again, as a batch and one by one, and compare.

        Every bit must be the same where numpy, CPU and math library are those of the recording.
        Elsewhere values may be 4 ulp apart, of their own or of the largest in their column, except
        in columns of nothing but whole numbers: counts, flags, categories and hashes are always
        exact. NaN equals NaN.

        Parameters
        ----------
        fitted : FittedFeatureSet
            The features of today.
        predict : callable, optional
            As for :meth:`take`; without it, recorded predictions are not replayed.
        prediction_rtol : float, default 0.0
            How far predictions may be apart in any case, relative to the recorded one: for models
            that add up in the order in which their threads finish, or on another CPU.

        Returns
        -------
        GoldenReplay
            ``raise_for_skew()`` turns differences into an error.

        Raises
        ------
        FeatureError
            If there is a `predict`, and no predictions were recorded.

        Notes
        -----
        Another fingerprint is told and is no difference by itself: changed code that gives the
        same bits passes.
        """
        if predict is not None and self.predictions is None:
            message = "These golden rows hold no predictions. Take them with `predict=`."
            raise FeatureError(message)
        return replay_rows(self, self._frame, fitted, predict, prediction_rtol)

    def record(self, row: int, /) -> dict[str, Any]:
        """Return the raw inputs of one row, as a record.

        Parameters
        ----------
        row : int
            Its position.
        """
        return {name: cells[row] for name, cells in self.inputs.items()}

    def to_frame(self) -> pd.DataFrame:
        """Return the raw inputs as a frame."""
        frame: pd.DataFrame = self._frame.copy()
        return frame

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values that hold every value exactly; :meth:`from_json` reads them."""
        content = {
            "format": _FORMAT,
            "name": self.name,
            "version": self.version,
            "fingerprint": self.fingerprint,
            "environment": self.environment,
            "n_rows": self.n_rows,
            "inputs": {name: list(map(encode_cell, cells)) for name, cells in self.inputs.items()},
            "columns": list(self.columns),
            "outputs": [list(map(float.hex, column)) for column in self.outputs.T.tolist()],
        }
        if self.predictions is not None:
            content["predictions"] = encode_predictions(self.predictions)
        return content

    def to_json(self) -> str:
        """Return JSON in ASCII that holds every value exactly, equal for equal rows."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes, /) -> Self:
        """Restore rows from :meth:`to_json`.

        Parameters
        ----------
        text : str or bytes
            The JSON. Nothing in it is run.

        Raises
        ------
        FormatError
            If it is something else, or damaged.
        """
        try:
            return cls(**_fields_of(json.loads(text)))
        except FormatError:
            raise
        except (
            ArithmeticError,
            AttributeError,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
        ) as error:
            message = f"The text holds no golden rows: {type(error).__name__}: {error}."
            raise FormatError(message) from error

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GoldenRows):
            return NotImplemented
        return self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.to_json())

    def __reduce__(self) -> Any:
        return type(self).from_json, (self.to_json(),)

    def __repr__(self) -> str:
        kept = "" if self.predictions is None else ", predictions"
        return (
            f"<GoldenRows {self.name} {self.version}: {self.n_rows} rows, "
            f"{len(self.inputs)} inputs, {len(self.columns)} columns{kept}>"
        )

    def _repr_html_(self) -> str:
        rows = [
            [*(repr(cells[row]) for cells in self.inputs.values()), *self.outputs[row].tolist()]
            for row in range(self.n_rows)
        ]
        return html_table([*self.inputs, *self.columns], rows, caption=repr(self)[1:-1])


def _read_only(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    copy = np.array(values)
    copy.flags.writeable = False
    return copy


def _chosen_rows(fitted: FittedFeatureSet, frame: pd.DataFrame, n: int) -> npt.NDArray[np.int64]:
    inputs = cast_frame(frame, fitted.fields)
    candidates = candidate_rows(inputs, len(frame))
    matrix = fitted.transform(frame.iloc[candidates])
    # an extreme of each flag and bucket is a row on each side of it
    columns = rows_at(inputs, candidates) | {
        f"feature {name}": matrix[:, at] for at, name in enumerate(fitted.columns)
    }
    others = np.linspace(0, len(candidates) - 1, num=min(n, len(candidates)), dtype=np.int64)
    wanted = [*extreme_rows(columns).tolist(), *gap_patterns(columns).tolist(), *others.tolist()]
    chosen: npt.NDArray[np.int64] = candidates[sorted([*dict.fromkeys(wanted)][:n])]
    return chosen


def _fields_of(content: dict[str, Any]) -> dict[str, Any]:
    if content["format"] != _FORMAT:
        message = f"Golden rows have the format {_FORMAT!r}, got {content['format']!r}."
        raise FormatError(message)
    n_rows, columns = content["n_rows"], content["columns"]
    inputs = {name: list(map(decode_cell, cells)) for name, cells in content["inputs"].items()}
    rows = [[float.fromhex(one) for one in column] for column in content["outputs"]]
    found = content.get("predictions")
    predictions = None if found is None else decode_predictions(found)
    texts = [content[name] for name in ("name", "version", "fingerprint", "environment")]
    lengths = {len(one) for one in (*inputs.values(), *rows)}
    if predictions is not None:
        lengths.add(len(predictions))
    if not lengths <= {n_rows} or len(rows) != len(columns):
        message = f"The golden rows are damaged: {n_rows} rows, but columns of {sorted(lengths)}."
        raise FormatError(message)
    if not all(isinstance(one, str) for one in (*texts, *columns)):
        message = "The golden rows are damaged: names must be text."
        raise FormatError(message)
    return {
        "name": content["name"],
        "version": content["version"],
        "fingerprint": content["fingerprint"],
        "environment": content["environment"],
        "columns": tuple(columns),
        "inputs": inputs,
        "outputs": np.array(rows, dtype=np.float64).reshape(len(columns), n_rows).T,
        "predictions": predictions,
    }
