"""Folders of files: nothing in them is passed over that may hold records."""

from __future__ import annotations

import pytest

from prodml.batch import read_batches


@pytest.mark.parametrize(
    "name",
    ["b.csv.zip", "b.jsonl.zst", "b.parquet.gz", "B.CSV.TAR", "b.csv.tar.gz", "v1.2.csv.zip"],
)
def test_a_folder_leaves_out_no_rows_that_it_could_not_unpack(tmp_path, name):
    """A file that is named as records are is read or refused."""
    (tmp_path / "a.csv").write_text("a\n1\n", encoding="utf-8")
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match=rf"{name}' does not tell"):
        read_batches(tmp_path)


@pytest.mark.parametrize("name", ["rows.dat", "year=2026/rows.csv"])
def test_a_folder_with_nothing_to_read_is_refused(tmp_path, name):
    """A job that reads nothing would report success; an empty folder may be right."""
    (tmp_path / ".hidden").write_bytes(b"")
    assert list(read_batches(tmp_path)) == []

    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="Folders in it are not read"):
        read_batches(tmp_path)
