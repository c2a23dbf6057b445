"""Tables of any container as columns with labels."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from prodml._core.columns import columns_of

__all__ = ["LabelledColumns", "labelled_columns"]


class LabelledColumns(NamedTuple):
    """A table by its columns.

    Attributes
    ----------
    columns : list of (label, column)
        Labels may repeat.
    n_rows : int
        The number of rows; of the first column, where columns differ in length.
    """

    columns: list[tuple[Any, Any]]
    n_rows: int


def labelled_columns(data: Any, /) -> LabelledColumns | None:
    """Return the columns of a table, or None for anything that is no table.

    Parameters
    ----------
    data : object
        A pandas DataFrame, whose index does not count, or a mapping of labels to one-dimensional
        arrays, Series or extension arrays. A mapping that holds anything else, a list too, is a
        record.

    Examples
    --------
    >>> import numpy as np
    >>> labelled_columns({"a": np.array([1, 2])}).n_rows
    2
    >>> labelled_columns({"a": 1, "tags": ["x", "y"]}) is None
    True
    """
    if type(data) is dict or isinstance(data, Mapping):
        for values in data.values():
            if getattr(values, "ndim", 0) != 1:
                return None
        if not data:
            return None
        columns = list(data.items())
        return LabelledColumns(columns, len(columns[0][1]))
    # A frame can only exist where pandas has been imported.
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(data, pandas.DataFrame):
        return None
    return LabelledColumns(list(zip(data.columns, columns_of(data), strict=True)), len(data))
