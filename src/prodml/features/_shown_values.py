"""Values that code reads, as a person sees them beside the code in a difference."""

from __future__ import annotations

import re
from typing import Any, Final

from prodml.features._value_text import digest_text

__all__ = ["shown"]

_LITERALS: Final = frozenset({type(None), bool, int, float, complex, str, bytes})
_LONGEST: Final = 200
_DIGITS: Final = 12


def shown(value: Any, text: str, /) -> str:
    """Return a short value as it is written in code, and a digest of any other.

    Parameters
    ----------
    value : object
        The value.
    text : str
        All of its content, which the digest is made of.

    Examples
    --------
    >>> shown({"a": [1, 2.5]}, "")
    "{'a': [1, 2.5]}"
    """
    if text.startswith("(library "):
        return text.removeprefix("(library ").removesuffix(")")
    if text == "(undefined)":
        return "undefined"
    if len(text) <= 2 * _LONGEST and "(up " not in text and _is_plain(value):
        # line ends would begin a line of their own
        written = re.sub(r"[^ -~]", lambda found: ascii(found[0])[1:-1], repr(value))
        if len(written) <= _LONGEST:
            return written
    return f"{type(value).__qualname__} {digest_text(text)[:_DIGITS]}"


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind is dict:
        return all(_is_plain(key) and _is_plain(item) for key, item in value.items())
    if kind in {list, tuple}:
        return all(map(_is_plain, value))
    return kind in _LITERALS
