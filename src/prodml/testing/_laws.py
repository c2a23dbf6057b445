"""Saying which law was broken, and by what."""

from __future__ import annotations

from typing import Final

__all__ = ["broken_law", "difference"]

_EXCERPT: Final = 60


def broken_law(subject: object, law: str, evidence: str) -> AssertionError:
    """Return the error that names the class at fault, the law, and what shows it."""
    return AssertionError(f"{type(subject).__name__} breaks a law: {law} {evidence}")


def difference(left: bytes, right: bytes) -> str:
    """Return where two byte strings begin to differ, with an excerpt of each."""
    pairs = enumerate(zip(left, right, strict=False))
    first = next((at for at, (a, b) in pairs if a != b), min(len(left), len(right)))
    start = max(0, first - _EXCERPT // 3)
    excerpts = [part[start : start + _EXCERPT] for part in (left, right)]
    return (
        f"Byte {first} is the first to differ; from byte {start} on they read "
        f"{excerpts[0]!r} and {excerpts[1]!r}."
    )
