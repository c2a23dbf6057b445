"""Values that code reads, as text: equal text for equal content, in any process and version.

Unlike a canonical digest of data it keeps apart what a function may tell apart: a tuple from a
list, -0.0 from 0.0, a NaN from None, one order of a dict from another, an enum from its value.
"""

from __future__ import annotations

import array
import re
import sys
from collections import deque
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from hashlib import sha256
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np

from prodml._core.canonical_tokens import fields_of
from prodml.features._code_origin import library_name
from prodml.features._pandas_text import pandas_text
from prodml.features._syntax_dump import constant_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = ["Untold", "ValueText", "digest_text"]

_LITERALS: Final = frozenset({type(None), bool, int, float, complex, str, bytes, type(Ellipsis)})
#: What writes itself in one way only.
_BY_TEXT: Final = (Decimal, Fraction, UUID, timedelta, range, slice, bytearray)
_CONTAINERS: Final = (dict, list, tuple, set, frozenset, deque)
_NO_STATE: Final = frozenset({"lock", "RLock", "Logger", "RootLogger", "LoggerAdapter"})
_LOGGING: Final = frozenset({"structlog", "loguru"})


class Untold(Exception):  # noqa: N818 - a signal between modules; callers see FingerprintError
    """Something whose content cannot be told, on its way to whoever knows what reads it.

    Attributes
    ----------
    reason : str
        What it is, as the end of "holds ...".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def digest_text(text: str, /) -> str:
    """Return the SHA-256 of text, in hexadecimal."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class ValueText:
    """Writes values as text. What is not data (functions, classes) is described by another.

    Parameters
    ----------
    describe : callable
        Takes a value and returns its text, or None where it is data.
    describe_object : callable
        The same for what is no data that is known here.
    """

    def __init__(
        self, describe: Callable[[Any], str | None], describe_object: Callable[[Any], str | None]
    ) -> None:
        self._describe = describe
        self._describe_object = describe_object
        self._depths: dict[int, int] = {}
        self._lowest = sys.maxsize
        # the values are kept, or another one might get the same id
        self._known: dict[int, tuple[Any, str]] = {}

    def text(self, value: Any, /) -> str:
        """Return a value as text.

        Raises
        ------
        Untold
            If it is, or holds, something whose content cannot be told.
        """
        if type(value) in _LITERALS:
            return constant_text(value)
        offered = self._offered(value)
        if offered is None:
            offered = self._describe(value)
        return self.nested(value, self._data) if offered is None else offered

    def nested(self, value: Any, write: Callable[[Any], str], /) -> str:
        """Return what `write` gives, or where the value is already being written, how far up.

        Text that does not point beyond its own value is kept, so that what is read often is
        written once.
        """
        key = id(value)
        if key in self._depths:
            self._lowest = min(self._lowest, self._depths[key])
            return f"(up {len(self._depths) - self._depths[key]})"
        if key in self._known:
            return self._known[key][1]
        depth, around = len(self._depths), self._lowest
        self._depths[key], self._lowest = depth, sys.maxsize
        try:
            text = write(value)
        finally:
            del self._depths[key]
        if self._lowest >= depth:
            self._known[key] = value, text
            self._lowest = around
        else:
            self._lowest = min(self._lowest, around)
        return text

    def _offered(self, value: Any) -> str | None:
        """Return what an object says about itself."""
        offer: Any = None
        if isinstance(value, type):
            if isinstance(vars(value).get("__fingerprint__"), classmethod | staticmethod):
                offer = value.__fingerprint__  # type: ignore[attr-defined]
        elif hasattr(type(value), "__fingerprint__"):
            offer = value.__fingerprint__
        else:  # of a function
            offer = getattr(value, "__dict__", {}).get("__fingerprint__")
        if offer is None:
            return None
        said = offer() if callable(offer) else offer
        if not isinstance(said, str | bytes):
            kind = type(said).__qualname__
            reason = f"an object whose __fingerprint__ gives a {kind}, and not str or bytes"
            raise Untold(reason)
        return f"(offered {constant_text(said)})"

    def _data(self, value: Any) -> str:
        if isinstance(value, Enum):
            return f"(enum {self.text(type(value))} {value.name} {self.text(value.value)})"
        if isinstance(value, np.ndarray | np.generic | np.dtype):
            return self._numpy(value)
        text = self._timelike(value)
        if text is None:
            text = self._container(value)
        if text is None:
            text = self._plain(value)
        if text is None:
            text = pandas_text(value, self.text)
        if text is None:
            text = self._record(value)
        if text is None:
            text = self._describe_object(value)
        if text is None:
            text = self._reduced(value)
        return text

    def _container(self, value: Any) -> str | None:
        if isinstance(value, MappingProxyType):
            return f"(mapping {self._entries(value)})"
        if not isinstance(value, _CONTAINERS):
            return None
        if isinstance(value, dict):
            content = self._entries(value)
        elif isinstance(value, set | frozenset):
            content = " ".join(sorted(map(self.text, value)))
        else:
            content = self._items(value)
        return self._with_kind(value, _CONTAINERS, content)

    def _with_kind(self, value: Any, plain: tuple[type, ...], content: str) -> str:
        """Return content with its type; of a type derived from the plain ones, what that is."""
        kind = type(value)
        if kind in plain:
            return f"({kind.__name__} {content})"
        if kind.__module__ == "collections":  # Counter, OrderedDict, defaultdict
            made_by = self.text(getattr(value, "default_factory", None))
            return f"({kind.__name__} {made_by} {content})"
        held = self._entries(getattr(value, "__dict__", {}))
        return f"(kind {self.text(kind)} {content} {held})"

    def _entries(self, value: Mapping[Any, Any]) -> str:
        return " ".join(f"{self.text(key)}:{self.text(item)}" for key, item in value.items())

    def _items(self, values: Iterable[Any]) -> str:
        return " ".join(map(self.text, values))

    def _plain(self, value: Any) -> str | None:
        kind = type(value)
        if isinstance(value, bool | int | float | complex | str | bytes):  # of a derived type
            base = next(one for one in kind.__mro__ if one in _LITERALS)
            return self._with_kind(value, (), constant_text(base(value)))
        if kind in _BY_TEXT:
            return f"({kind.__name__} {value!a})"
        if isinstance(value, re.Pattern):
            return f"(pattern {constant_text(value.pattern)} {value.flags:d})"
        if isinstance(value, PurePath):
            return f"(path {value.as_posix()!a})"
        if isinstance(value, array.array):
            return f"(array {value.typecode} {self._items(value.tolist())})"
        if kind.__name__ in _NO_STATE or kind.__module__.partition(".")[0] in _LOGGING:
            return f"({kind.__name__})"  # no value depends on it
        return None

    def _timelike(self, value: Any) -> str | None:
        if isinstance(value, datetime | time):
            zone = self.text(value.tzinfo)
            return f"({type(value).__name__} {value.isoformat()} {value.fold} {zone})"
        if isinstance(value, date):
            return f"(date {value.isoformat()})"
        if isinstance(value, tzinfo) and library_name(type(value)) in {"datetime", "zoneinfo"}:
            return f"(zone {str(value)!a})"
        return None

    def _record(self, value: Any) -> str | None:
        content = fields_of(value)
        if content is None or isinstance(value, type):
            return None
        with self._unread(value):
            return f"(record {self.text(type(value))} {self._entries(content)})"

    def _numpy(self, value: Any) -> str:
        if isinstance(value, np.dtype):
            return f"(dtype {value.str!a} {value.name!a})"
        if isinstance(value, np.ma.MaskedArray):
            mask = np.ma.getmaskarray(value)
            return f"(masked {self._numpy(mask)} {self._numpy(value.filled())})"
        values = np.asarray(value)
        head = f"{type(value).__name__} {values.shape}"
        if values.dtype.kind in "biufcmMSU" and values.dtype.type is not np.longdouble:
            ordered = values.astype(values.dtype.newbyteorder("<"), order="C", copy=False)
            content = sha256(ordered.tobytes()).hexdigest()
            return f"(numpy {head} {ordered.dtype.str} {content})"
        if values.dtype.kind in "fc":  # wider than 8 bytes, with some that say nothing
            return f"(numpy {head} {values.dtype.name} {list(map(str, values.ravel()))})"
        if values.dtype.kind in "OTV":
            return f"(numpy {head} {self._items(values.ravel().tolist())})"
        raise self._untold(value)

    def _reduced(self, value: Any) -> str:
        """Return what pickle would keep of an object of Python's own."""
        root = type(value).__module__.partition(".")[0]
        if root not in sys.stdlib_module_names or hasattr(type(value), "__next__"):
            raise self._untold(value)
        try:
            reduced = value.__reduce_ex__(2)
        except TypeError:
            raise self._untold(value) from None
        if isinstance(reduced, str):
            return f"(named {reduced})"
        made_by, given, *rest = reduced
        state = rest[0] if rest else None
        items = [list(one) for one in rest[1:] if one is not None]
        return f"(reduced {self._items([made_by, given, state, *items])})"

    @staticmethod
    def _untold(value: Any) -> Untold:
        return Untold(f"a value of type {type(value).__qualname__!r}")

    @contextmanager
    def _unread(self, value: Any) -> Iterator[None]:
        """Name the type of a record of which some field cannot be told."""
        try:
            yield
        except Untold as fault:
            fault.reason = f"{fault.reason} in a {type(value).__qualname__}"
            raise
