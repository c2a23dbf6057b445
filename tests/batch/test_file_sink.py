"""What a file sink writes is what its reader gives: no row more, no digit less."""

from __future__ import annotations

import errno
import os
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.batch import BatchOutput, FileSink
from prodml.batch._tabular import to_rows
from prodml.errors import StorageError

FORMATS = [pytest.param("parquet", marks=pytest.mark.needs_arrow), "csv", "jsonl"]
KEYS = [b"k1:" + bytes([number]) * 32 for number in range(3)]


def written(folder, kind, data):
    """Write one output and return what is read."""
    sink = FileSink(folder, format=kind)
    sink.write([BatchOutput(KEYS[0], 0, data)])
    return list(sink.read(KEYS[:1]))


#: The first character keeps pandas from taking text for a number, or an empty cell for none. No
#: NUL, as which a text ends that pandas 2 reads out of CSV.
TEXT = st.text(alphabet="ab ,;\"\r\n\t'\\#\x0b\x85\u2028é", max_size=6).map(lambda text: "x" + text)


class TestCells:
    """They come back as they went."""

    @pytest.mark.parametrize("kind", FORMATS)
    @given(cells=st.lists(st.tuples(TEXT, st.none() | TEXT), min_size=1, max_size=4))
    def test_text_stays_in_its_cell(self, tmp_path_factory, kind, cells):
        """Whatever ends a line or a cell elsewhere."""
        frame = pd.DataFrame(cells, columns=["first", "se\rcond"])
        (read,) = written(tmp_path_factory.mktemp("text"), kind, frame)

        assert to_rows(read) == to_rows(frame)

    @pytest.mark.parametrize("kind", FORMATS)
    def test_a_carriage_return_ends_no_row(self, tmp_path, kind):
        """Python before 3.13 left it without quotes in CSV, and a reader saw two rows."""
        data = {"id": np.array([1, 2]), "text": np.array(["a\rb", "c"], dtype=object)}
        (read,) = written(tmp_path, kind, data)

        assert read["id"].tolist() == [1, 2]
        assert read["text"].tolist() == ["a\rb", "c"]

    @pytest.mark.parametrize("kind", FORMATS)
    @given(
        cells=st.lists(st.none() | st.integers(1 - 2**63, 2**63 - 1), min_size=1).filter(
            lambda cells: any(cell is not None for cell in cells)
        )
    )
    def test_whole_numbers_keep_each_digit(self, tmp_path_factory, kind, cells):
        """Also beside a missing one, where a float would have to do.

        Not the smallest of all, which stands for a missing one where pandas 2 reads CSV.
        """
        frame = pd.DataFrame({"id": pd.array(cells, dtype="Int64"), "other": "x"})
        (read,) = written(tmp_path_factory.mktemp("whole"), kind, frame)

        assert to_rows(read) == to_rows(frame)

    @pytest.mark.parametrize("kind", FORMATS)
    def test_types_do_not_hang_on_what_is_missing(self, tmp_path, kind):
        """Numbers are nullable where they have to be, and floats stay floats."""
        columns = {
            "whole": pd.array([2**60 + 1, None], dtype="Int64"),
            "truth": pd.array([True, None], dtype="boolean"),
            "float": np.array([2.0, np.nan]),
            "full": np.array([1, 2]),
        }
        (read,) = written(tmp_path, kind, pd.DataFrame(columns))
        dtypes = {name: str(dtype) for name, dtype in read.dtypes.items()}

        assert dtypes == {
            "whole": "Int64",
            "truth": "boolean",
            "float": "float64",
            "full": "int64",
        }
        assert to_rows(read)[1] == [(2**60 + 1, True, 2.0, 1), (None, None, None, 2)]

    def test_text_of_digits_is_a_number_in_csv(self, tmp_path):
        """As documented: the file does not say which it was."""
        (read,) = written(tmp_path, "csv", [{"code": "007", "word": "007a"}])

        assert read.to_dict("records") == [{"code": 7, "word": "007a"}]


class TestBatches:
    """Each is one file."""

    @pytest.mark.parametrize("kind", FORMATS)
    @pytest.mark.parametrize(
        "data", [None, [], pd.DataFrame({"id": [], "x": []})], ids=["none", "list", "frame"]
    )
    def test_batches_without_rows_are_passed_over(self, tmp_path, kind, data):
        """In every format: a reader gets a frame for each batch that has rows."""
        sink = FileSink(tmp_path, format=kind)
        given = [data, [{"id": 1}], data]
        sink.write([BatchOutput(key, 0, one) for key, one in zip(KEYS, given, strict=True)])

        assert [frame["id"].tolist() for frame in sink.read(KEYS)] == [[1]]
        assert all(sink.path_of(key).exists() for key in KEYS)

    def test_what_no_key_names_is_not_read(self, tmp_path):
        """A file whose batch was never marked as done, for one."""
        sink = FileSink(tmp_path, format="jsonl")
        sink.write([BatchOutput(key, 0, [{"id": at}]) for at, key in enumerate(KEYS)])

        assert [frame["id"].tolist() for frame in sink.read([KEYS[2], KEYS[0]])] == [[2], [0]]

    @pytest.mark.parametrize("kind", FORMATS)
    def test_processes_may_write_one_batch_at_once(self, tmp_path, kind):
        """The file is whole, and no draft is left."""
        sink = FileSink(tmp_path, format=kind)
        context = get_context("spawn")
        workers = [context.Process(target=_write_often, args=(sink,)) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

        assert [worker.exitcode for worker in workers] == [0, 0]
        assert list(tmp_path.iterdir()) == [sink.path_of(KEYS[0])]
        assert next(sink.read(KEYS[:1]))["id"].tolist() == list(range(100))


def _write_often(sink):
    for _ in range(20):
        sink.write([BatchOutput(KEYS[0], 0, [{"id": at} for at in range(100)])])


class TestFolders:
    """Where files cannot go, that is what the error says."""

    def test_a_folder_that_has_become_a_file_is_an_error_of_storage(self, tmp_path):
        """Neither the draft nor its removal may bring another one."""
        sink = FileSink(tmp_path / "out", format="csv")
        (tmp_path / "out").rmdir()
        (tmp_path / "out").write_text("mine", encoding="utf-8")
        with pytest.raises(StorageError, match="Not a directory") as caught:
            sink.write([BatchOutput(KEYS[0], 0, [{"id": 1}])])

        assert caught.value.location == str(tmp_path / "out")
        assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"

    @pytest.mark.parametrize(
        "code", [errno.EROFS, errno.EACCES, errno.EIO], ids=errno.errorcode.get
    )
    def test_drafts_that_cannot_be_removed_hide_nothing(self, tmp_path, monkeypatch, code):
        """A disk that turned read-only refuses that as well; the others are removed."""
        sink = FileSink(tmp_path, format="csv")
        outputs = [BatchOutput(key, 0, [{"id": 1}]) for key in KEYS]
        real, stuck = Path.unlink, []

        def fail(*_names, **_options):
            raise OSError(code, os.strerror(code))

        def remove(self, **options):
            if not stuck:
                stuck.append(self)
                fail()
            real(self, **options)

        with monkeypatch.context() as patched:
            patched.setattr(Path, "replace", fail)
            patched.setattr(Path, "unlink", remove)
            with pytest.raises(StorageError, match=os.strerror(code)):
                sink.write(outputs)
        assert list(tmp_path.iterdir()) == stuck
        assert sink.sweep(older_than=-60.0) == 1

    def test_an_interrupt_stays_one(self, tmp_path, monkeypatch):
        """And leaves nothing, also of what was written before it."""
        sink, n_synced = FileSink(tmp_path, format="csv"), []

        def interrupt_the_second(descriptor):
            n_synced.append(descriptor)
            if len(n_synced) == 2:
                raise KeyboardInterrupt

        monkeypatch.setattr(os, "fsync", interrupt_the_second)
        with pytest.raises(KeyboardInterrupt):
            sink.write([BatchOutput(key, 0, [{"id": 1}]) for key in KEYS])
        assert len(n_synced) == 2
        assert list(tmp_path.iterdir()) == []
