"""Files that are either there in whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "DRAFT_SUFFIX",
    "discard_draft",
    "draft_of",
    "make_folder",
    "sync_folder",
    "write_atomically",
    "write_draft",
]

#: Ends the names of files that are being written; they begin with a dot.
DRAFT_SUFFIX: Final = ".tmp"

#: What a file system says that does not do this for folders.
_CANNOT: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF})


@contextmanager
def write_atomically(path: str | os.PathLike[str], /, *, binary: bool = False) -> Iterator[IO[Any]]:
    """Yield a file that takes its name when the block ends, and leaves nothing on an error.

    A reader sees the old content or the new, also after a loss of power: the bytes are on the
    disk before the name is, and the name before the call returns.

    Parameters
    ----------
    path : str or os.PathLike
        Where the file will stand; its folder must exist.
    binary : bool, default False
        Otherwise text, in UTF-8 with plain newlines.
    """
    target = Path(path)
    draft = draft_of(target)
    try:
        with write_draft(draft, binary=binary) as file:
            yield file
        draft.replace(target)
    except BaseException:
        discard_draft(draft)
        raise
    sync_folder(target.parent)


def draft_of(target: Path, /) -> Path:
    """Return a name beside a file that nobody else uses, for what is to become that file."""
    return target.with_name(f".{target.name}.{secrets.token_hex(8)}{DRAFT_SUFFIX}")


@contextmanager
def write_draft(draft: Path, /, *, binary: bool) -> Iterator[IO[Any]]:
    """Yield a new file whose bytes are on the disk when the block ends."""
    text: dict[str, Any] = {} if binary else {"encoding": "utf-8", "newline": "\n"}
    with draft.open("xb" if binary else "x", **text) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def discard_draft(draft: Path, /) -> None:
    """Remove a draft, if it is there and the disk lets it go.

    For use on the way out of an error, which no other one may hide.
    """
    with suppress(OSError):
        draft.unlink()


def sync_folder(folder: Path, /) -> None:
    """Put the names of a folder on the disk, where the system does that.

    Raises
    ------
    OSError
        If the disk fails: a name may then be gone after a loss of power.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows opens no folder
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    finally:
        os.close(descriptor)


def make_folder(folder: Path, /) -> None:
    """Make a folder and those above it, if they are absent, and put their names on the disk."""
    absent = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in absent:
        sync_folder(one.parent)
