"""Reading: the same batches each time, of equal length, with every row in one of them."""

from __future__ import annotations

import gzip
import io
import json
import lzma

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.batch import Batch, BatchReader, read_batches
from prodml.errors import FormatError

FRAME = pd.DataFrame(
    {"id": range(25), "name": [f"n{n % 7}" for n in range(25)], "x": np.linspace(0, 1, 25)}
)


def write(frame, path, **options):
    """Write a frame in the format that the name tells."""
    if ".parquet" in path.name:
        frame.to_parquet(path, index=False, **options)
    elif ".csv" in path.name:
        frame.to_csv(path, index=False, **options)
    else:
        frame.to_json(path, orient="records", lines=True, **options)
    return path


def joined(batches):
    """Return all rows of batches of frames as one frame."""
    return pd.concat([batch.data for batch in batches], ignore_index=True)


NAMES = [
    pytest.param("rows.parquet", marks=pytest.mark.needs_arrow),
    "rows.csv",
    "rows.csv.gz",
    "rows.jsonl",
    "rows.ndjson.bz2",
    "rows.jsonl.xz",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rows", [1, 7, 25, 100])
def test_a_file_comes_in_equal_pieces(tmp_path, name, rows):
    """Together they are the file; each but the last has as many rows as were asked for."""
    path = write(FRAME, tmp_path / name)
    options = {"csv": {"dtype": None}} if ".csv" in name else {}
    batches = list(read_batches(path, rows=rows, **options))

    pd.testing.assert_frame_equal(joined(batches), FRAME, check_dtype=False)
    sizes = [len(batch.data) for batch in batches]
    assert all(size == rows for size in sizes[:-1])
    assert 0 < sizes[-1] <= rows
    assert [batch.number for batch in batches] == list(range(len(batches)))
    assert [batch.first_row for batch in batches] == list(range(0, 25, rows))
    assert {batch.source for batch in batches} == {str(path)}


@pytest.mark.needs_arrow
@pytest.mark.parametrize("group", [1, 4, 10, 25])
def test_row_groups_make_no_difference(tmp_path, group):
    """A file that was written anew with other row groups holds the same batches."""
    path = write(FRAME, tmp_path / "rows.parquet", row_group_size=group)
    batches = list(read_batches(path, rows=10))

    assert [len(batch.data) for batch in batches] == [10, 10, 5]
    pd.testing.assert_frame_equal(joined(batches), FRAME)


@pytest.mark.needs_arrow
def test_a_gap_makes_no_floats(tmp_path):
    """Integers beyond 2**53 stay what they are, and every batch has the same dtypes."""
    big = 2**60 + 1
    frame = pd.DataFrame(
        {
            "with_gap": pd.array([big, big + 1, big + 2, None], dtype="Int64"),
            "small": pd.array([1, 2, None, 4], dtype="UInt8"),
            "flag": pd.array([True, False, None, True], dtype="boolean"),
            "whole": [1, 2, 3, 4],
        }
    )
    path = write(frame, tmp_path / "rows.parquet")
    first, second = (batch.data for batch in read_batches(path, rows=2))

    assert first["with_gap"].tolist() == [big, big + 1]
    assert second["with_gap"].tolist()[0] == big + 2
    assert second["with_gap"].isna().tolist() == [False, True]
    assert first.dtypes.astype(str).tolist() == second.dtypes.astype(str).tolist()
    assert first.dtypes.astype(str).tolist() == ["Int64", "UInt8", "boolean", "int64"]


def test_cells_of_a_csv_file_are_text(tmp_path):
    """What they mean does not depend on their neighbours; only an empty cell is missing."""
    path = tmp_path / "rows.csv"
    path.write_text("id,code\n1,007\n2,NA\n3,\n4,1e5\n", encoding="utf-8")
    codes = joined(read_batches(path, rows=2))["code"]

    assert codes.isna().tolist() == [False, False, True, False]
    assert codes.dropna().tolist() == ["007", "NA", "1e5"]


def test_options_for_csv_are_passed_on(tmp_path):
    """Separators, dtypes, dates."""
    path = tmp_path / "rows.txt"
    path.write_text("id;n\n1;2,5\n", encoding="utf-8")
    options = {"sep": ";", "decimal": ",", "dtype": {"id": "int64"}}
    (batch,) = read_batches(path, format="csv", csv=options)

    assert batch.data["id"].tolist() == [1]


def test_json_lines_keep_their_values(tmp_path):
    """Ints stay ints beside a gap, nested values stay nested, absent fields are missing."""
    path = tmp_path / "rows.jsonl"
    lines = [{"id": 2**60 + 1, "tags": ["a"]}, {"id": None}, {"tags": [], "new": 1.5}]
    path.write_text("\n\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    (batch,) = read_batches(path)

    assert batch.data["id"].tolist()[0] == 2**60 + 1
    assert isinstance(batch.data["id"].tolist()[0], int)
    assert batch.data["tags"].tolist()[::2] == [["a"], []]
    assert batch.data["new"].isna().tolist() == [True, True, False]


@pytest.mark.parametrize("name", NAMES)
def test_columns_are_chosen_and_ordered(tmp_path, name):
    """As they are asked for."""
    path = write(FRAME, tmp_path / name)
    (batch,) = read_batches(path, columns=["x", "id"])

    assert list(batch.data.columns) == ["x", "id"]


def test_several_files_are_read_one_after_the_other(tmp_path):
    """Numbers run through; rows are counted in each file. Hidden and strange files are left out."""
    for name in ("b.csv", "a.csv", ".hidden.csv", "_part.csv", "readme.txt"):
        write(FRAME, tmp_path / ("x.csv")).rename(tmp_path / name)
    for source in (tmp_path, [tmp_path / "a.csv", tmp_path / "b.csv"]):
        batches = list(read_batches(source, rows=20))
        assert [(batch.number, batch.first_row) for batch in batches] == [
            (0, 0), (1, 20), (2, 0), (3, 20),
        ]  # fmt: skip
        assert [batch.source for batch in batches] == [
            str(tmp_path / name) for name in ("a.csv", "a.csv", "b.csv", "b.csv")
        ]


def test_frames_are_cut_without_a_copy():
    """A slice looks at the memory of the frame."""
    frame = pd.DataFrame({"x": np.arange(10.0)})
    batches = list(read_batches(frame, rows=4))

    assert [len(batch.data) for batch in batches] == [4, 4, 2]
    assert np.shares_memory(batches[1].data["x"].to_numpy(), frame["x"].to_numpy())


def test_mappings_of_arrays_are_cut():
    """As tables are."""
    batches = list(read_batches({"a": np.arange(5), "b": np.arange(5) * 2}, rows=2))

    assert [batch.data["b"].tolist() for batch in batches] == [[0, 2], [4, 6], [8]]


@given(items=st.lists(st.integers(0, 4), max_size=12), rows=st.integers(1, 6))
def test_iterables_lose_nothing(items, rows):
    """Records are gathered; frames are passed on, long ones in pieces."""
    source = [pd.DataFrame({"n": range(one)}) if one % 2 else {"n": one} for one in items]
    batches = list(read_batches(iter(source), rows=rows))
    got = []
    for batch in batches:
        frame = isinstance(batch.data, pd.DataFrame)
        got += batch.data["n"].tolist() if frame else [one["n"] for one in batch.data]

    assert got == [n for one in items for n in (range(one) if one % 2 else [one])]
    assert all(0 < len(batch.data) <= rows for batch in batches)
    assert [batch.first_row for batch in batches] == np.cumsum(
        [0, *(len(batch.data) for batch in batches)]
    ).tolist()[:-1]


def test_a_generator_is_not_read_ahead():
    """One batch at a time."""
    read = []

    def source():
        for n in range(100):
            read.append(n)
            yield n

    next(iter(read_batches(source(), rows=3)))
    assert read == [0, 1, 2]


def test_readers_begin_anew(tmp_path):
    """And do not disturb each other."""
    reader = read_batches(write(FRAME, tmp_path / "rows.csv"), rows=10)
    first, second = iter(reader), iter(reader)
    next(first)

    assert next(second).first_row == 0
    assert next(first).first_row == 10
    assert len(list(reader)) == 3


def test_lengths_are_told_where_they_are_known(tmp_path):
    """For a progress bar, without reading."""
    assert read_batches(FRAME).n_rows == 25
    assert read_batches(range(7)).n_rows == 7
    assert read_batches([FRAME, FRAME]).n_rows is None
    assert read_batches(iter([1])).n_rows is None
    assert read_batches(write(FRAME, tmp_path / "rows.csv")).n_rows is None


@pytest.mark.needs_arrow
def test_parquet_tells_its_length(tmp_path):
    """In its footer."""
    path = write(FRAME, tmp_path / "rows.parquet")
    assert read_batches([path, path]).n_rows == 50


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", ""), ("rows.csv", "a,b\n"), ("rows.csv", "a,b\n\n\n"),
        ("rows.jsonl", ""), ("rows.jsonl", "\n \n"),
    ],
    ids=["csv", "header", "blank csv", "jsonl", "blank jsonl"],
)  # fmt: skip
def test_an_empty_file_has_no_batches(tmp_path, name, content):
    """With a header or without."""
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert list(read_batches(path)) == []
    assert list(read_batches([])) == []


@pytest.mark.needs_arrow
def test_a_parquet_file_without_rows_has_no_batches(tmp_path):
    """Its columns alone are no record."""
    assert list(read_batches(write(FRAME.head(0), tmp_path / "rows.parquet"))) == []


def test_a_bad_line_loses_nothing_before_it(tmp_path):
    """The error says where it is, and no value of it."""
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n{"a": 2}\n{"a": secret}\n', encoding="utf-8")
    batches = iter(read_batches(path, rows=2))

    assert next(batches).data["a"].tolist() == [1, 2]
    with pytest.raises(FormatError, match=r"^Line 3 of .* holds no JSON") as caught:
        next(batches)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "options", "match"),
    [
        ('"a,b\n1,2', {}, "CSV"),
        ("a,b\n1,2\n1,2,3\n", {}, "CSV"),
        ("a\nx\n", {"csv": {"dtype": {"a": "int64"}}}, "as asked"),
        ("a\n1\n", {"columns": ["b"]}, "as asked"),
    ],
    ids=["quote", "width", "dtype", "column"],
)
def test_what_is_no_csv_says_so(tmp_path, content, options, match):
    """With the file and how far it was read."""
    path = tmp_path / "rows.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(FormatError, match=match) as caught:
        list(read_batches(path, **options))
    assert str(path) in str(caught.value)


def test_lines_that_are_no_objects_say_so(tmp_path):
    """A list is no record."""
    path = tmp_path / "rows.jsonl"
    path.write_text("[1]\n", encoding="utf-8")
    with pytest.raises(FormatError, match="a JSON list, no object"):
        list(read_batches(path))


@pytest.mark.parametrize(
    ("source", "options", "error", "match"),
    [
        ("absent.csv", {}, FileNotFoundError, "absent.csv"),
        (FRAME, {"rows": 0}, ValueError, "`rows`"),
        (FRAME, {"rows": True}, ValueError, "`rows`"),
        (FRAME, {"format": "xlsx"}, ValueError, "`format`"),
        (FRAME, {"columns": "id"}, TypeError, "`columns`"),
        (FRAME, {"csv": {"chunksize": 3}}, ValueError, "chunksize"),
        (7, {}, TypeError, "`source`"),
        ("absent.csv", {"csv": 7}, TypeError, "`csv` must be a mapping"),
        (FRAME, {"columns": ["id"]}, ValueError, "`columns` says how files are read"),
        ([{"id": 1}], {"csv": {"sep": ";"}}, ValueError, "`csv` says how files are read"),
        (iter([1]), {"format": "csv"}, ValueError, "`format` says how files are read"),
        (io.StringIO("a\n1\n"), {}, TypeError, "open file"),
        (io.BytesIO(b"a\n1\n"), {}, TypeError, "open file"),
    ],
    ids=range(13),
)
def test_bad_arguments_are_refused_at_once(source, options, error, match):
    """Not when the first batch is asked for."""
    with pytest.raises(error, match=match):
        read_batches(source, **options)


def test_a_name_that_tells_nothing_is_refused(tmp_path):
    """With what to say instead."""
    path = tmp_path / "rows.dat"
    path.write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match="format='csv'"):
        read_batches(path)
    assert list(read_batches(path, format="jsonl")) == []


def test_text_that_is_half_a_character_is_read(tmp_path):
    """JSON allows it, and programs that cut text write it."""
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": "\\ud83d"}\n', encoding="utf-8")
    (batch,) = read_batches(path)

    assert batch.data["a"].tolist() == ["\ud83d"]


@pytest.mark.parametrize(
    "line", ["[" * 100_000, "\xff", "1" * 10_000], ids=["deep", "code", "long"]
)
def test_a_line_that_no_parser_takes_says_so(tmp_path, line):
    """Whatever the parser says of it."""
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"a": {line}}}\n', encoding="latin-1")
    with pytest.raises(FormatError, match=r"^Line 1 of .* holds no JSON"):
        list(read_batches(path))


@pytest.mark.needs_arrow
def test_a_column_that_is_there_twice_is_not_chosen(tmp_path):
    """Nobody knows which of them is meant."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    pq.write_table(table, tmp_path / "rows.parquet")
    with pytest.raises(FormatError, match=r"more than one column called \['a'\]"):
        list(read_batches(tmp_path / "rows.parquet", columns=["a"]))


@pytest.mark.needs_arrow
def test_numbers_in_nested_columns_do_not_depend_on_their_neighbours(tmp_path):
    """A gap makes no floats of integers in lists, structs and maps."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    big = 2**60 + 1
    table = pa.table(
        {
            "list": [[big, None], [big]],
            "struct": [{"x": big}, {"x": None}],
            "map": pa.array([[("k", big), ("l", None)], []], pa.map_(pa.string(), pa.int64())),
        }
    )
    pq.write_table(table, tmp_path / "rows.parquet")
    (batch,) = read_batches(tmp_path / "rows.parquet")

    assert [list(cell) for cell in batch.data["list"]] == [[big, None], [big]]
    assert batch.data["struct"].tolist() == [{"x": big}, {"x": None}]
    assert batch.data["map"].tolist() == [[("k", big), ("l", None)], []]


def test_compressed_files_are_those_of_other_tools(tmp_path):
    """Written by the standard library, read here."""
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"a": 1}\n'))
    (tmp_path / "b.jsonl.xz").write_bytes(lzma.compress(b'{"a": 2}\n'))

    assert joined(read_batches(tmp_path))["a"].tolist() == [1, 2]


def test_a_reader_shows_itself(tmp_path):
    """In a line."""
    assert repr(read_batches(FRAME, rows=5)) == "BatchReader(DataFrame, rows=5)"
    path = write(FRAME, tmp_path / "rows.csv")
    assert repr(read_batches([path])) == "BatchReader(1 files, rows=100000)"
    assert isinstance(read_batches(FRAME), BatchReader)
    assert all(isinstance(batch, Batch) for batch in read_batches(FRAME))
