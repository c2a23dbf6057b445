"""Keys of two tables as integers that are equal where the keys are, whatever their dtypes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from prodml._core.canonical_columns import plain_column, text_objects
from prodml._core.canonical_scalars import BOOLEAN, FLOAT, INTEGER, NULL, TEXT, Unreadable
from prodml._core.canonical_tokens import BIG
from prodml._core.column_building import concat_columns
from prodml._core.columns import factorize, is_arrow_backed, numpy_dtype
from prodml.errors import PointInTimeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from prodml._core.canonical_plain import PlainColumn

    Integers = npt.NDArray[np.int64]

__all__ = ["KeyCodes", "KeyColumn", "joint_codes"]

#: Codes may be this many times as many as rows before they are numbered anew.
_SPARSEST: Final = 4
_EXACT: Final = 2.0**53
_SMALL: Final = {big: small for small, big in BIG.items()}


class KeyColumn(NamedTuple):
    """One column of a key.

    Attributes
    ----------
    label : object
        Its name.
    owner : str
        Whose it is, for messages.
    column : object
        A pandas array.
    """

    label: Any
    owner: str
    column: Any


class KeyCodes(NamedTuple):
    """The keys of both tables as codes.

    Attributes
    ----------
    left, right : numpy.ndarray of int64
        One code a row: from 0, and -1 where a part of the key is missing. Not to be written to,
        since they may be the columns themselves.
    n : int
        All codes are less.
    """

    left: Integers
    right: Integers
    n: int


def joint_codes(left: Sequence[KeyColumn], right: Sequence[KeyColumn], /) -> KeyCodes:
    """Return codes for the keys of two tables.

    Integers of any width are equal by their value, and floats that are whole numbers equal them,
    because pandas makes floats of integers where one is missing.

    Parameters
    ----------
    left, right : sequence of KeyColumn
        The same number of columns, which belong together by their place.

    Raises
    ------
    PointInTimeError
        If two columns hold different types, so that no key could ever match, or one holds what is
        no key.
    """
    codes = KeyCodes(*_pair(left[0], right[0]))
    for one, other in zip(left[1:], right[1:], strict=True):
        codes = _combined(codes, KeyCodes(*_pair(one, other)))
    return codes


def _combined(first: KeyCodes, second: KeyCodes) -> KeyCodes:
    def both(one: Integers, other: Integers) -> Integers:
        joined = one * second.n + other
        joined[(one < 0) | (other < 0)] = -1
        return joined

    left, right = both(first.left, second.left), both(first.right, second.right)
    n = first.n * second.n
    if n > _SPARSEST * (len(left) + len(right)):
        values = np.concatenate([left, right])
        return _numbered(values, len(left), values < 0)
    return KeyCodes(left, right, n)


def _pair(one: KeyColumn, other: KeyColumn) -> KeyCodes:
    quick = _quick_pair(one.column, other.column)
    if quick is not None:
        return _numbered(quick, len(one.column), None)
    left, right = _plain(one), _plain(other)
    if NULL in {left.tag, right.tag}:
        # one of the sides has no key at all, so that one code will do for the other
        return KeyCodes(_known_or_not(one, left), _known_or_not(other, right), 1)
    if {left.tag, right.tag} == {INTEGER, FLOAT}:
        left, right = _whole(left), _whole(right)
    if _SMALL.get(left.tag, left.tag) != _SMALL.get(right.tag, right.tag):
        raise _types_differ(one, other)
    if left.tag == FLOAT:
        left, right = _whole(left, right), _whole(right, left)
    if left.tag == right.tag == INTEGER:
        return _integer_codes(left, right)
    missing = np.concatenate([_missing(one, left), _missing(other, right)])
    return _numbered(_joined_values(left, right), len(one.column), missing)


def _quick_pair(left: Any, right: Any) -> Any:
    """Return both columns as one where pandas numbers their values without looking at each."""
    if left.dtype != right.dtype:
        return None
    naive = numpy_dtype(left)
    if naive is not None and naive.kind == "M":  # has no canonical form, yet equals itself
        return np.concatenate([np.asarray(left), np.asarray(right)])
    text = type(left.dtype).__name__ == "StringDtype" and is_arrow_backed(left)
    return concat_columns([left, right]) if text and is_arrow_backed(right) else None


def _plain(key: KeyColumn) -> PlainColumn:
    try:
        return plain_column(key.column)
    except Unreadable as fault:
        message = (
            f"Column {key.label!r} of {key.owner} is no key: it holds {fault.reason}. "
            f"{fault.repair}"
        )
        raise PointInTimeError(message, column=str(key.label)) from None


def _known_or_not(key: KeyColumn, plain: PlainColumn) -> Integers:
    if plain.tag == NULL:
        return np.full(len(key.column), -1, dtype=np.int64)
    return np.where(_missing(key, plain), -1, 0)


def _missing(key: KeyColumn, plain: PlainColumn) -> npt.NDArray[np.bool_]:
    return np.zeros(len(key.column), dtype=bool) if plain.missing is None else plain.missing


def _whole(column: PlainColumn, other: PlainColumn | None = None) -> PlainColumn:
    """Return floats as integers where all of them are, and those of `other` too."""
    for each in (column, other):
        if each is not None and each.tag == FLOAT:
            known = each.values
            if not (np.all(np.abs(known) <= _EXACT) and np.all(known == np.rint(known))):
                return column
    if column.tag != FLOAT:
        return column
    return column._replace(tag=INTEGER, values=column.values.astype(np.int64))


def _integer_codes(left: PlainColumn, right: PlainColumn) -> KeyCodes:
    lowest = int(min(left.values.min(), right.values.min()))
    highest = int(max(left.values.max(), right.values.max()))
    most = _SPARSEST * (len(left.values) + len(right.values))
    if lowest >= 0 and highest < most:
        return KeyCodes(_masked(left.values, left), _masked(right.values, right), highest + 1)
    if highest - lowest < most:
        moved = [_masked(each.values - lowest, each) for each in (left, right)]
        return KeyCodes(moved[0], moved[1], highest - lowest + 1)
    values = np.concatenate([left.values, right.values])
    codes = _numbered(values, len(left.values), None)
    return codes._replace(left=_masked(codes.left, left), right=_masked(codes.right, right))


def _masked(codes: Integers, column: PlainColumn) -> Integers:
    return codes if column.missing is None else np.where(column.missing, -1, codes)


def _joined_values(left: PlainColumn, right: PlainColumn) -> Any:
    if left.tag == TEXT:
        return np.concatenate([text_objects(left), text_objects(right)])
    if left.tag == right.tag and left.tag != BOOLEAN and left.values.dtype != object:
        return np.concatenate([left.values, right.values])
    return np.concatenate([left.values.astype(object), right.values.astype(object)])


def _numbered(values: Any, n_left: int, missing: npt.NDArray[np.bool_] | None) -> KeyCodes:
    codes, distinct = factorize(values)
    if missing is not None:
        codes[missing] = -1
    return KeyCodes(codes[:n_left], codes[n_left:], max(len(distinct), 1))


def _types_differ(one: KeyColumn, other: KeyColumn) -> PointInTimeError:
    message = (
        f"Column {one.label!r} of {one.owner} holds keys of another type ({one.column.dtype}) than "
        f"column {other.label!r} of {other.owner} ({other.column.dtype}), so that none could "
        "match. Bring both to one type."
    )
    return PointInTimeError(message, column=str(one.label))
