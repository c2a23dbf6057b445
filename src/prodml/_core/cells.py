"""Cells as JSON and back, exactly: what a row looked like when it arrived.

Text, booleans, None, ints of up to 64 bits and finite floats stand for themselves, and a list for
a list. Everything else becomes an object with the key ``"$"``, which names its type; so does a
dict, so that no data can be taken for such an object. Nothing is ever loaded by running code.
"""

from __future__ import annotations

import base64
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from prodml.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PLAIN", "Unrestorable", "decode_cell", "encode_cell"]

#: Types that JSON holds as they are. Ints and floats do so within limits.
PLAIN: Final = frozenset({bool, str, type(None)})

_INT64: Final = 2**63
#: Kinds of numpy values that are their bytes.
_NUMPY_KINDS: Final = frozenset("biufcmM")
_LONGEST_REPR: Final = 500


@dataclass(frozen=True, slots=True)
class Unrestorable:
    """An object of a kind that is not kept, of which only the look is left.

    Attributes
    ----------
    type : str
        Name of its class.
    text : str
        Its repr, cut after 500 characters.
    """

    type: str
    text: str


def encode_cell(cell: Any, /) -> Any:
    """Return a cell as a value that JSON holds."""
    kind = type(cell)
    if kind in PLAIN:
        return cell
    if kind is int:
        return cell if -_INT64 <= cell < _INT64 else {"$": "int", "v": hex(cell)}
    if kind is float:
        # NaN differs from itself, and infinity from its own difference
        return cell if cell - cell == 0 else {"$": "float", "v": str(cell)}
    if kind is list:
        return [encode_cell(item) for item in cell]
    encoder = _ENCODERS.get(kind)
    if encoder is not None:
        return {"$": kind.__name__, "v": encoder(cell)}
    return _encode_foreign(cell)


def _encode_clock(cell: datetime | time) -> Any:
    text = cell.isoformat()
    zone = getattr(cell.tzinfo, "key", None)
    return [text, zone, cell.fold] if zone is not None or cell.fold else text


def _decode_clock(kind: type[Any], content: Any) -> Any:
    if isinstance(content, str):
        return kind.fromisoformat(content)
    text, zone, fold = content
    moment = kind.fromisoformat(text)
    if zone is not None:
        # where the zone is not known, the offset still names the instant
        with suppress(ZoneInfoNotFoundError, ValueError):
            moment = moment.replace(tzinfo=ZoneInfo(zone))
    return moment.replace(fold=fold)


def _encode_set(cell: Any) -> list[Any]:
    return [encode_cell(item) for item in sorted(cell, key=repr)]


def _encode_bytes(cell: Any) -> str:
    return base64.b64encode(cell).decode("ascii")


_ENCODERS: Final[dict[type, Callable[[Any], Any]]] = {
    bytes: _encode_bytes,
    bytearray: _encode_bytes,
    complex: lambda cell: [cell.real.hex(), cell.imag.hex()],
    date: date.isoformat,
    datetime: _encode_clock,
    Decimal: str,
    dict: lambda cell: [[encode_cell(key), encode_cell(item)] for key, item in cell.items()],
    frozenset: _encode_set,
    set: _encode_set,
    time: _encode_clock,
    timedelta: lambda cell: [cell.days, cell.seconds, cell.microseconds],
    tuple: lambda cell: [encode_cell(item) for item in cell],
    UUID: str,
}

_DECODERS: Final[dict[str, Callable[[Any], Any]]] = {
    "bytearray": lambda content: bytearray(base64.b64decode(content)),
    "bytes": base64.b64decode,
    "complex": lambda content: complex(*map(float.fromhex, content)),
    "date": date.fromisoformat,
    "datetime": lambda content: _decode_clock(datetime, content),
    "Decimal": Decimal,
    "dict": lambda content: {decode_cell(key): decode_cell(item) for key, item in content},
    "float": float,
    "frozenset": lambda content: frozenset(map(decode_cell, content)),
    "int": lambda content: int(content, 16),
    "other": lambda content: Unrestorable(*content),
    "set": lambda content: set(map(decode_cell, content)),
    "time": lambda content: _decode_clock(time, content),
    "timedelta": lambda content: timedelta(*content),
    "tuple": lambda content: tuple(map(decode_cell, content)),
    "UUID": UUID,
}


def _encode_foreign(cell: Any) -> Any:
    # A value of a library can only exist where that library has been imported.
    pandas = sys.modules.get("pandas")
    if pandas is not None:
        if cell is pandas.NaT or cell is pandas.NA:
            return {"$": "NaT" if cell is pandas.NaT else "NA", "v": None}
        if isinstance(cell, pandas.Timestamp):
            zone = None if cell.tz is None else str(cell.tz)
            return {"$": "Timestamp", "v": [_count(cell), cell.unit, zone]}
        if isinstance(cell, pandas.Timedelta):
            return {"$": "Timedelta", "v": [_count(cell), cell.unit]}
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        if isinstance(cell, numpy.str_):
            return str(cell)
        if isinstance(cell, numpy.generic) and cell.dtype.kind in _NUMPY_KINDS:
            return {"$": "numpy", "v": [cell.dtype.str, _encode_bytes(cell.tobytes())]}
        if isinstance(cell, numpy.ndarray) and cell.dtype.kind in _NUMPY_KINDS:
            content = [cell.dtype.str, list(cell.shape), _encode_bytes(cell.tobytes())]
            return {"$": "ndarray", "v": content}
        if isinstance(cell, numpy.ndarray) and cell.dtype.kind == "O":
            return {
                "$": "ndarray",
                "v": ["O", list(cell.shape), encode_cell(cell.ravel().tolist())],
            }
    kind = type(cell)
    look = repr(cell)[:_LONGEST_REPR]
    return {"$": "other", "v": [f"{kind.__module__}.{kind.__qualname__}", look]}


def _count(moment: Any) -> int:
    """Return a Timestamp or Timedelta as an integer in its unit; as UTC where it is aware."""
    return int(moment.asm8.view("i8"))


def _decode_timestamp(content: Any) -> Any:
    import numpy as np
    import pandas as pd

    count, unit, zone = content
    moment = pd.Timestamp(np.datetime64(count, unit))
    if zone is None:
        return moment
    try:
        return moment.tz_localize("UTC").tz_convert(zone)
    except (KeyError, ValueError):  # a zone that this machine does not know: the instant stays
        return moment.tz_localize("UTC")


def _decode_numpy(content: Any) -> Any:
    import numpy as np

    dtype, data = content
    return np.frombuffer(base64.b64decode(data), dtype=dtype)[0]


def _decode_ndarray(content: Any) -> Any:
    import numpy as np

    dtype, shape, data = content
    if dtype != "O":
        return np.frombuffer(base64.b64decode(data), dtype=dtype).reshape(shape).copy()
    items = np.empty(len(data), dtype=object)
    for position, item in enumerate(data):  # assigned singly: numpy would unpack lists
        items[position] = decode_cell(item)
    return items.reshape(shape)


def _decode_pandas(name: str, content: Any) -> Any:
    import numpy as np
    import pandas as pd

    if name == "Timedelta":
        return pd.Timedelta(np.timedelta64(*content))
    return pd.NaT if name == "NaT" else pd.NA


_FOREIGN_DECODERS: Final[dict[str, Callable[[Any], Any]]] = {
    "NA": lambda content: _decode_pandas("NA", content),
    "NaT": lambda content: _decode_pandas("NaT", content),
    "Timedelta": lambda content: _decode_pandas("Timedelta", content),
    "Timestamp": _decode_timestamp,
    "ndarray": _decode_ndarray,
    "numpy": _decode_numpy,
}


def decode_cell(content: Any, /) -> Any:
    """Return the cell that :func:`encode_cell` was given.

    Raises
    ------
    FormatError
        If `content` does not come from there.
    """
    if type(content) is list:
        return [decode_cell(item) for item in content]
    if type(content) is not dict:
        return content
    name = content.get("$")
    decoder = _DECODERS.get(name) or _FOREIGN_DECODERS.get(name)  # type: ignore[arg-type]
    if decoder is None or "v" not in content:
        message = f"Not a cell that prodml has stored: {content!r}."
        raise FormatError(message)
    return decoder(content["v"])
