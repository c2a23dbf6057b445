"""Text that lies in Arrow, where pyarrow is installed: asking a million strings at once.

The texts here are ``pyarrow.Array`` of ``string`` or ``large_string``, as :func:`arrow_text` gives
them. Lengths are in characters, never in bytes.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from prodml._core.column_building import text_dtype
from prodml._core.columns import is_arrow_backed, numpy_dtype, object_text

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "arrow_text",
    "break_lengths",
    "codes_of",
    "distinct_of",
    "has_arrow",
    "match_pattern",
    "null_mask",
    "rows_of",
    "strip_white_space",
    "text_column",
]

_FIRST_VISIBLE, _LAST_VISIBLE = 0x21, 0x7E


@cache
def has_arrow() -> bool:
    """Say whether pyarrow can be used."""
    try:
        import pyarrow.compute  # noqa: F401 - only to see whether it is there
    except ImportError:
        return False
    return True


def arrow_text(column: Any) -> Any | None:
    """Return the text of a column as one Arrow array, or None if it is not all text.

    Object columns are searched: only exact ``str`` and missing values count as text, since a
    subclass may mean something else to pydantic.
    """
    if not has_arrow():
        return None
    import pyarrow as pa

    if is_arrow_backed(column):
        return _one_array(pa.array(column), pa)
    objects = object_text(column)
    if objects is None:
        return None
    try:
        return pa.array(objects, type=pa.large_string(), from_pandas=True)
    except (pa.ArrowException, UnicodeEncodeError):
        return None  # lone surrogates have no UTF-8


def _one_array(array: Any, pa: Any) -> Any | None:
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        return None
    if not isinstance(array, pa.ChunkedArray):
        return array
    whole = array.combine_chunks()
    # more text than one array of its type can hold stays in several
    return None if isinstance(whole, pa.ChunkedArray) else whole


def null_mask(text: Any) -> npt.NDArray[np.bool_] | None:
    """Return where a text is missing, or None if none is."""
    return _as_mask(text.is_null()) if text.null_count else None


def _as_mask(flags: Any) -> npt.NDArray[np.bool_]:
    mask: npt.NDArray[np.bool_] = flags.to_numpy(zero_copy_only=False)
    return mask


def strip_white_space(text: Any) -> tuple[Any | None, npt.NDArray[np.bool_]]:
    """Return text without white space around it, and where that is certain.

    Arrow strips ASCII white space. Where a visible ASCII character then stands at both ends, or
    nothing at all, there was nothing else to strip. The text is None if nothing was stripped.
    """
    import pyarrow.compute as pc

    stripped = pc.ascii_trim_whitespace(text)
    same_length = pc.equal(pc.binary_length(stripped), pc.binary_length(text))
    # all() of nothing but nulls is null
    unchanged = pc.all(same_length).as_py() is not False
    return (None if unchanged else stripped), _has_visible_ends(stripped)


def _has_visible_ends(text: Any) -> npt.NDArray[np.bool_]:
    import pyarrow as pa

    if not len(text):
        return np.empty(0, dtype=bool)
    wide = pa.types.is_large_string(text.type)
    _, ends, content = text.buffers()
    offsets = np.frombuffer(ends, dtype=np.int64 if wide else np.int32)
    offsets = offsets[text.offset : text.offset + len(text) + 1]
    empty: npt.NDArray[np.bool_] = offsets[1:] == offsets[:-1]
    if content is None or not content.size:
        return empty
    data = np.frombuffer(content, dtype=np.uint8)
    first = data[np.minimum(offsets[:-1], len(data) - 1)]
    last = data[np.maximum(offsets[1:] - 1, 0)]
    visible = (first >= _FIRST_VISIBLE) & (first <= _LAST_VISIBLE)
    visible &= (last >= _FIRST_VISIBLE) & (last <= _LAST_VISIBLE)
    certain: npt.NDArray[np.bool_] = visible | empty
    return certain


def break_lengths(
    text: Any, low: int | None, high: int | None
) -> tuple[npt.NDArray[np.bool_] | None, npt.NDArray[np.bool_] | None]:
    """Return which texts are too short and which too long, in characters; None for none at all."""
    import pyarrow.compute as pc

    if (not low and high is None) or not len(text):
        return None, None
    # A text has at most as many characters as bytes.
    n_bytes = pc.binary_length(text)
    widest = pc.max(n_bytes).as_py()
    if not low and (widest is None or widest <= (high or 0)):
        return None, None
    lengths = pc.fill_null(pc.utf8_length(text), -1).to_numpy(zero_copy_only=False)
    known = lengths >= 0
    short = known & (lengths < low) if low else None
    long = known & (lengths > high) if high is not None else None
    return short, long


def match_pattern(text: Any, pattern: str) -> npt.NDArray[np.bool_] | None:
    """Return which texts RE2 finds a pattern in, or None if RE2 does not take it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        found = pc.match_substring_regex(text, pattern)
    except pa.ArrowException:
        return None
    return _as_mask(pc.fill_null(found, False))  # noqa: FBT003 - Arrow's signature


def distinct_of(text: Any) -> list[str | None]:
    """Return the distinct texts, None among them where one is missing.

    This alone costs a third of finding :func:`codes_of` as well.
    """
    values: list[str | None] = text.unique().to_pylist()
    return values


def codes_of(text: Any, values: list[str | None]) -> npt.NDArray[np.int64]:
    """Return for each text its place among the distinct ones."""
    import pyarrow as pa
    import pyarrow.compute as pc

    places = pc.index_in(text, value_set=pa.array(values, type=text.type))
    codes: npt.NDArray[np.int64] = places.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


def rows_of(text: Any, value: str | None) -> npt.NDArray[np.int64]:
    """Return where a text stands, or where one is missing for None."""
    import pyarrow.compute as pc

    found = pc.is_null(text) if value is None else pc.equal(text, value)
    return np.flatnonzero(_as_mask(pc.fill_null(found, False)))  # noqa: FBT003 - Arrow's signature


def text_column(text: Any, like: Any) -> Any:
    """Return text as a column of the dtype of another, or of pandas' own for objects."""
    import pandas as pd

    dtype = like.dtype if numpy_dtype(like) is None else text_dtype()
    if is_arrow_backed(like) or dtype == "str":
        return pd.array(text, dtype=dtype)
    return pd.Series(text.to_pylist(), dtype=dtype).array
