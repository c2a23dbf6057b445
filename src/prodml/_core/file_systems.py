"""What kind of file system a path lies on, where the system tells."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["network_file_system"]

_MOUNTS: Final = "/proc/self/mounts"
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
        lines = Path(mounts).read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    place = os.path.realpath(path)
    found, kind = "", ""
    for line in lines:
        _, raw, this_kind, *_ = line.split(" ")
        point = raw.replace(r"\040", " ")
        inside = place == point or place.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(found):  # of two mounts at one place the later one counts
            found, kind = point, this_kind
    return kind if kind in _NETWORK else None
