"""What kind of file system a path lies on, where the system tells."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

__all__ = ["network_file_system"]

_MOUNTS: Final = "/proc/self/mounts"
#: How blanks and backslashes stand in that list.
_ESCAPE: Final = re.compile(r"\\([0-7]{3})")
#: File systems on which several machines write, so that locks and shared memory do not hold.
_NETWORK: Final = frozenset(
    [
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "davfs",
        "fuse.ceph",
        "fuse.glusterfs",
        "fuse.s3fs",
        "fuse.sshfs",
        "gfs2",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "orangefs",
        "smb3",
        "smbfs",
    ]
)


def network_file_system(path: str | os.PathLike[str], /, *, mounts: str = _MOUNTS) -> str | None:
    """Return the kind of network file system that a path lies on, or None.

    None also where the system does not tell: that is Linux alone.

    Parameters
    ----------
    path : str or os.PathLike
        A file or folder, which need not exist.
    mounts : str
        Where mounted file systems are listed.
    """
    try:
        listed = os.fsdecode(Path(mounts).read_bytes())
    except OSError:
        return None
    place = os.path.realpath(path)
    found, kind = "", ""
    for line in listed.rstrip("\n").split(
        "\n"
    ):  # a name may hold what `splitlines` takes for an end
        _, raw, this_kind, *_ = line.split(" ")
        point = _ESCAPE.sub(lambda code: chr(int(code[1], 8)), raw)
        inside = place == point or place.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(found):  # of two mounts at one place the later one counts
            found, kind = point, this_kind
    return kind if kind in _NETWORK else None
