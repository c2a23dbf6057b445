"""Columns of a frame: the one place that knows how pandas stores values.

A column here is what ``Series.array`` gives: a numpy-backed or an extension array. Columns are
addressed by position, sliced without a copy, and turned into plain Python values only where
nothing faster is certain to give the same answer.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.scalars import PLAIN_TYPES, normalise

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

__all__ = [
    "NUL_IS_A_CHARACTER",
    "booleans_of",
    "columns_of",
    "count_missing",
    "distinct_values",
    "durations_of",
    "factorize",
    "integers_of",
    "is_arrow_backed",
    "is_categorical",
    "is_masked",
    "missing_mask",
    "moments_of",
    "numbers_of",
    "numpy_dtype",
    "object_text",
    "pandas_major",
    "python_objects",
    "python_values",
    "within_python_range",
]

_MICROSECONDS_OF_YEAR_1 = -62_135_596_800_000_000
_MICROSECONDS_OF_YEAR_10000 = 253_402_300_800_000_000

#: Types of what objects may hold where they hold nothing.
_MISSING_KINDS: Final = frozenset({type(None), float})

#: The version of pandas since which text with a NUL in it equals no shorter text.
NUL_IS_A_CHARACTER: Final = 3


def columns_of(frame: pd.DataFrame) -> list[Any]:
    """Return the columns by position, unaffected by labels that occur twice."""
    return [series.array for _, series in frame.items()]


def numpy_dtype(column: Any) -> np.dtype[Any] | None:
    """Return the dtype of a plain numpy-backed column, or None for any other."""
    dtype = column.dtype
    return dtype if isinstance(dtype, np.dtype) else _pandas_numpy_dtype(dtype)


def _pandas_numpy_dtype(dtype: Any) -> np.dtype[Any] | None:
    inner = getattr(dtype, "numpy_dtype", None)
    # NumpyEADtype wraps the real thing; masked and arrow dtypes have the attribute as well
    return inner if type(dtype).__name__ in {"NumpyEADtype", "PandasDtype"} else None


def is_categorical(column: Any) -> bool:
    """Say whether values are stored as codes into categories."""
    return type(column.dtype).__name__ == "CategoricalDtype"


def is_masked(column: Any) -> bool:
    """Say whether it is one of pandas' nullable integer, float or boolean columns."""
    return hasattr(column, "_mask") and hasattr(column.dtype, "numpy_dtype")


def is_arrow_backed(column: Any) -> bool:
    """Say whether the values lie in an Arrow array."""
    return hasattr(column, "_pa_array")


def missing_mask(column: Any) -> npt.NDArray[np.bool_]:
    """Return where a column has no value, by the same rule as :func:`normalise`."""
    try:
        mask = np.asarray(column.isna(), dtype=bool)
    except ArithmeticError:  # pandas cannot bear a signalling Decimal NaN
        mask = np.fromiter((normalise(cell) is None for cell in column), bool, count=len(column))
    dtype = column.dtype
    if is_masked(column) and dtype.kind == "f":
        # a nullable float column can hold NaN beside NA
        mask = mask | np.isnan(column.to_numpy(dtype=np.float64, na_value=np.nan))
    elif is_arrow_backed(column) and dtype.kind == "f":
        mask = mask | np.isnan(column.to_numpy(dtype=np.float64, na_value=np.nan))
    return mask


def count_missing(column: Any) -> int:
    """Return the number of cells without a value."""
    if is_arrow_backed(column) and column.dtype.kind != "f":
        import pyarrow as pa

        return int(pa.array(column).null_count)
    dtype = numpy_dtype(column)
    if dtype is not None and dtype.kind in "iub":
        return 0
    return int(np.count_nonzero(missing_mask(column)))


def integers_of(column: Any) -> npt.NDArray[Any] | None:
    """Return the integers of a column as numpy (0 where missing), or None if it holds others."""
    dtype = numpy_dtype(column)
    if dtype is not None:
        return np.asarray(column) if dtype.kind in "iu" else None
    if column.dtype.kind in "iu" and (is_masked(column) or is_arrow_backed(column)):
        values: npt.NDArray[Any] = column.to_numpy(dtype=column.dtype.numpy_dtype, na_value=0)
        return values
    return None


def booleans_of(column: Any) -> npt.NDArray[np.bool_] | None:
    """Return the booleans of a column as numpy (False where missing), or None."""
    dtype = numpy_dtype(column)
    if dtype is not None:
        return np.asarray(column) if dtype.kind == "b" else None
    if column.dtype.kind == "b" and (is_masked(column) or is_arrow_backed(column)):
        values: npt.NDArray[np.bool_] = column.to_numpy(dtype=bool, na_value=False)
        return values
    return None


def numbers_of(column: Any) -> npt.NDArray[np.float64] | None:
    """Return the floats of a column as float64 (NaN where missing), or None if it holds others.

    float32 is widened, which is exact, so that a Python bound is not rounded to float32 when it
    is compared (NEP 50).
    """
    dtype = numpy_dtype(column)
    if dtype is not None:
        exact = dtype.kind == "f" and dtype.itemsize <= np.dtype(np.float64).itemsize
        return np.asarray(column).astype(np.float64, copy=False) if exact else None
    if column.dtype.kind == "f" and (is_masked(column) or is_arrow_backed(column)):
        values: npt.NDArray[np.float64] = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return values
    return None


def moments_of(column: Any) -> npt.NDArray[np.int64] | None:
    """Return naive or UTC microseconds since 1970 (the least int64 where missing), or None."""
    dtype = numpy_dtype(column)
    if dtype is not None:
        if dtype.kind != "M":
            return None
        return _in_microseconds(np.asarray(column), "M8[us]")
    if type(column.dtype).__name__ == "DatetimeTZDtype":
        return _in_microseconds(column.tz_convert(None).to_numpy(), "M8[us]")
    return None


def durations_of(column: Any) -> npt.NDArray[np.int64] | None:
    """Return durations in microseconds (the least int64 where missing), or None."""
    dtype = numpy_dtype(column)
    if dtype is None or dtype.kind != "m":
        return None
    return _in_microseconds(np.asarray(column), "m8[us]")


def _in_microseconds(values: npt.NDArray[Any], unit: str) -> npt.NDArray[np.int64] | None:
    if np.datetime_data(values.dtype)[0] not in {"us", "ns"}:
        # where seconds or milliseconds overflow, numpy 2.5 raises and older ones do not notice;
        # half the range cannot
        coarse = values.astype(f"{unit[0]}8[s]", copy=False).view(np.int64)
        known = coarse[coarse != np.iinfo(np.int64).min]
        if known.size and (known.min() < -(2**62) // 10**6 or known.max() > 2**62 // 10**6):
            return None
    return values.astype(unit, copy=False).view(np.int64)


def within_python_range(moments: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return which microseconds a :class:`datetime.datetime` can hold."""
    inside: npt.NDArray[np.bool_] = (moments >= _MICROSECONDS_OF_YEAR_1) & (
        moments < _MICROSECONDS_OF_YEAR_10000
    )
    return inside


def object_text(column: Any) -> npt.NDArray[np.object_] | None:
    """Return the objects of a column that holds only exact ``str`` and missing values."""
    objects = python_objects(column)
    if objects is None:
        return None
    kinds = set(map(type, objects.tolist()))
    if kinds <= {str}:
        return objects
    odd = kinds - {str, type(None)}
    if not odd:
        return objects
    # NaN, NA and NaT are text's missing values too; any other float is not
    others = [cell for cell in objects.tolist() if type(cell) in odd]
    return objects if all(normalise(cell) is None for cell in others) else None


def python_objects(column: Any) -> npt.NDArray[np.object_] | None:
    """Return the objects of an object column or of a Python-backed string column, or None."""
    dtype = numpy_dtype(column)
    if dtype is not None:
        return np.asarray(column) if dtype.kind == "O" else None
    if type(column.dtype).__name__ == "StringDtype" and not is_arrow_backed(column):
        return np.asarray(column, dtype=object)
    return None


def python_values(column: Any) -> list[Any]:
    """Return the plain Python values of a column, each as :func:`normalise` would give it."""
    dtype = numpy_dtype(column)
    if dtype is not None:
        return _values_of_numpy(np.asarray(column), dtype)
    if is_categorical(column):
        values = [*python_values(column.categories.array), None]
        return [values[code] for code in column.codes.tolist()]
    if is_arrow_backed(column):
        import pyarrow as pa

        items = pa.array(column).to_pylist()
        return items if column.dtype.kind in "OUiub" and _is_flat(column) else _normalised(items)
    if is_masked(column) and column.dtype.kind in "iub":
        plain: list[Any] = column.to_numpy(dtype=object, na_value=None).tolist()
        return plain
    objects = python_objects(column)
    return _normalised(list(column) if objects is None else objects.tolist())


def _is_flat(column: Any) -> bool:
    import pyarrow as pa

    kind = pa.array(column[:0]).type
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_boolean)
    return any(test(kind) for test in tests)


def _normalised(values: list[Any]) -> list[Any]:
    kinds = set(map(type, values))
    if kinds <= PLAIN_TYPES:
        return values
    if kinds <= PLAIN_TYPES | {float}:
        return [None if value != value else value for value in values]  # noqa: PLR0124 - NaN
    return [value if type(value) in PLAIN_TYPES else normalise(value) for value in values]


def _values_of_numpy(values: npt.NDArray[Any], dtype: np.dtype[Any]) -> list[Any]:
    plain: list[Any] | None = None
    if dtype.kind in "iub":
        plain = values.tolist()
    elif dtype.kind == "f" and dtype.itemsize <= np.dtype(np.float64).itemsize:
        missing = np.isnan(values)
        if missing.any():
            values = values.astype(object)
            values[missing] = None
        plain = values.tolist()
    elif dtype.kind == "M":
        micros = _in_microseconds(values, "M8[us]")
        absent = np.isnat(values)
        if micros is not None and bool((within_python_range(micros) | absent).all()):
            plain = micros.view("M8[us]").tolist()
    return _normalised(list(values)) if plain is None else plain


def distinct_values(column: Any) -> tuple[npt.NDArray[np.int64], list[Any]] | None:
    """Return codes into the distinct plain values of a column (-1 where missing), or None.

    None where telling values apart would need to look at each: objects of mixed types, of which
    Python calls ``1``, ``1.0`` and ``True`` equal.
    """
    if is_categorical(column):
        return _distinct_categories(column)
    if (floats := numbers_of(column)) is not None:
        # by their bits, since -0.0 equals 0.0
        codes, bits = factorize(floats.view(np.int64))
        return _without_missing(codes, _values_of_numpy(bits.view(np.float64), floats.dtype))
    if (objects := python_objects(column)) is not None:
        kinds = set(map(type, objects.tolist()))
        present = kinds - _MISSING_KINDS
        if len(present) != 1 or not present <= {str, int, bool}:
            return None
        if float in kinds and object_text(column) is None:
            return None
        codes, uniques = factorize(objects)
        return codes, _normalised(uniques.tolist())
    try:
        codes, uniques = factorize(column if numpy_dtype(column) is None else np.asarray(column))
    except (TypeError, ValueError, NotImplementedError):
        return None
    return _without_missing(codes, python_values(_as_column(uniques)))


def _distinct_categories(column: Any) -> tuple[npt.NDArray[np.int64], list[Any]]:
    codes = np.asarray(column.codes, dtype=np.int64)
    categories = column.categories.array
    if len(categories) > len(codes):  # a short piece of a column with many of them
        used, codes = np.unique(codes, return_inverse=True)
        n_missing = int(len(used) > 0 and used[0] < 0)
        codes, categories = codes.astype(np.int64) - n_missing, categories.take(used[n_missing:])
    return _without_missing(codes, python_values(categories))


def factorize(values: Any) -> tuple[npt.NDArray[np.int64], Any]:
    """Return codes into the distinct values (-1 where missing), and these.

    Parameters
    ----------
    values : numpy.ndarray or extension array
        Objects must be of one type.
    """
    import pandas as pd

    objects = isinstance(values, np.ndarray) and values.dtype.kind == "O"
    if not objects or pandas_major() >= NUL_IS_A_CHARACTER:
        codes, uniques = pd.factorize(values)
        return np.asarray(codes, dtype=np.int64), uniques
    # Over nothing but str, this pandas compares only what stands before a NUL.
    mixed = np.concatenate([values, np.array([None])])
    codes, uniques = pd.factorize(mixed)
    return np.asarray(codes[:-1], dtype=np.int64), uniques


@cache
def pandas_major() -> int:
    """Return the major version of the pandas that is installed."""
    import pandas as pd

    return int(pd.__version__.partition(".")[0])


def _as_column(values: Any) -> Any:
    import pandas as pd

    return pd.Series(values, copy=False).array if isinstance(values, np.ndarray) else values


def _without_missing(
    codes: npt.NDArray[np.int64], values: list[Any]
) -> tuple[npt.NDArray[np.int64], list[Any]]:
    if None not in values:
        return np.asarray(codes, dtype=np.int64), values
    absent = [position for position, value in enumerate(values) if value is None]
    return np.where(np.isin(codes, absent), -1, codes).astype(np.int64), values
