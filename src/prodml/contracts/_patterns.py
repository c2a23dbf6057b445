r"""Regular expressions that Arrow's engine may judge on behalf of pydantic's.

pydantic matches with the Rust crate ``regex``; Arrow with RE2. The two agree on much and not on
all: ``\W``, ``\b`` and ``[^\d]`` mean more in RE2, whose classes are ASCII. What is certified
here is one direction: *whatever RE2 finds, Rust finds too*. Then a match by RE2 is an acceptance,
and only what RE2 does not match has to be shown to pydantic.

A pattern is portable if it is built from parts whose RE2 meaning lies within the Rust one. Neither
engine has look-around or any other negation of a sub-pattern, so a pattern made of such parts lies
within, too. Everything that is not recognised is not portable.

Sources: RE2 syntax (github.com/google/re2/wiki/Syntax), Rust regex syntax (docs.rs/regex).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

__all__ = ["is_portable"]

# Punctuation that both engines take for itself when it is escaped.
_ESCAPED: Final = re.compile(r"\\[.\-+*?()\[\]{}|^$/@\\]")
# \d \w \s are ASCII in RE2 and Unicode in Rust: within, as long as they are not negated.
_POSITIVE_CLASS: Final = re.compile(r"\\[dws]")
_ESCAPED_CONTROL: Final = re.compile(r"\\[tnr]")
_ANCHOR: Final = re.compile(r"\^|\$|\\A|\\z")
_LITERAL: Final = re.compile(r"[A-Za-z0-9 _@,:;/#%&=~<>!\"'`-]")
# RE2 refuses counts above 1,000.
_QUANTIFIER: Final = re.compile(r"(?:[*+?]|\{\d{1,3}(?:,\d{0,3})?\})\??")
_GROUP_START: Final = re.compile(r"\((?:\?:)?(?!\?)")
_CLASS_LITERAL: Final = re.compile(r"[A-Za-z0-9 _@,:;/#%=.+*?()<>!$|{}\"'`]|\\[.\-\[\]/\\^$]")
_CLASS_RANGE: Final = re.compile(r"([a-z])-([a-z])|([A-Z])-([A-Z])|([0-9])-([0-9])")


@lru_cache(maxsize=1024)
def is_portable(pattern: str, /) -> bool:
    r"""Say whether every match by RE2 is certain to be a match by Rust's engine.

    Parameters
    ----------
    pattern : str
        A pattern that pydantic has accepted, so it is valid for Rust.

    Returns
    -------
    bool
        False whenever in doubt.

    Examples
    --------
    >>> is_portable(r"^[a-z0-9._]+@[a-z0-9]+\.[a-z]{2,4}$"), is_portable(r"^[^@ ]+@\w+$")
    (True, True)
    >>> is_portable(r"\bword\b"), is_portable(r"(?i)abc"), is_portable(r"[^\d]")
    (False, False, False)
    """
    return pattern.isascii() and _Reader(pattern).is_portable()


class _Reader:
    """Reads a pattern from left to right, and stops at the first part it does not know."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._position = 0

    def is_portable(self) -> bool:
        """Return whether the whole pattern was understood."""
        depth = 0
        repeatable = False
        while self._position < len(self._pattern):
            if self._take(_GROUP_START):
                depth, repeatable = depth + 1, False
            elif self._take_text(")"):
                if depth == 0:
                    return False
                depth, repeatable = depth - 1, True
            elif self._take_text("|") or self._take(_ANCHOR):
                repeatable = False
            elif self._take_atom():
                repeatable = True
            elif repeatable and self._take_quantifier():
                repeatable = False
            else:
                return False
        return depth == 0

    def _take(self, part: re.Pattern[str]) -> re.Match[str] | None:
        found = part.match(self._pattern, self._position)
        if found is not None:
            self._position = found.end()
        return found

    def _take_text(self, text: str) -> bool:
        found = self._pattern.startswith(text, self._position)
        self._position += len(text) * found
        return found

    def _take_atom(self) -> bool:
        return bool(
            self._take_text(".")
            or self._take(_ESCAPED)
            or self._take(_POSITIVE_CLASS)
            or self._take(_ESCAPED_CONTROL)
            or self._take(_LITERAL)
            or self._take_class()
        )

    def _take_quantifier(self) -> bool:
        return self._take(_QUANTIFIER) is not None

    def _take_class(self) -> bool:
        if not self._take_text("["):
            return False
        # In a negated class a narrower part would mean more, not less.
        negated = self._take_text("^")
        if self._pattern.startswith(("]", "-"), self._position):
            return False
        while not self._take_text("]"):
            if self._pattern[self._position : self._position + 2] in {"&&", "--", "~~"}:
                return False
            if (found := self._take(_CLASS_RANGE)) is not None:
                low, high = (end for end in found.groups() if end is not None)
                if low > high:
                    return False
            elif self._take(_CLASS_LITERAL) or (not negated and self._take(_POSITIVE_CLASS)):
                if self._is_range_next():
                    return False
            elif not self._take_text("-") or not self._pattern.startswith("]", self._position):
                return False  # a hyphen is plain at the end only
        return True

    def _is_range_next(self) -> bool:
        rest = self._pattern[self._position : self._position + 2]
        return rest.startswith("-") and rest != "-]"
