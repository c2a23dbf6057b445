"""Reading in pieces gives what reading at once gives, for any content and any length of piece."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.batch import read_batches

ROWS = st.integers(1, 9)
#: NUL is left out: before its third version pandas ends a cell with it.
TEXTS = st.text(
    st.one_of(st.sampled_from(' ,;"\n\r\t\\aé😀'), st.characters(exclude_categories=["Cs", "Cc"])),
    max_size=6,
)
WHOLE = st.integers(-(2**63), 2**63 - 1)
MAYBE_WHOLE = st.none() | WHOLE
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | WHOLE | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=5,
)


def pieces(content, name, **options):
    """Return the batches of a file with some content."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return list(read_batches(path, **options))


def check_lengths(batches, n_rows, rows):
    """All pieces are full but the last, and together they have all rows."""
    sizes = [len(batch.data) for batch in batches]
    full, rest = divmod(n_rows, rows)
    assert sizes == [rows] * full + [rest] * (rest > 0)
    assert [batch.first_row for batch in batches] == [n * rows for n in range(len(sizes))]


@given(cells=st.lists(st.tuples(TEXTS, TEXTS), max_size=20), rows=ROWS)
def test_csv_in_pieces_is_csv_at_once(cells, rows):
    """Each cell is the text that another program wrote; only what was empty is missing."""
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *cells])
    batches = pieces(file.getvalue().encode(), "rows.csv", rows=rows)
    read = [
        tuple("" if pd.isna(cell) else cell for cell in row)
        for batch in batches
        for row in batch.data.itertuples(index=False, name=None)
    ]

    assert read == cells
    check_lengths(batches, len(cells), rows)


@given(values=st.lists(JSON_VALUES, max_size=20), rows=ROWS)
def test_json_lines_in_pieces_are_those_at_once(values, rows):
    """Each value is what the standard library reads, and of the same type."""
    lines = [json.dumps({"a": value}) for value in values]
    batches = pieces("\n".join(lines).encode(), "rows.jsonl", rows=rows)
    read = [value for batch in batches for value in batch.data["a"].tolist()]

    for value, line in zip(read, lines, strict=True):
        expected = json.loads(line)["a"]
        if expected is None:
            assert value is None or value is pd.NA or value != value  # noqa: PLR0124 - NaN
        else:
            assert (type(value), value) == (type(expected), expected)
    check_lengths(batches, len(values), rows)


@pytest.mark.needs_arrow
@given(
    wholes=st.lists(MAYBE_WHOLE, max_size=20),
    nested=st.lists(st.none() | st.lists(MAYBE_WHOLE, max_size=3), min_size=20, max_size=20),
    rows=ROWS,
    group=st.integers(1, 9),
)
def test_parquet_in_pieces_is_parquet_at_once(wholes, nested, rows, group):
    """Integers stay what they are to the last digit, alone and in lists, beside any gap."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    nested = nested[: len(wholes)]
    table = pa.table(
        {"whole": pa.array(wholes, pa.int64()), "list": pa.array(nested, pa.list_(pa.int64()))}
    )
    file = io.BytesIO()
    pq.write_table(table, file, row_group_size=group)
    batches = pieces(file.getvalue(), "rows.parquet", rows=rows)
    read = [
        (None if pd.isna(whole) else whole, None if cell is None else list(cell))
        for batch in batches
        for whole, cell in zip(batch.data["whole"], batch.data["list"], strict=True)
    ]

    assert read == list(zip(wholes, nested, strict=True))
    assert len({str(batch.data["whole"].dtype) for batch in batches}) <= 1
    check_lengths(batches, len(wholes), rows)
