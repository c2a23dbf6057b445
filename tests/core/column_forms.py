"""The same cells in every form in which a column can hold them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from importlib.util import find_spec
from uuid import UUID

import numpy as np
import pandas as pd
from hypothesis import strategies as st

HAS_ARROW = find_spec("pyarrow") is not None

#: Moments of whole seconds, which every unit holds, and beyond what nanoseconds can.
_SECONDS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)).map(
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
_NEAR = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))

#: Strategies of one value each, by the family of the type.
VALUES = {
    "bool": st.booleans(),
    "bytes": st.binary(max_size=4),
    "date": st.dates(),
    "decimal": st.decimals(allow_nan=False, places=3, min_value=-(10**9), max_value=10**9),
    "duration": st.timedeltas(timedelta(days=-40_000), timedelta(days=40_000)),
    "float": st.floats(allow_nan=False),
    "huge": st.integers(-(2**70), 2**70),
    "int": st.one_of(st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1)),
    "moment": _NEAR,
    "moment_s": _SECONDS,
    "narrow": st.integers(-128, 127),
    "text": st.text(max_size=4),
    "unsigned": st.integers(0, 2**64 - 1),
    "uuid": st.uuids(),
}


def _objects(cells):
    return np.fromiter(cells, dtype=object, count=len(cells))


def _with(missing):
    return lambda cells: _objects([missing if cell is None else cell for cell in cells])


def _numpy(dtype):
    return lambda cells: np.array(cells, dtype=dtype) if None not in cells else None


def _masked(dtype):
    return lambda cells: pd.array(cells, dtype=dtype)


def _floats(dtype):
    return lambda cells: np.array([np.nan if cell is None else cell for cell in cells], dtype=dtype)


def _strided(cells):
    return np.repeat(_objects(cells), 2)[::2]


def _category(cells):
    known = list(dict.fromkeys(cell for cell in cells if cell is not None))
    # one that no row uses, of another type
    categories = pd.Index(_objects([*known, ("unused",)]), dtype=object, tupleize_cols=False)
    codes = [-1 if cell is None else known.index(cell) for cell in cells]
    return pd.Categorical.from_codes(codes, categories=categories)


def _naive(cells, unit):
    naive = ["NaT" if cell is None else cell.replace(tzinfo=None) for cell in cells]
    return np.array(naive, dtype="M8[us]").astype(f"M8[{unit}]")


def _moments(unit, zone="UTC"):
    def build(cells):
        return pd.Series(_naive(cells, unit)).dt.tz_localize("UTC").dt.tz_convert(zone)

    return build


def _durations(unit):
    def build(cells):
        micros = np.array(["NaT" if cell is None else cell for cell in cells], dtype="m8[us]")
        return micros.astype(f"m8[{unit}]")

    return build


def _arrow(name, *arguments):
    def build(cells):
        import pyarrow as pa

        kind = getattr(pa, name)(*arguments)
        return pd.Series(pa.array(cells, type=kind), dtype=pd.ArrowDtype(kind))

    return build


def _arrow_dictionary(cells):
    import pyarrow as pa

    array = pa.array(cells, type=pa.string()).dictionary_encode()
    return pd.Series(array, dtype=pd.ArrowDtype(array.type))


def _arrow_chunks(cells):
    import pyarrow as pa

    half = len(cells) // 2
    pieces = [["a", "b", *cells[:half]], [None, *cells[half:]], []]
    chunks = [pa.array(piece, type=pa.large_string()) for piece in pieces]
    # slices that begin inside their buffers
    chunks = [chunks[0].slice(2), chunks[1].slice(1), chunks[2]]
    return pd.Series(pa.chunked_array(chunks), dtype=pd.ArrowDtype(pa.large_string()))


def _other_zone(cells):
    zone = timezone(timedelta(hours=5, minutes=30))
    return _objects([None if cell is None else cell.astimezone(zone) for cell in cells])


_ANY = [
    ("list", list),
    ("strided", _strided),
    ("nan", _with(np.nan)),
    ("NA", _with(pd.NA)),
    ("NaT", _with(pd.NaT)),
]
_HASHED = [*_ANY, ("category", _category)]

#: Every form of the columns of a family: name and function of the cells, None where there is none.
FORMS = {
    "bool": [*_ANY, ("numpy", _numpy(bool)), ("masked", _masked("boolean"))],
    "bytes": [*_HASHED],
    "date": [*_HASHED],
    "decimal": [*_HASHED],
    "duration": [
        *_HASHED,
        ("us", _durations("us")),
        ("ns", _durations("ns")),
        ("big-endian", lambda cells: _durations("us")(cells).astype(">m8[us]")),
    ],
    "float": [
        *_ANY,
        ("f8", _floats("f8")),
        (">f8", _floats(">f8")),
        ("masked", _masked("Float64")),
    ],
    "huge": [*_HASHED],
    "int": [
        *_HASHED,
        ("i8", _numpy("i8")),
        (">i8", _numpy(">i8")),
        ("masked", _masked("Int64")),
        ("numpy scalars", lambda cells: [None if c is None else np.int64(c) for c in cells]),
    ],
    "moment": [
        *_HASHED,
        ("us", _moments("us")),
        ("ns", _moments("ns")),
        ("zone", _moments("us", "Asia/Tokyo")),
        ("other zone", _other_zone),
        ("stamps", lambda cells: [None if c is None else pd.Timestamp(c) for c in cells]),
    ],
    "moment_s": [*_HASHED, ("s", _moments("s")), ("ms", _moments("ms")), ("us", _moments("us"))],
    "narrow": [
        *_HASHED,
        ("i1", _numpy("i1")),
        ("i2", _numpy("i2")),
        ("i8", _numpy("i8")),
        ("masked", _masked("Int8")),
    ],
    "text": [
        *_HASHED,
        ("string", _masked("string[python]")),
        (
            "default",
            lambda cells: pd.Series(cells, dtype="str" if pd.__version__ > "3" else object),
        ),
        ("numpy scalars", lambda cells: [None if c is None else np.str_(c) for c in cells]),
    ],
    "unsigned": [*_HASHED, ("u8", _numpy("u8")), ("masked", _masked("UInt64"))],
    "uuid": [*_HASHED],
}
if HAS_ARROW:
    FORMS["bool"].append(("arrow", _arrow("bool_")))
    FORMS["bytes"].append(("arrow", _arrow("binary")))
    FORMS["date"] += [("date32", _arrow("date32")), ("date64", _arrow("date64"))]
    FORMS["decimal"].append(("arrow", _arrow("decimal128", 20, 5)))
    FORMS["duration"].append(("arrow", _arrow("duration", "us")))
    FORMS["float"].append(("arrow", _arrow("float64")))
    FORMS["int"].append(("arrow", _arrow("int64")))
    FORMS["moment"].append(("arrow", _arrow("timestamp", "us", "Europe/Paris")))
    FORMS["moment_s"].append(("arrow", _arrow("timestamp", "s", "UTC")))
    FORMS["narrow"].append(("arrow", _arrow("int8")))
    FORMS["text"] += [
        ("arrow", _arrow("string")),
        ("dictionary", _arrow_dictionary),
        ("chunks", _arrow_chunks),
        ("pyarrow", _masked("string[pyarrow]")),
    ]
    FORMS["unsigned"].append(("arrow", _arrow("uint64")))

#: One cell of each family, for tests that need any.
SAMPLES = {
    "bool": True,
    "bytes": b"a",
    "date": date(2024, 5, 17),
    "decimal": Decimal("1.50"),
    "duration": timedelta(seconds=3),
    "float": 1.0,
    "huge": 2**70,
    "int": 1,
    "moment": datetime(2024, 5, 17, tzinfo=UTC),
    "text": "1",
    "uuid": UUID(int=1),
}
