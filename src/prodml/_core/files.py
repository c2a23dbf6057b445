"""Files that are either there in whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["write_atomically"]


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
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    text: dict[str, Any] = {} if binary else {"encoding": "utf-8", "newline": "\n"}
    try:
        with draft.open("xb" if binary else "x", **text) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # Windows cannot open a folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
