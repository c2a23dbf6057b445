"""For each question (a key and a time), the latest row that answers it.

Rows are put in order of key, event and created time. The answer to a question stands at or before
the place where its time would be sorted in, and nearly always right there. Where rows came late,
it takes some steps back; where too many rows came late, a running maximum over the times at which
rows become usable finds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from prodml.features._join_keys import KeyCodes
    from prodml.features._time_keys import Timeline

    Integers = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

__all__ = ["Answers", "latest_rows"]

#: Bits of a word that hold key and time. The sign is for keys that are missing.
_BITS: Final = 62
#: Steps back before the running maximum is the cheaper way.
_MOST_STEPS: Final = 12


class Answers(NamedTuple):
    """What was found for each question.

    Attributes
    ----------
    rows : numpy.ndarray of int64
        The row that answers, -1 where none does.
    expired : numpy.ndarray of bool
        Where there is a row, which is too old.
    leaking : numpy.ndarray of bool or None
        Where a row that was not yet known would answer, if that were no hindrance; None where
        nobody knows when rows became known.
    """

    rows: Integers
    expired: Flags
    leaking: Flags | None


class _Shelf(NamedTuple):
    """Rows in order.

    Attributes
    ----------
    order : numpy.ndarray of int64
        The row at each place.
    words : numpy.ndarray of int64
        Key and time of each place in one number, which rises.
    event : numpy.ndarray of int64 or None
        The times, by row; None where the words have them whole.
    created : numpy.ndarray of int64 or None
        When rows became known, by row.
    bits : int
        How many bits of a word are the time.
    dropped : int
        How many bits of a time are left out, because they do not fit.
    """

    order: Integers
    words: Integers
    event: Integers | None
    created: Integers | None
    bits: int
    dropped: int


class _Questions(NamedTuple):
    """Questions in order.

    Attributes
    ----------
    turn : numpy.ndarray of int64
        Which question each is.
    words : numpy.ndarray of int64
        Key and time in one number, as of the rows.
    at : numpy.ndarray of int64 or None
        The times; None where the words have them whole.
    """

    turn: Integers
    words: Integers
    at: Integers | None


def latest_rows(
    keys: KeyCodes, times: Timeline, /, *, as_known: bool, ttl_ns: int | None
) -> Answers:
    """Return the latest row of the same key at or before each time.

    Parameters
    ----------
    keys : KeyCodes
        Questions on the left, rows on the right.
    times : Timeline
        The same.
    as_known : bool
        Take only rows whose created time is not later either.
    ttl_ns : int or None
        The oldest age that counts, in nanoseconds.

    Notes
    -----
    Among the rows of a key with ``event <= at`` (and ``created <= at``), the one with the greatest
    event, then created time, then place in the frame. Age is looked at last: if the latest row is
    too old, all are. Time O((n + m) log(n + m)), memory about eight words a row.
    """
    ttl = None if ttl_ns is None else ttl_ns // times.unit_ns
    shelf = _shelf(keys, times)
    asked = _questions(keys, times, shelf)
    del times  # for the memory: what is needed of it is in order now
    places = np.searchsorted(shelf.words, asked.words, side="right") - 1
    _forget_other_keys(shelf, places, asked.words)
    if shelf.dropped:
        waiting = np.flatnonzero(places >= 0)
        waiting = waiting[_not_yet(shelf, places, asked, waiting, known=False)]
        _step_back(shelf, places, asked, waiting, known=False)

    leaking = None
    if shelf.created is not None:
        late = np.flatnonzero(places >= 0)
        late = late[_not_yet(shelf, places, asked, late, known=True)]
        leaking = np.zeros(len(places), dtype=bool)
        leaking[asked.turn[late[~_too_old(shelf, places, asked, late, ttl)]]] = True
        if as_known:
            _step_back(shelf, places, asked, late, known=True)

    found = np.flatnonzero(places >= 0)
    old = _too_old(shelf, places, asked, found, ttl)
    expired = np.zeros(len(places), dtype=bool)
    expired[asked.turn[found[old]]] = True
    found = found[~old]
    rows = np.full(len(places), -1, dtype=np.int64)
    rows[asked.turn[found]] = shelf.order[places[found]]
    return Answers(rows, expired, leaking)


def _shelf(keys: KeyCodes, times: Timeline) -> _Shelf:
    dropped = max(0, keys.n.bit_length() + times.end.bit_length() - _BITS)
    bits = times.end.bit_length() - dropped
    words = (keys.right << bits) | (times.event >> dropped)
    order = np.argsort(words, kind="stable")
    # rows without a key come first, and answer nothing
    order = order[int(np.count_nonzero(keys.right < 0)) :]
    words = words[order]
    event = times.event if dropped else None
    shelf = _Shelf(order, words, event, times.created, bits, dropped)
    _settle_ties(shelf, times.written)
    return shelf


def _questions(keys: KeyCodes, times: Timeline, shelf: _Shelf) -> _Questions:
    words = (keys.left << shelf.bits) | (times.at >> shelf.dropped)
    turn = np.argsort(words, kind="stable")
    return _Questions(turn, words[turn], times.at[turn] if shelf.dropped else None)


def _settle_ties(shelf: _Shelf, written: tuple[Integers, ...]) -> None:
    """Put rows whose words are equal in order, too: few, as a rule."""
    if shelf.created is None and not shelf.dropped:
        return
    same = shelf.words[1:] == shelf.words[:-1]
    if not same.any():
        return
    tied = np.zeros(len(shelf.words), dtype=bool)
    tied[1:] = same
    tied[:-1] |= same
    places = np.flatnonzero(tied)
    rows = shelf.order[places]
    order = [part[rows] for part in written]
    if shelf.event is not None:
        order.append(shelf.event[rows])
    # the sort is stable, so that the later row of the frame stays the later one
    within = np.lexsort((*order, shelf.words[places]))
    shelf.order[places] = rows[within]


def _forget_other_keys(shelf: _Shelf, places: Integers, asked: Integers) -> None:
    if not len(shelf.words):
        return
    # place -1 reads the last word, whose key may be the same; it stays -1
    other = (shelf.words[places] >> shelf.bits) != (asked >> shelf.bits)
    places[other] = -1


def _happened(shelf: _Shelf, places: Integers) -> Integers:
    """Return when the rows at some places happened."""
    if shelf.event is not None:
        return shelf.event[shelf.order[places]]
    return shelf.words[places] & ((1 << shelf.bits) - 1)


def _when(shelf: _Shelf, asked: _Questions, which: Integers) -> Integers:
    """Return the times of some questions."""
    if asked.at is not None:
        return asked.at[which]
    return asked.words[which] & ((1 << shelf.bits) - 1)


def _too_old(
    shelf: _Shelf, places: Integers, asked: _Questions, which: Integers, ttl: int | None
) -> Flags:
    if ttl is None:
        return np.zeros(len(which), dtype=bool)
    return _when(shelf, asked, which) - _happened(shelf, places[which]) > ttl


def _not_yet(
    shelf: _Shelf, places: Integers, asked: _Questions, which: Integers, *, known: bool
) -> Flags:
    """Say at which places stands a row that had not happened, or was not known if that counts."""
    at = _when(shelf, asked, which)
    rows = shelf.order[places[which]]
    later = np.zeros(len(which), dtype=bool)
    if shelf.event is not None:
        later |= shelf.event[rows] > at
    if known and shelf.created is not None:
        later |= shelf.created[rows] > at
    return later


def _step_back(
    shelf: _Shelf, places: Integers, asked: _Questions, waiting: Integers, *, known: bool
) -> None:
    """Move the places of some questions back to a row that had happened, or was known.

    Parameters
    ----------
    shelf, asked
        The rows and the questions.
    places : numpy.ndarray of int64
        Where each question stands, changed in place; -1 where nothing answers it.
    waiting : numpy.ndarray of int64
        The questions that stand at a row which is not the one.
    known : bool
        Whether rows must have been known.
    """
    for _ in range(_MOST_STEPS):
        if not len(waiting):
            return
        back = places[waiting] - 1
        _forget_other_keys(shelf, back, asked.words[waiting])
        places[waiting] = back
        waiting = waiting[back >= 0]
        waiting = waiting[_not_yet(shelf, places, asked, waiting, known=known)]
    if len(waiting):
        places[waiting] = _running_maximum(shelf, asked, waiting, known=known)


def _running_maximum(
    shelf: _Shelf, asked: _Questions, waiting: Integers, *, known: bool
) -> Integers:
    """Return the place of the answer to some questions, however far back it is.

    A row is usable from the later of its two times on. In the order of that time the answer is the
    greatest place so far; places of an earlier key are smaller, so that the maximum need not start
    anew.
    """
    owner = shelf.words >> shelf.bits
    asker = asked.words[waiting] >> shelf.bits
    wanted = np.unique(asker)
    spot = np.minimum(np.searchsorted(wanted, owner), len(wanted) - 1)
    places = np.flatnonzero(wanted[spot] == owner)
    usable = _happened(shelf, places)
    if known and shelf.created is not None:
        usable = np.maximum(usable, shelf.created[shelf.order[places]])
    # ranks instead of times, since key and time may not fit into one word
    at = _when(shelf, asked, waiting)
    moments = np.unique(at)
    span = len(moments) + 1
    code = spot[places] * span + np.searchsorted(moments, usable)
    turn = np.argsort(code, kind="stable")
    code, highest = code[turn], np.maximum.accumulate(places[turn])
    question = np.searchsorted(wanted, asker) * span + np.searchsorted(moments, at)
    before = np.searchsorted(code, question, side="right") - 1
    answer = np.where(before >= 0, highest[before], -1)
    _forget_other_keys(shelf, answer, asked.words[waiting])
    return answer
