"""Files that are not quite what they should be: told, never read as something else."""

from __future__ import annotations

import bz2
import gzip
import lzma

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.batch import read_batches
from prodml.errors import FormatError


@pytest.mark.parametrize("text", ["a,b\n1,2,3\n4,5,6\n", "a,b\n1,2,\n3,4,\n"], ids=["cell", "end"])
@pytest.mark.parametrize("options", [{}, {"columns": ["a"]}], ids=["all", "chosen"])
def test_rows_wider_than_their_header_are_refused(tmp_path, text, options):
    """Pandas makes an index of their first column, and names each of the others wrongly."""
    path = tmp_path / "rows.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match="more cells than its header has names"):
        list(read_batches(path, **options))


def test_rows_that_end_in_a_delimiter_are_read_when_asked_for(tmp_path):
    """As the error says."""
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,2,\n", encoding="utf-8")
    (batch,) = read_batches(path, csv={"index_col": False})

    assert batch.data.to_dict("list") == {"a": ["1"], "b": ["2"]}


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_dtype_for_one_column_leaves_the_others_text(tmp_path, rows):
    """Guessed, they would have another type in each batch, and 007 would be 7."""
    path = tmp_path / "rows.csv"
    path.write_text("id,code\n1,007\n2,\n3,abc\n", encoding="utf-8")
    batches = list(read_batches(path, rows=rows, csv={"dtype": {"id": "int64"}}))
    codes = [code for batch in batches for code in batch.data["code"].tolist()]

    assert {str(batch.data["id"].dtype) for batch in batches} == {"int64"}
    assert [codes[0], codes[2]] == ["007", "abc"]
    assert pd.isna(codes[1])


PACKED = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
LINES = {
    "csv": b"a\n" + b"".join(b"%d\n" % n for n in range(50_000)),
    "jsonl": b"".join(b'{"a": %d}\n' % n for n in range(50_000)),
}


@pytest.mark.parametrize("suffix", PACKED)
@pytest.mark.parametrize("kind", LINES)
def test_a_file_that_is_cut_off_says_so(tmp_path, kind, suffix):
    """The batches before were given."""
    path = tmp_path / f"rows.{kind}.{suffix}"
    whole = PACKED[suffix](LINES[kind])
    path.write_bytes(whole[: len(whole) * 3 // 4])
    got = []
    with pytest.raises(FormatError, match="is damaged") as caught:
        got.extend(int(cell) for batch in read_batches(path, rows=10) for cell in batch.data["a"])

    assert got == list(range(len(got)))
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("suffix", PACKED)
@pytest.mark.parametrize("kind", LINES)
def test_a_file_that_is_not_compressed_says_so(tmp_path, kind, suffix):
    """Its name is wrong."""
    path = tmp_path / f"rows.{kind}.{suffix}"
    path.write_bytes(LINES[kind])
    with pytest.raises(FormatError, match="not compressed as its name says"):
        list(read_batches(path))


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path):
    """Nor of the name of the first column."""
    for name, text in {"rows.jsonl": '{"a": "1"}\n', "rows.csv": "a\n1\n"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8-sig")
        (batch,) = read_batches(tmp_path / name)
        assert batch.data.to_dict("list") == {"a": ["1"]}


def test_a_format_counts_for_all_files_of_a_folder(tmp_path):
    """Names without a suffix would else be left out, and nobody would know."""
    for name in ("part-1", "part-0", ".hidden", "_SUCCESS"):
        (tmp_path / name).write_text(f"name\n{name}\n", encoding="utf-8")
    batches = list(read_batches(tmp_path, format="csv"))

    assert [batch.data["name"].tolist() for batch in batches] == [["part-0"], ["part-1"]]


@pytest.mark.needs_arrow
class TestParquet:
    """Files of columns."""

    FRAME = pd.DataFrame({"a": range(1000), "b": np.linspace(0, 1, 1000)})

    @pytest.mark.parametrize("damage", ["text", "cut", "page"])
    def test_a_damaged_file_says_so(self, tmp_path, damage):
        """Also when it is asked for its length, as far as that needs what is damaged."""
        path = tmp_path / "rows.parquet"
        self.FRAME.to_parquet(path, compression=None)
        whole = path.read_bytes()
        content = {
            "text": b"a,b\n1,2\n",
            "cut": whole[:-100],
            "page": whole[:4] + bytes(40) + whole[44:],
        }
        path.write_bytes(content[damage])
        with pytest.raises(FormatError, match="cannot be read as Parquet behind row 0"):
            list(read_batches(path))
        if damage != "page":
            with pytest.raises(FormatError, match="cannot be read as Parquet"):
                read_batches(path).n_rows  # noqa: B018 - a property that reads

    def test_a_file_that_is_gone_is_not_damaged(self, tmp_path):
        """What the system says is passed on."""
        path = tmp_path / "rows.parquet"
        self.FRAME.to_parquet(path)
        reader = read_batches(path)
        path.unlink()
        with pytest.raises(FileNotFoundError):
            list(reader)
        with pytest.raises(FileNotFoundError):
            reader.n_rows  # noqa: B018 - a property that reads

    def test_a_column_that_is_not_there_says_so(self, tmp_path):
        """With those that are."""
        path = tmp_path / "rows.parquet"
        self.FRAME.to_parquet(path)
        with pytest.raises(FormatError, match=r"no columns \['c'\]. It has \['a', 'b'\]"):
            list(read_batches(path, columns=["a", "c"]))

    def test_an_index_without_a_name_is_no_column(self, tmp_path):
        """Labels do not count; one with a name may be the key, and stays."""
        shuffled = self.FRAME.iloc[[2, 0, 1]]
        for name, columns in ((None, ["a", "b"]), ("id", ["a", "b", "id"])):
            path = tmp_path / "rows.parquet"
            shuffled.rename_axis(name).to_parquet(path)
            (batch,) = read_batches(path)
            assert list(batch.data.columns) == columns


@pytest.mark.parametrize(
    "source",
    [{"a": [1, 2]}, {"a": 1}, {}, b"rows.csv", bytearray(b"x"), {"a": np.zeros((2, 2))}],
    ids=["lists", "record", "nothing", "bytes", "bytearray", "matrix"],
)
def test_what_holds_no_records_is_refused(source):
    """The names of a record are no records, nor are the numbers of bytes."""
    with pytest.raises(TypeError, match="`source` must be a frame, a mapping of arrays"):
        read_batches(source)


@given(st.integers(1, 8), st.integers(1, 4))
def test_rows_out_of_a_frame_are_whole_records(n, rows):
    """A Series has positions as a frame has, and is one record all the same."""
    frame = pd.DataFrame({"a": range(n), "b": [f"x{one}" for one in range(n)]})
    source = [row for _, row in frame.iterrows()]
    reader = read_batches(source, rows=rows)
    got = [record for batch in reader for record in batch.data]

    assert [record.to_dict() for record in got] == frame.to_dict("records")
    assert reader.n_rows == n
