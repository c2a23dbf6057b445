"""Raw inputs as they are kept, and as a frame again: what arrived, before any cast."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml.features._cast_values import EPOCH, MICROSECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

__all__ = ["exact_cell", "frame_of_cells", "frame_of_records"]

_FOREIGN: Final = frozenset({"numpy", "pandas"})


def exact_cell(cell: Any, /) -> Any:
    """Return a cell, or the builtin of the same value: what can be stored."""
    kind = type(cell)
    if kind in _PLAIN or cell is None or kind is bool:
        return cell
    if kind.__module__.partition(".")[0] in _FOREIGN:
        if kind.__name__ == "Timestamp" and cell.tzinfo is UTC and not cell.nanosecond:
            return cell.to_pydatetime()  # the same moment, as a service has it
        return cell  # stored exactly, as what it is
    for base, plain in _PLAIN.items():
        if isinstance(cell, base):
            return plain(cell)
    return cell


def _plain_datetime(cell: datetime) -> datetime:
    return datetime.combine(cell.date(), cell.timetz())


#: Subclasses of these (enums, tagged numbers, other datetimes) are kept as the plain value. str()
#: of a member of an Enum would be its name.
_PLAIN: Final[dict[type, Callable[[Any], Any]]] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    datetime: _plain_datetime,
}


def frame_of_records(records: Sequence[Mapping[str, Any]], names: Sequence[str], /) -> pd.DataFrame:
    """Return records as the frame that a pipeline would have read; an absent key is None."""
    present = [name for name in names if any(name in record for record in records)]
    cells = {name: [record.get(name) for record in records] for name in present}
    return frame_of_cells(cells, len(records))


def frame_of_cells(columns: Mapping[str, Sequence[Any]], n_rows: int, /) -> pd.DataFrame:
    """Return columns of cells as a frame.

    Columns of one type get its dtype, as they have it in a frame that was read from a file.
    Whatever else stays as the objects it is made of, so that nothing is converted on the way.
    """
    import pandas as pd

    made = {name: _column_of(list(cells)) for name, cells in columns.items()}
    return pd.DataFrame(made, index=pd.RangeIndex(n_rows), copy=False)


def _column_of(cells: list[Any]) -> Any:
    import pandas as pd

    kinds = set(map(type, cells))
    try:
        if len(kinds) == 1 and (dtype := _DTYPES.get(*kinds)) is not None:
            return np.array(cells, dtype=dtype)
        if kinds == {datetime} and all(cell.tzinfo is UTC for cell in cells):
            counts = np.array([(cell - EPOCH) // MICROSECOND for cell in cells], dtype=np.int64)
            return pd.DatetimeIndex(counts.view("M8[us]")).tz_localize("UTC")
        if kinds and kinds <= {pd.Timestamp, type(pd.NaT)}:
            return pd.Series(cells)
    except (OverflowError, TypeError, ValueError):
        pass  # out of the range of the dtype, or of several time zones
    objects = np.empty(len(cells), dtype=np.object_)
    objects[:] = cells
    # pandas 3 would make its own text of objects
    return pd.Series(objects, dtype=object)


_DTYPES: Final[dict[type, type]] = {bool: np.bool_, float: np.float64, int: np.int64}
