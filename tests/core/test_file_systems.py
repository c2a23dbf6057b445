"""Where a file lies, as the list of mounts tells."""

from __future__ import annotations

import pytest

from prodml._core.file_systems import network_file_system
from prodml._core.sqlite import SqliteDatabase
from prodml.errors import StorageError

MOUNTS = r"""/dev/vda / ext4 rw 0 0
server:/export /net/shared nfs4 rw 0 0
/dev/vdb /net/shared/local ext4 rw 0 0
//server/c /net/with\040space cifs rw 0 0
tmpfs /over tmpfs rw 0 0
host:/x /over fuse.sshfs rw 0 0
h:/y /tab\011and\134040FFpage nfs rw 0 0
"""


@pytest.fixture
def mounts(tmp_path):
    """Return the path of a list of mounts."""
    path = tmp_path / "mounts"
    path.write_text(MOUNTS.replace("FF", "\f\r"), encoding="utf-8", newline="\n")
    return str(path)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/data/a.db", None),
        ("/net/shared/a.db", "nfs4"),
        ("/net/shared", "nfs4"),
        ("/net/shared/local/a.db", None),
        ("/net/shared-not/a.db", None),
        ("/net/with space/deep/a.db", "cifs"),
        ("/over/a.db", "fuse.sshfs"),
        ("/net/shared/local/../a.db", "nfs4"),
        ("/tab\tand\\040\f\rpage/a.db", "nfs"),
    ],
)
def test_the_innermost_and_latest_mount_counts(mounts, path, kind):
    """Of mounts within mounts, and of mounts over mounts."""
    assert network_file_system(path, mounts=mounts) == kind


def test_where_the_system_does_not_tell_nothing_is_known(tmp_path):
    """As on macOS."""
    assert network_file_system("/a.db", mounts=str(tmp_path / "absent")) is None


def test_a_database_on_a_network_is_refused(tmp_path, monkeypatch):
    """Before the file is made: its locks would not hold there."""
    monkeypatch.setattr("prodml._core.sqlite.network_file_system", lambda _path: "nfs4")
    with pytest.raises(StorageError, match=r"network file system \(nfs4\).*PostgreSQL"):
        SqliteDatabase(tmp_path / "a.db", migrations=(), application_id=1)
    assert list(tmp_path.iterdir()) == []
