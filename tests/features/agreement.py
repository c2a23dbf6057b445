"""Fitted features in every way, compared bit by bit: a frame, records one by one, and several."""

from __future__ import annotations

import numpy as np
import pandas as pd


def words(matrix):
    """Return the bits of floats; every NaN the same."""
    matrix = np.ascontiguousarray(matrix, dtype=np.float64)
    return np.where(np.isnan(matrix), np.int64(-1), matrix.view(np.int64))


def records_of(frame):
    """Return the rows of a frame as plain records; what is missing is None."""
    names = list(frame.columns)
    columns = [frame.iloc[:, at].tolist() for at in range(len(names))]
    return [
        {name: None if pd.isna(cell) else cell for name, cell in zip(names, row, strict=True)}
        for row in zip(*columns, strict=True)
    ]


def assert_agrees(fitted, frame):
    """Check that a frame, single records, few and many records give the same bits.

    Return what the frame gave.
    """
    matrix = fitted.transform(frame)
    records = records_of(frame)
    assert matrix.shape == (len(frame), len(fitted.columns))
    for row, record in enumerate(records):
        one = fitted.transform_one(record)
        assert one.dtype == np.float64
        np.testing.assert_array_equal(words(one), words(matrix[row]), str((row, record)))
    few = [matrix[:0]]
    few += [fitted.transform_many(records[at : at + 7]) for at in range(0, len(records), 7)]
    np.testing.assert_array_equal(words(np.concatenate(few)), words(matrix))
    while 0 < len(records) < 40:
        records = records * 2
        matrix = np.concatenate([matrix, matrix])
    np.testing.assert_array_equal(words(fitted.transform_many(records)), words(matrix))
    return fitted.transform(frame)
