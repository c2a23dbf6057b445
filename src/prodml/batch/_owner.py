"""Names of processes that claim work, and whether such a process is gone."""

from __future__ import annotations

import os
import secrets
import socket
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["is_gone", "new_owner"]

_PROC: Final = Path("/proc")
#: Where the fields of /proc/<pid>/stat stand behind the name of the program: proc(5).
_STATE, _START_TIME = 0, 19
_DEAD: Final = frozenset({"X", "Z"})


class _Owner(NamedTuple):
    host: str
    #: Boot and namespace in which the number of the process means something; empty if unknown.
    place: str
    pid: str
    #: Tells processes apart that had the same number, one after the other.
    started: str
    token: str


def new_owner() -> str:
    """Return a name for something in this process that claims work."""
    pid = os.getpid()
    state = _state_of(pid)
    return "/".join(
        _Owner(
            socket.gethostname().replace("/", "-"),
            _place(),
            str(pid),
            "" if state is None else state[1],
            secrets.token_hex(2),
        )
    )


def is_gone(owner: str, /) -> bool:
    """Say whether it is certain that the process of an owner has ended.

    It can be certain on the machine, and in the container, on which it ran; False anywhere else.
    Claims of such an owner need not be waited for. If this were ever wrong, it would cost work,
    not rows: fences decide.
    """
    parts = owner.split("/")
    if len(parts) != len(_Owner._fields):
        return False
    known = _Owner(*parts)
    if not known.place or not known.started or not known.pid.isdigit():
        return False
    if (known.host, known.place) != (socket.gethostname().replace("/", "-"), _place()):
        return False
    state = _state_of(int(known.pid))
    return state is None or state[0] in _DEAD or state[1] != known.started


@cache
def _place() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = os.readlink(_PROC / "self/ns/pid")  # noqa: PTH115 - no file, but a name
    except OSError:
        return ""
    return blake2b(f"{boot} {namespace}".encode(), digest_size=3).hexdigest()


def _state_of(pid: int) -> tuple[str, str] | None:
    """Return the state of a process and when it was started, or None if there is none."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # the name of the program, in parentheses, may hold anything
    fields = text.rpartition(")")[2].split()
    return fields[_STATE], fields[_START_TIME]
