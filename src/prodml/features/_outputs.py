"""What a feature returned, as one column of one kind, or an error that says what it should be."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml.errors import FeatureOutputError
from prodml.features._cast_columns import DTYPES
from prodml.features._cast_values import INT64_END, LARGEST_EXACT

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = [
    "KIND_NAMES",
    "column_of",
    "column_of_values",
    "exact_float",
    "exact_floats",
    "matrix_for",
    "refuse_output",
    "value_of",
]

KIND_NAMES: Final = {"f": "floats", "i": "integers", "b": "booleans", "s": "text"}
_DOUBLE: Final = np.dtype(np.float64).itemsize


def column_of(result: Any, n_rows: int, kind: str | None, /, *, feature: str) -> npt.NDArray[Any]:
    """Return what a vectorised feature returned as a column.

    Parameters
    ----------
    result : object
        One-dimensional, with a value per row.
    n_rows : int
        How many rows there are.
    kind : {"f", "i", "b", "s"} or None
        What it returned when it was fitted; None to learn it.
    feature : str
        Whose result it is.
    """
    values = result if type(result) is np.ndarray else _as_array(result, feature)
    if values.shape != (n_rows,):
        raise refuse_output(feature, _told_of_shape(values.shape, n_rows))
    letter = values.dtype.kind
    if letter in "OUT":
        values, found = _text_of(values, feature), "s"
    elif letter == "f" and values.dtype.itemsize <= _DOUBLE:
        values, found = values.astype(np.float64, copy=False), "f"
    elif letter == "b":
        found = "b"
    elif letter in "iu":
        values, found = _integers_of(values, feature), "i"
    else:
        raise refuse_output(
            feature,
            f"returned dtype {values.dtype}. Return numbers, booleans or text; "
            "times as a number of seconds, days, ...",
        )
    return values if kind is None or found == kind else _converted(values, found, kind, feature)


def _told_of_shape(shape: tuple[int, ...], n_rows: int) -> str:
    found = f"an array of shape {shape}" if shape else "one value"
    repair = "Return one value per row; a constant is np.full_like(x, value)."
    if len(shape) == 2 and n_rows in shape:  # noqa: PLR2004 - rows and columns
        one = "result[:, 0]" if shape[0] == n_rows else "result[0]"
        repair = f"Return one column, as {one}, and write a feature for each of the others."
        if 1 in shape and n_rows > 1:
            repair = f"Return the one column of it, as {one}."
    return f"returned {found} for {n_rows} rows. {repair}"


def _as_array(result: Any, feature: str) -> npt.NDArray[Any]:
    if result is None:
        raise refuse_output(feature, "returned None. Does it lack a return statement?")
    if isinstance(result, np.ma.MaskedArray):
        raise refuse_output(
            feature,
            "returned a masked array, whose mask would be lost. Return "
            "result.astype(float).filled(np.nan).",
        )
    if isinstance(result, Mapping | AbstractSet | Iterator | Coroutine):
        kind = type(result).__name__
        repair = "Return np.array([... for ... in ...]), with a value per row in their order."
        raise refuse_output(feature, f"returned a {kind}, which is no column. {repair}")
    return np.asarray(result)


def _text_of(values: npt.NDArray[Any], feature: str) -> npt.NDArray[Any]:
    objects = values.astype(object) if values.dtype.kind != "O" else values
    kinds = set(map(type, objects.tolist()))
    if odd := kinds - {str, type(None)}:
        names = ", ".join(sorted(one.__name__ for one in odd))
        raise refuse_output(
            feature,
            f"returned objects that are not text ({names}). Return an array of one dtype; "
            "missing text is None, a missing number is NaN.",
        )
    return objects


def _integers_of(values: npt.NDArray[Any], feature: str) -> npt.NDArray[Any]:
    if values.dtype == np.uint64 and values.size and int(values.max()) >= INT64_END:
        raise refuse_output(feature, "returned integers that do not fit into 64 bits.")
    return values.astype(np.int64, copy=False)


def _converted(values: npt.NDArray[Any], found: str, kind: str, feature: str) -> npt.NDArray[Any]:
    if kind == "f" and found in "ib":
        return exact_floats(values, feature) if found == "i" else values.astype(np.float64)
    if kind == "i" and found == "b":
        return values.astype(np.int64)
    raise refuse_output(
        feature,
        f"returned {KIND_NAMES[found]}, but {KIND_NAMES[kind]} when it was fitted. "
        "Let it return one type, or annotate what it returns.",
    )


def exact_floats(values: npt.NDArray[Any], feature: str, /) -> npt.NDArray[np.float64]:
    """Return integers as floats; an error where digits would be lost."""
    if values.size:
        low, high = int(values.min()), int(values.max())
        if low < -LARGEST_EXACT or high > LARGEST_EXACT:
            raise refuse_output(
                feature,
                f"returned {low if low < -LARGEST_EXACT else high}, which is beyond 2**53 "
                "and would lose digits as a float.",
            )
    return values.astype(np.float64)


def exact_float(value: int, feature: str, /) -> float:
    """Return an integer as a float; an error where digits would be lost."""
    if -LARGEST_EXACT <= value <= LARGEST_EXACT:
        return float(value)
    raise refuse_output(
        feature, f"returned {value}, which is beyond 2**53 and would lose digits as a float."
    )


def column_of_values(
    values: Sequence[Any], kind: str | None, /, *, feature: str
) -> npt.NDArray[Any]:
    """Return what an elementwise feature returned for each row as a column.

    With `kind` None, numbers are floats whatever they are, so that a function may return the
    integer 0 for one row and a float for another.
    """
    kinds = set(map(type, values))
    found = kind or _kind_of(kinds)
    if not kinds <= _TYPES[found]:
        values = [value_of(one, found, feature=feature) for one in values]
    if found == "f" and int in kinds:
        values = [exact_float(one, feature) if type(one) is int else one for one in values]
    if found != "s":
        return np.array(values, dtype=DTYPES[found])
    out = np.empty(len(values), dtype=np.object_)
    out[:] = values
    return out


def _kind_of(kinds: set[type]) -> str:
    known = kinds - {type(None)}
    if known and all(issubclass(one, str) for one in known):
        return "s"
    if known and known <= {bool, np.bool_}:
        return "b"
    return "f"


#: What a function may return as it is.
_TYPES: Final[dict[str, frozenset[type]]] = {
    "f": frozenset({float, int, bool}),
    "i": frozenset({int, bool}),
    "b": frozenset({bool}),
    "s": frozenset({str, type(None)}),
}


def value_of(value: Any, kind: str, /, *, feature: str) -> Any:
    """Return what an elementwise feature returned for one row, as the kind that it is of."""
    if isinstance(value, np.generic):
        value = value.item()
    if kind == "f" and isinstance(value, float | int):
        return float(value) if isinstance(value, float) else exact_float(int(value), feature)
    if kind == "i" and isinstance(value, int):
        if -INT64_END <= value < INT64_END:
            return int(value)
        raise refuse_output(feature, f"returned {value}, which does not fit into 64 bits.")
    if kind == "b" and isinstance(value, bool):
        return value
    if kind == "s" and (value is None or isinstance(value, str)):
        return value if value is None else str.__str__(value)
    if value is None:
        raise refuse_output(feature, "returned None. Return math.nan for a missing number.")
    repair = "Let it return one type, or annotate what it returns."
    if isinstance(value, Iterable) and not isinstance(value, str):
        repair = "An elementwise feature returns one plain value: a number, a boolean or text."
    raise refuse_output(
        feature,
        f"returned {value!r}, a {type(value).__name__}, where {KIND_NAMES[kind]} are expected. "
        f"{repair}",
    )


def matrix_for(shape: tuple[int, int], out: Any = None, /) -> npt.NDArray[np.float64]:
    """Return a matrix to write columns to: the one that was given, or a new one."""
    if out is None:
        return np.empty(shape[::-1], dtype=np.float64).T
    if not isinstance(out, np.ndarray):
        message = f"`out` must be a numpy array, got {type(out).__name__}."
        raise ValueError(message)  # noqa: TRY004 - as for an array of another dtype
    if out.shape != shape or out.dtype != np.float64:
        message = f"`out` must be float64 of shape {shape}, got {out.dtype} of {out.shape}."
        raise ValueError(message)
    return out


def refuse_output(feature: str, what: str, /) -> FeatureOutputError:
    """Return the error for a result that is no column."""
    return FeatureOutputError(f"Feature {feature!r} {what}", feature=feature)
