"""Rows of a frame as text, one JSON array each, and back to a frame of the same cells and dtypes.

What all rows share, the labels and dtypes of the columns, is a :class:`RowLayout` and stands
beside them once. pandas' own ``to_json`` would not do: it rounds floats and mixes up what is
missing.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.cells import PLAIN, decode_cell, encode_cell
from prodml._core.column_building import column_from_values, series_of
from prodml._core.columns import columns_of, is_arrow_backed, is_categorical, is_masked, numpy_dtype
from prodml.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

__all__ = ["RowLayout", "decode_rows", "digest_rows", "encode_rows"]

_VERSION: Final = 1
_DIGEST_SIZE: Final = 16


@dataclass(frozen=True, slots=True)
class RowLayout:
    """What the rows of a frame have in common.

    Attributes
    ----------
    labels : tuple
        Labels of the columns; they may repeat.
    kinds : tuple of str
        How the cells of each column are written.
    dtypes : tuple of str
        The dtype of each column; of its categories where it has some.
    """

    labels: tuple[Any, ...]
    kinds: tuple[str, ...]
    dtypes: tuple[str, ...]

    def to_json(self) -> str:
        """Return canonical JSON."""
        content = {
            "version": _VERSION,
            "labels": [encode_cell(label) for label in self.labels],
            "kinds": self.kinds,
            "dtypes": self.dtypes,
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str, /) -> RowLayout:
        """Restore a layout.

        Raises
        ------
        FormatError
            If `text` is something else, or of a later version.
        """
        content = json.loads(text)
        if not isinstance(content, dict) or content.get("version") != _VERSION:
            message = f"Not the layout of stored rows, or that of a later prodml: {text[:80]!r}."
            raise FormatError(message)
        labels = tuple(_hashable(decode_cell(label)) for label in content["labels"])
        return cls(labels, tuple(content["kinds"]), tuple(content["dtypes"]))


def _hashable(label: Any) -> Any:
    return tuple(label) if isinstance(label, list) else label


def encode_rows(frame: pd.DataFrame, /) -> tuple[RowLayout, list[bytes]]:
    """Return the layout of a frame, and each of its rows as the UTF-8 of a JSON array."""
    from pydantic_core import PydanticSerializationError, to_json

    columns = [_encode_column(column) for column in columns_of(frame)]
    layout = RowLayout(
        labels=tuple(frame.columns),
        kinds=tuple(kind for kind, _, _ in columns),
        dtypes=tuple(dtype for _, dtype, _ in columns),
    )
    cells = [cells for _, _, cells in columns]
    rows: list[Any] = list(zip(*cells, strict=True)) if cells else [()] * len(frame)
    try:
        return layout, [to_json(row, inf_nan_mode="strings") for row in rows]
    except (PydanticSerializationError, UnicodeEncodeError):
        # lone surrogates have no UTF-8; escaped they survive
        return layout, [_escaped(row) for row in rows]


def _escaped(row: tuple[Any, ...]) -> bytes:
    cells = [_word(cell) if isinstance(cell, float) else cell for cell in row]
    return json.dumps(cells, separators=(",", ":")).encode("ascii")


def _word(number: float) -> float | str:
    """Return what pydantic-core writes for a float."""
    if number - number == 0:
        return number
    return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"  # noqa: PLR0124


def digest_rows(layout: RowLayout, payloads: Sequence[bytes], /, *, origin: str) -> list[bytes]:
    """Return 16 bytes for each row that name its content.

    Parameters
    ----------
    layout : RowLayout
        Its labels count, its dtypes do not.
    payloads : sequence of bytes
        From :func:`encode_rows`.
    origin : str
        What else tells rows apart, such as where they come from.
    """
    labels = json.dumps([origin, *map(encode_cell, layout.labels)], sort_keys=True)
    # as salt, the origin costs nothing for each row
    salt = blake2b(labels.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_SIZE).digest()
    return [blake2b(one, digest_size=_DIGEST_SIZE, salt=salt).digest() for one in payloads]


def decode_rows(layout: RowLayout, payloads: Sequence[str | bytes], /) -> pd.DataFrame:
    """Return the frame of which :func:`encode_rows` made the rows, numbered from 0.

    Cells are the same, and dtypes too, as far as this pandas has them; categories are those that
    occur.
    """
    import pandas as pd

    rows = [json.loads(payload) for payload in payloads]
    series = []
    for at, (kind, dtype) in enumerate(zip(layout.kinds, layout.dtypes, strict=True)):
        series.append(series_of(_decode_column(kind, dtype, [row[at] for row in rows])))
    if not series:
        return pd.DataFrame(index=range(len(rows)))
    frame: pd.DataFrame = pd.concat(series, axis=1)
    frame.columns = _index_of(layout.labels)
    return frame


def _index_of(labels: tuple[Any, ...]) -> Any:
    import pandas as pd

    if all(isinstance(label, str) for label in labels):
        return pd.Index(list(labels))
    index = np.empty(len(labels), dtype=object)
    for at, label in enumerate(labels):  # assigned singly: pandas would make a MultiIndex of tuples
        index[at] = label
    return pd.Index(index, dtype=object, tupleize_cols=False)


def _encode_column(column: Any) -> tuple[str, str, list[Any]]:
    """Return how the cells of a column are written, its dtype, and the cells."""
    dtype = str(column.dtype)
    if is_categorical(column):
        kind, dtype, values = _encode_column(column.categories.array)
        values = [*values, None]
        return f"category/{kind}", dtype, [values[code] for code in column.codes.tolist()]
    plain = numpy_dtype(column)
    if plain is not None:
        kind, cells = _encode_numpy(np.asarray(column), plain)
        return kind, str(plain), cells
    name = type(column.dtype).__name__
    if name == "StringDtype":
        return "text", dtype, _text_cells(column)
    if name == "DatetimeTZDtype":
        return "moment", dtype, _encode_moments(column.tz_convert(None).to_numpy())
    if is_masked(column):
        return "number", dtype, column.to_numpy(dtype=object, na_value=None).tolist()
    cells = _arrow_cells(column) if is_arrow_backed(column) else list(column)
    return "object", dtype, [encode_cell(cell) for cell in cells]


def _encode_numpy(values: npt.NDArray[Any], dtype: np.dtype[Any]) -> tuple[str, list[Any]]:
    if dtype.kind in "biu" or (dtype.kind == "f" and dtype.itemsize <= np.dtype(float).itemsize):
        return "number", values.tolist()
    if dtype.kind == "M":
        return "moment", _encode_moments(values)
    if dtype.kind == "m":
        return "duration", values.view(np.int64).tolist()
    cells = list(values) if dtype.kind != "O" else values.tolist()
    if set(map(type, cells)) <= PLAIN:
        return "object", cells
    return "object", [encode_cell(cell) for cell in cells]


def _encode_moments(values: npt.NDArray[Any]) -> list[str]:
    """Return ISO 8601, the same text for the same instant whichever unit it came in."""
    with suppress(OverflowError):  # from numpy 2.5 on; older ones go round, which is not equal
        fine = values.astype("M8[us]")
        if bool(((fine.astype(values.dtype) == values) | np.isnat(values)).all()):
            values = fine
    texts: list[str] = np.datetime_as_string(values).tolist()
    return texts


def _text_cells(column: Any) -> list[Any]:
    if is_arrow_backed(column):
        return _arrow_cells(column)
    objects = np.asarray(column, dtype=object)
    missing = np.asarray(column.isna(), dtype=bool)
    if missing.any():
        objects = objects.copy()
        objects[missing] = None
    cells: list[Any] = objects.tolist()
    return cells


def _arrow_cells(column: Any) -> list[Any]:
    import pyarrow as pa

    cells: list[Any] = pa.array(column).to_pylist()
    return cells


def _decode_column(kind: str, dtype: str, cells: list[Any]) -> Any:
    import pandas as pd

    if kind.startswith("category/"):
        return pd.Categorical(_decode_column(kind.removeprefix("category/"), dtype, cells))
    if kind == "number":
        return _decode_numbers(dtype, cells)
    if kind == "moment":
        return _decode_moments(dtype, cells)
    if kind == "duration":
        return pd.Series(np.array(cells, dtype=np.int64).view(dtype)).array
    values = [decode_cell(cell) for cell in cells]
    if kind == "text" or dtype.endswith("[pyarrow]"):
        try:
            named: Any = dtype
            return pd.array(values, dtype=named)
        except (ArithmeticError, ImportError, NotImplementedError, TypeError, ValueError):
            pass  # a dtype that this machine does not have: the cells are what counts
    return column_from_values(values, "object")


def _decode_numbers(dtype: str, cells: list[Any]) -> Any:
    import pandas as pd

    # pandas' own dtypes begin with a capital
    if dtype[0].islower() and None not in cells:
        return pd.Series(np.array(cells, dtype=np.dtype(dtype))).array
    absent = np.array([cell is None for cell in cells], dtype=bool)
    known: Any = pd.api.types.pandas_dtype(dtype)
    inner = getattr(known, "numpy_dtype", known)
    data = np.array([0 if cell is None else cell for cell in cells], dtype=inner)
    if known is inner:  # categories, of which None stands for no category
        objects = data.astype(object)
        objects[absent] = None
        return column_from_values(objects.tolist(), "object")
    return known.construct_array_type()(data, absent)


def _decode_moments(dtype: str, cells: list[Any]) -> Any:
    import pandas as pd

    known: Any = pd.api.types.pandas_dtype(dtype)
    texts = ["NaT" if cell is None else cell for cell in cells]
    if isinstance(known, np.dtype):
        return pd.Series(np.array(texts, dtype=known)).array
    moments = pd.DatetimeIndex(np.array(texts, dtype=f"M8[{known.unit}]"))
    return moments.tz_localize("UTC").tz_convert(known.tz).array
