"""Columns that lie in Arrow, as columns of one plain type. Text stays where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.canonical_objects import object_array, plain_objects
from prodml._core.canonical_plain import (
    NO_VALUES,
    PlainColumn,
    filled,
    no_moments,
    plain_numpy,
    plain_times,
)
from prodml._core.canonical_scalars import DATE, DURATION, MOMENT, NANOSECONDS, TEXT, TIME

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["plain_arrow", "text_buffers"]

_MS_OF_DAY: Final = 86_400_000
_NEVER: Final = -(2**63)


def plain_arrow(column: Any, /) -> PlainColumn:
    """Return a column of pandas that is backed by Arrow as a plain column.

    Raises
    ------
    Unreadable
        If its values have no canonical bytes.
    """
    import pyarrow as pa

    array = pa.array(column)
    chunked = array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
    if pa.types.is_dictionary(chunked.type):
        chunked = chunked.cast(chunked.type.value_type)
    if chunked.null_count == len(chunked):
        return NO_VALUES
    missing = chunked.is_null().to_numpy() if chunked.null_count else None
    kind = chunked.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return PlainColumn(TEXT, chunked if missing is None else chunked.fill_null(""), missing)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return plain_numpy(_numpy_of(chunked, pa), missing)
    if pa.types.is_temporal(kind):
        return _plain_temporal(chunked, missing, pa)
    cells = chunked.to_pylist()
    return plain_objects(object_array(cells, len(cells)).tolist())


def _numpy_of(chunked: Any, pa: Any) -> npt.NDArray[Any]:
    if pa.types.is_float16(chunked.type):  # Arrow does little with them
        chunked = chunked.cast(pa.float32())
    if chunked.null_count:
        chunked = chunked.fill_null(False if pa.types.is_boolean(chunked.type) else 0)
    values: npt.NDArray[Any] = chunked.to_numpy()
    return values


def _plain_temporal(chunked: Any, missing: npt.NDArray[np.bool_] | None, pa: Any) -> PlainColumn:
    kind = chunked.type
    if pa.types.is_timestamp(kind) and kind.tz is None:
        return no_moments(np.zeros(len(chunked), dtype=bool) if missing is None else missing)
    if not (pa.types.is_timestamp(kind) or pa.types.is_duration(kind)):
        narrow = pa.types.is_date32(kind) or pa.types.is_time32(kind)
        chunked = chunked.cast(pa.int32()) if narrow else chunked
    words = chunked.cast(pa.int64())
    if missing is not None:
        words = words.fill_null(_NEVER)
    counts = words.to_numpy()
    if pa.types.is_date(kind):
        days = counts // _MS_OF_DAY if pa.types.is_date64(kind) else counts
        return filled(DATE, days, missing)
    if pa.types.is_time(kind):
        return plain_times(TIME, counts, NANOSECONDS[kind.unit])
    tag = MOMENT if pa.types.is_timestamp(kind) else DURATION
    return plain_times(tag, counts, NANOSECONDS[kind.unit])


def text_buffers(chunked: Any, /) -> tuple[npt.NDArray[np.int64], list[memoryview]]:
    """Return the lengths of texts in bytes, and the bytes of all of them, chunk by chunk.

    Parameters
    ----------
    chunked : pyarrow.ChunkedArray
        Of string or large_string, without nulls.
    """
    import pyarrow as pa

    width = np.int64 if pa.types.is_large_string(chunked.type) else np.int32
    lengths, contents = [], []
    for chunk in chunked.chunks:
        if not len(chunk):
            continue
        _, ends, content = chunk.buffers()
        offsets = np.frombuffer(ends, dtype=width)[chunk.offset : chunk.offset + len(chunk) + 1]
        lengths.append(np.diff(offsets).astype("<i8"))
        if content is not None:
            contents.append(memoryview(content)[int(offsets[0]) : int(offsets[-1])])
    return np.concatenate(lengths), contents
