"""A file is there in whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from prodml._core.files import write_atomically


def test_a_file_takes_its_name_when_it_is_whole(tmp_path):
    """Until the block ends, a reader sees what was there before."""
    path = tmp_path / "out.txt"
    path.write_text("old", encoding="utf-8")

    with write_atomically(path) as file:
        file.write("né\nw")
        assert path.read_text(encoding="utf-8") == "old"

    assert path.read_bytes() == b"n\xc3\xa9\nw"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_the_old_file_and_no_other(tmp_path):
    """Half a file is none, and nothing is left to clean up."""
    path = tmp_path / "out.bin"
    path.write_bytes(b"old")

    with pytest.raises(TypeError), write_atomically(path, binary=True) as file:
        file.writelines([b"half", None])

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_may_be_read_as_any_other(tmp_path):
    """The mask of the process decides, as for every file."""
    with write_atomically(tmp_path / "ours") as file:
        file.write("x")
    (tmp_path / "other").write_text("x", encoding="utf-8")

    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ours", "other")}
    assert len(modes) == 1


def test_a_missing_folder_is_an_error(tmp_path):
    """Folders are the caller's."""
    with pytest.raises(FileNotFoundError), write_atomically(tmp_path / "no" / "x"):
        pass


def test_the_name_is_on_the_disk_before_the_call_returns(tmp_path, monkeypatch):
    """First the bytes are synchronised, then the file is renamed, then its folder."""
    done = []
    real_sync, real_replace = os.fsync, os.replace

    def note_sync(descriptor):
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real_sync(descriptor)

    def note_replace(*names):
        done.append("rename")
        real_replace(*names)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "replace", note_replace)
    with write_atomically(tmp_path / "x") as file:
        file.write("x")

    assert done == ["file", "rename", "folder"]


def test_a_draft_that_cannot_be_removed_does_not_hide_the_error(tmp_path, monkeypatch):
    """A disk that turned read-only refuses both; what came first says why."""

    def refuse(*_names, **_options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuse)
        with pytest.raises(TypeError), write_atomically(tmp_path / "x") as file:
            file.writelines(["half", None])
    assert not (tmp_path / "x").exists()
