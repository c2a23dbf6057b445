"""Fingerprints of code: what a feature does, as 64 digits that change when it does.

A feature is not the text of its function alone. It is also the values of its defaults, closure and
globals, and the user's own functions and classes that it calls. All of that goes into its
fingerprint, and nothing that doesn't run: comments, docstrings, layout, annotations, decorators,
and where the code stands.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from prodml._core.render import html_table
from prodml._frozen_mapping import FrozenMapping
from prodml.errors import FingerprintError, FormatError
from prodml.features._code_origin import distributions_of
from prodml.features._code_reading import CodeReading
from prodml.features._value_text import digest_text

__all__ = ["CodeFingerprint", "fingerprint_function"]

#: Which digests can be compared. What is read, or how, cannot change without a new number.
_FORMAT: Final = "prodml.code.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFingerprint:
    """What a function does, as a digest, and what that was made of.

    Immutable, picklable, safe between threads.

    Attributes
    ----------
    name : str
        What the function is called.
    digest : str
        64 hexadecimal digits. Equal digests mean equal code, in any process, on any machine and
        in Python 3.11 and later.
    weaknesses : tuple of str
        One sentence for each piece of code that could not be read as source. Then the digest is
        good for this version of Python alone, or doesn't see everything.
    source : str
        The function, what it calls, and the values that it reads: for a person, and for
        differences.
    parts : mapping of str to str
        A digest for each piece of code and each value that went in, to find what has changed.
    distributions : mapping of str to str
        The installed versions of the libraries that are called by name. They are no part of the
        digest.
    """

    name: str
    digest: str
    weaknesses: tuple[str, ...] = ()
    source: str = ""
    parts: Mapping[str, str] = FrozenMapping()
    distributions: Mapping[str, str] = FrozenMapping()

    def __post_init__(self) -> None:
        object.__setattr__(self, "weaknesses", tuple(self.weaknesses))
        object.__setattr__(self, "parts", FrozenMapping(self.parts))
        object.__setattr__(self, "distributions", FrozenMapping(self.distributions))

    @property
    def weak(self) -> bool:
        """Whether some code is known by less than its source."""
        return bool(self.weaknesses)

    @classmethod
    def joined(cls, several: Iterable[CodeFingerprint], /, *, name: str) -> CodeFingerprint:
        """Return one fingerprint for functions that make one thing, as a feature and its `fit`.

        Parameters
        ----------
        several : iterable of CodeFingerprint
            In an order that means something: another one has another digest.
        name : str
            What they make.

        Examples
        --------
        >>> one, other = fingerprint_function(lambda x: x), fingerprint_function(lambda x: -x)
        >>> both = CodeFingerprint.joined([one, other], name="both")
        >>> both.digest == CodeFingerprint.joined([other, one], name="both").digest
        False
        """
        given = tuple(several)
        parts: dict[str, str] = {}
        for one in given:
            for part, digest in one.parts.items():
                names = (part, *(f"{part} [{number}]" for number in range(2, len(given) + 2)))
                parts[next(free for free in names if free not in parts)] = digest
        versions = {key: version for one in given for key, version in one.distributions.items()}
        told = dict.fromkeys(sentence for one in given for sentence in one.weaknesses)
        return cls(
            name=name,
            digest=digest_text("\n".join([_FORMAT, *(one.digest for one in given)])),
            weaknesses=tuple(told),
            source="\n".join(one.source for one in given),
            parts=parts,
            distributions=versions,
        )

    def changes(self, other: CodeFingerprint, /) -> tuple[str, ...]:
        """Return the parts that `other` has otherwise, or more, or less; in order of their names.

        Examples
        --------
        >>> fingerprint_function(lambda x: x).changes(fingerprint_function(lambda x: x))
        ()
        """
        if self.digest == other.digest:
            return ()
        names = self.parts.keys() | other.parts.keys()
        return tuple(sorted(n for n in names if self.parts.get(n) != other.parts.get(n)))

    def diff(self, other: CodeFingerprint, /) -> str:
        """Return how the source of `other` differs, as a unified diff; empty if nothing does.

        Where the sources are alike, and the code differs all the same, the parts are named.
        """
        if self.digest == other.digest:
            return ""
        lines = difflib.unified_diff(
            self.source.splitlines(), other.source.splitlines(), "before", "after", lineterm=""
        )
        text = "\n".join(lines)
        parts = ", ".join(self.changes(other)) or "what was declared about it"
        return text or f"The source is alike, but these differ: {parts}."

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data that JSON can hold."""
        return {
            "name": self.name,
            "digest": self.digest,
            "weaknesses": list(self.weaknesses),
            "source": self.source,
            "parts": dict(self.parts),
            "distributions": dict(self.distributions),
        }

    @classmethod
    def from_dict(cls, content: Any, /) -> CodeFingerprint:
        """Restore a fingerprint from :meth:`to_dict`.

        Parameters
        ----------
        content : mapping
            Keys may be in any order.

        Raises
        ------
        FormatError
            If a key is absent, not known, or holds something else.
        """
        expected: dict[str, type] = {
            "name": str,
            "digest": str,
            "weaknesses": list,
            "source": str,
            "parts": dict,
            "distributions": dict,
        }
        keys = sorted(map(str, content)) if isinstance(content, Mapping) else []
        if keys != sorted(expected):
            shown = f"{keys}" if keys else f"a {type(content).__qualname__}"
            message = f"A fingerprint has the keys {sorted(expected)}, got {shown}."
            raise FormatError(message)
        for key, kind in expected.items():
            value = content[key]
            items = value.values() if isinstance(value, dict) else value
            if not isinstance(value, kind) or not all(isinstance(one, str) for one in items):
                message = f"{key!r} of a fingerprint must be a {kind.__name__} of text."
                raise FormatError(message)
        return cls(**content)

    def to_frame(self) -> Any:
        """Return the parts and their digests as a pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame({"part": list(self.parts), "digest": list(self.parts.values())})

    def __repr__(self) -> str:
        weak = ", weak" if self.weak else ""
        return f"<CodeFingerprint {self.name}: {self.digest[:12]}, {len(self.parts)} parts{weak}>"

    def _repr_html_(self) -> str:
        caption = f"{self.name}: {self.digest}" + (" (weak)" if self.weak else "")
        return html_table(["part", "digest"], self.parts.items(), caption=caption)


def fingerprint_function(function: Any, /, *, name: str | None = None) -> CodeFingerprint:
    """Return what a function does, as a digest that changes when it does.

    Parameters
    ----------
    function : callable
        A function, method, partial, or an object with ``__call__``. Of a decorated one, what the
        decorator has made of it.
    name : str, optional
        What to call it in messages; by default its own name. It is no part of the digest.

    Returns
    -------
    CodeFingerprint
        Its digest, and what went in.

    Raises
    ------
    FingerprintError
        If it reads something whose content cannot be told, as an open file, a generator or an
        object of a library. ``.name`` says what. An object of your own can offer a method
        ``__fingerprint__`` that returns str or bytes, which then stand for it.

    Notes
    -----
    The digest is SHA-256 over the syntax of the function, its defaults, its closure, the globals
    it reads (also as ``module.name``, and through imports inside it), and the same again for each
    function and class of the user's own among them. Python, installed packages and prodml are
    known by the names of what is used; their versions stand in ``distributions``.

    The order of a dict counts, that of a set doesn't. A global that changes while the program
    runs changes the fingerprint.

    Where the source is absent, or is not what runs since the file was edited after it was
    imported, the bytecode takes its place and the fingerprint is ``weak``.

    About half a millisecond for a short function. The first call takes a quarter of a second
    more, to learn which distribution brings which module.

    Examples
    --------
    >>> rate = 0.25
    >>> before = fingerprint_function(lambda amount: amount * rate, name="fee")
    >>> rate = 0.3
    >>> after = fingerprint_function(lambda amount: amount * rate, name="fee")
    >>> before.digest == after.digest
    False
    >>> before.changes(after)
    ('fee: global rate',)
    """
    called = name or getattr(function, "__qualname__", None) or type(function).__qualname__
    if not callable(function) or isinstance(function, type):
        message = (
            f"{called!r} cannot be given a fingerprint: a feature is a function, "
            f"got a {type(function).__qualname__}. Give the function itself."
        )
        raise FingerprintError(message, feature=called, name=called)
    reading = CodeReading(called)
    digest = reading.read(function)
    return CodeFingerprint(
        name=called,
        digest=digest_text(f"{_FORMAT}\n{digest}"),
        weaknesses=tuple(reading.weaknesses.values()),
        source="\n".join(reading.sources.values()),
        parts=reading.parts,
        distributions=distributions_of(reading.roots),
    )
