"""What every ledger must do, as a suite for prodml's own ledgers and for yours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.stored_values import to_microseconds
from prodml.batch.key import RecordKeys, WorkKey
from prodml.batch.ledger import Claim, RecordLedger, WorkFailure, WorkResult
from prodml.testing._requiring import N_THREADS, require, require_raises, run_in_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from prodml.batch.ledger import Ledger, State

__all__ = ["LEDGER_CHECKS", "check_ledger"]

_START: Final = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
_LEASE: Final = timedelta(seconds=60)
_MANY: Final = 1_300
_HOSTILE: Final = "a\x00b\ud800'; DROP TABLE work; --"
_EXTREMES: Final = (-(2**63), -1, 0, 1, 2**63 - 1)


def _key(name: object, payload: bytes = b"p") -> WorkKey:
    return WorkKey(b"k1:" + str(name).encode(), payload)


def _later(seconds: float) -> datetime:
    return _START + timedelta(seconds=seconds)


def _claim(ledger: Ledger, *work: WorkKey, at: float = 0.0, **options: Any) -> list[Claim]:
    now = _later(at)
    given: dict[str, Any] = {"owner": "w1", "now": now, "until": now + _LEASE, "max_attempts": 5}
    return sorted(ledger.claim("n", list(work), **(given | options)))


def _result(claim: Claim, **facts: Any) -> WorkResult:
    return WorkResult(claim.key, claim.fence, 0, 3, 2, 1, 2)._replace(**facts)


def _only(claims: list[Claim]) -> Claim:
    require(len(claims), 1, "number of claims")
    return claims[0]


def _commit(ledger: Ledger, *claims: Claim, **options: Any) -> frozenset[bytes]:
    return ledger.commit("n", [_result(one) for one in claims], now=_later(1), **options)


def _fail(ledger: Ledger, claim: Claim, state: State = "failed") -> frozenset[bytes]:
    failure = WorkFailure(claim.key, claim.fence, state, 3, "no")
    return ledger.fail("n", [failure], now=_later(1))


def _state(ledger: Ledger, name: object) -> str | None:
    work = _key(name)
    entry = ledger.get_many("n", [work.key]).get(work.key)
    return None if entry is None else entry.state


def _gives_a_new_key_to_who_asks(ledger: Ledger) -> None:
    require(ledger.get_many("n", [_key(1).key]), {}, "what is known of a new key")
    require(_claim(ledger, _key(1)), [Claim(_key(1).key, 1, 1, "running")], "the first claim")
    entry = ledger.get_many("n", [_key(1).key, _key(2).key])[_key(1).key]
    require(tuple(entry), ("running", b"p", 1, "", "w1"), "what is known of it then")


def _gives_a_key_to_one_at_a_time(ledger: Ledger) -> None:
    _claim(ledger, _key(1))
    require(_claim(ledger, _key(1), at=60, owner="w2"), [], "a claim before the lease is over")
    taken = _claim(ledger, _key(1), at=61, owner="w2")
    require(taken, [Claim(_key(1).key, 2, 2, "running")], "a claim when the lease is over")
    require(_claim(ledger, _key(1), at=120), [], "a claim before the second lease is over")
    require(_only(_claim(ledger, _key(1), at=122)).fence, 3, "the fence of a third claim")


def _takes_work_from_owners_that_are_gone(ledger: Ledger) -> None:
    _claim(ledger, _key(1))
    _claim(ledger, _key(2), owner="w2")
    _commit(ledger, *_claim(ledger, _key(3)))
    work = [_key(1), _key(2), _key(3)]
    taken = _claim(ledger, *work, at=1, owner="w3", gone=["w1", "w9"])
    require(taken, [Claim(_key(1).key, 2, 2, "running")], "claims where w1 is gone")


def _refuses_who_was_overtaken(ledger: Ledger) -> None:
    old = _only(_claim(ledger, _key(1)))
    new = _only(_claim(ledger, _key(1), at=61, owner="w2"))
    lost = frozenset([old.key])
    require(_commit(ledger, old), lost, "a commit under an old fence")
    require(_fail(ledger, old), lost, "a failure under an old fence")
    require(ledger.heartbeat("n", [old], until=_later(999)), lost, "a renewal under it")
    require(_state(ledger, 1), "running", "the state after that")
    require(_commit(ledger, new), frozenset(), "a commit under the new fence")
    require(_commit(ledger, new), lost, "the same commit again")
    require(_fail(ledger, new), lost, "a failure behind the commit")


def _renews_leases(ledger: Ledger) -> None:
    claims = _claim(ledger, _key(1), _key(2))
    require(ledger.heartbeat("n", claims, until=_later(200)), frozenset(), "renewals")
    require(_claim(ledger, _key(1), _key(2), at=199), [], "a claim before the new lease is over")
    require(len(_claim(ledger, _key(1), at=201)), 1, "claims when it is over")


def _leaves_alone_what_is_done(ledger: Ledger) -> None:
    _commit(ledger, *_claim(ledger, _key(1)))
    require(_state(ledger, 1), "done", "state")
    require(_claim(ledger, _key(1), at=999_999), [], "a claim of what is done")


def _tries_again_what_failed(ledger: Ledger) -> None:
    claim = _only(_claim(ledger, _key(1)))
    require(_fail(ledger, claim), frozenset(), "what was lost by a failure")
    again = _only(_claim(ledger, _key(1), at=1))
    require(again, Claim(claim.key, 2, 2, "running"), "the claim of what failed")


def _gives_attempts_back(ledger: Ledger) -> None:
    claim = _only(_claim(ledger, _key(1)))
    _fail(ledger, claim, "pending")
    again = _only(_claim(ledger, _key(1), at=1))
    require(again, Claim(claim.key, 2, 1, "running"), "the claim of what was given up")


def _puts_aside_what_fails_too_often(ledger: Ledger) -> None:
    for attempt in (1, 2):
        claim = _only(_claim(ledger, _key(1), at=100 * attempt, max_attempts=2))
        require(claim.attempt, attempt, "attempt")
    aside = _only(_claim(ledger, _key(1), at=300, max_attempts=2))
    require(aside, Claim(claim.key, 3, 2, "quarantined"), "the claim beyond the last attempt")
    require(_claim(ledger, _key(1), at=400, max_attempts=9), [], "a claim of what is put aside")
    require(_commit(ledger, claim), frozenset([claim.key]), "a commit of what is put aside")
    other = _only(_claim(ledger, _key(2)))
    _fail(ledger, other, "quarantined")
    require(_claim(ledger, _key(2), at=400), [], "a claim of what was put aside by hand")


def _keeps_payloads_apart(ledger: Ledger) -> None:
    other = _key(1, b"other")
    claim = _only(_claim(ledger, _key(1)))
    require(_claim(ledger, other, at=999), [], "another payload, of what runs")
    _fail(ledger, claim)
    require(_claim(ledger, other), [], "another payload, of what failed")
    claim = _only(_claim(ledger, _key(1)))
    _commit(ledger, claim)
    require(_claim(ledger, other), [], "another payload, of what is done")
    require(ledger.get_many("n", [other.key])[other.key].payload_hash, b"p", "the payload")


def _forgets_results_that_expire(ledger: Ledger) -> None:
    _fail(ledger, _only(_claim(ledger, _key(1))))
    claim = _only(_claim(ledger, _key(1)))
    expires = to_microseconds(_later(100))
    done = _result(claim, result='{"a":1}', expires_at=expires)
    ledger.commit("n", [done], now=_later(1))
    require(ledger.get_many("n", [claim.key])[claim.key].result, '{"a":1}', "the result")
    require(_claim(ledger, _key(1), at=100), [], "a claim before it expires")
    again = _only(_claim(ledger, _key(1), at=101, max_attempts=2))
    require(again, Claim(claim.key, 3, 1, "running"), "a claim when it has expired")


def _keeps_namespaces_apart(ledger: Ledger) -> None:
    held = _claim(ledger, _key(1))
    now = _later(0)
    given: dict[str, Any] = {"owner": "w", "now": now, "until": now + _LEASE, "max_attempts": 5}
    for other in ("m", "o"):  # before and behind it
        claims = ledger.claim(other, [_key(1)], **given)
        require(claims, held, "claims in another namespace")
        ledger.commit(other, [_result(one) for one in claims], now=now)
        require(_state(ledger, 1), "running", "the state when another namespace is done")
    require(_commit(ledger, *held), frozenset(), "the commit after it")
    require(ledger.get_many("p", [_key(1).key]), {}, "what a fourth one knows")


def _writes_output_with_the_marks(ledger: Ledger) -> None:
    told: list[frozenset[bytes]] = []
    old = _claim(ledger, _key(1))
    new = _claim(ledger, _key(1), at=61, owner="w2") + _claim(ledger, _key(2))
    lost = frozenset([_key(1).key])

    def write(_session: object, keys: frozenset[bytes]) -> None:
        told.append(keys)

    require(_commit(ledger, *old, write=write), lost, "keys lost where all are")
    require(told, [], "calls of `write` where all is lost")
    require(_commit(ledger, *old, new[1], write=write), lost, "keys lost where some are")
    require(told, [lost], "what `write` was told")


def _takes_marks_back_with_the_output(ledger: Ledger) -> None:
    claims = _claim(ledger, _key(1), _key(2))

    def write(_session: object, _lost: frozenset[bytes]) -> None:
        raise ZeroDivisionError

    require_raises(
        ZeroDivisionError, lambda: _commit(ledger, *claims, write=write), "an error of `write`"
    )
    require((_state(ledger, 1), _state(ledger, 2)), ("running", "running"), "states after it")
    require(_commit(ledger, *claims), frozenset(), "the commit after it")


def _takes_hostile_words(ledger: Ledger) -> None:
    now = _later(0)
    given: dict[str, Any] = {"now": now, "until": now + _LEASE, "max_attempts": 5}
    claims = ledger.claim(_HOSTILE, [_key(1)], owner=_HOSTILE, **given)
    failure = WorkFailure(claims[0].key, 1, "failed", 1, _HOSTILE * 500)
    require(ledger.fail(_HOSTILE, [failure], now=now), frozenset(), "a failure with such words")
    found = ledger.get_many(_HOSTILE, [_key(1).key])[_key(1).key]
    require(found.state, "failed", "the state under such a name")
    ledger.claim(_HOSTILE, [_key(1)], owner=_HOSTILE, **given)
    taken = ledger.claim(_HOSTILE, [_key(1)], owner="w", gone=[_HOSTILE], **given)
    require([one.fence for one in taken], [3], "fences where an owner of such a name is gone")


def _takes_nothing_and_much(ledger: Ledger) -> None:
    require(_claim(ledger), [], "claims of nothing")
    require(_commit(ledger), frozenset(), "a commit of nothing")
    require(ledger.heartbeat("n", [], until=_later(1)), frozenset(), "renewals of nothing")
    require(ledger.fail("n", [], now=_later(1)), frozenset(), "failures of nothing")
    require(ledger.get_many("n", []), {}, "what is known of nothing")
    work = [_key(number) for number in range(_MANY)]
    claims = _claim(ledger, *work)
    require(len(claims), _MANY, "claims of many keys")
    require(ledger.heartbeat("n", claims, until=_later(99)), frozenset(), "their renewal")
    require(_commit(ledger, *claims), frozenset(), "their commit")
    require(len(ledger.get_many("n", [one.key for one in work])), _MANY, "what is known of them")


def _lets_one_of_many_threads_win(ledger: Ledger) -> None:
    won: list[int] = []
    work = [_key(number) for number in range(30)]

    def run(number: int) -> None:
        for one in work if number % 2 else reversed(work):
            claims = _claim(ledger, one, owner=str(number))
            won.extend(number for claim in claims if not _commit(ledger, claim))

    run_in_threads(run)
    require(len(won), len(work), f"commits of {N_THREADS} threads over {len(work)} keys")


def _records(high: Sequence[int], low: int = 0, payload: int = 7) -> RecordKeys:
    ones = np.ones(len(high), dtype=np.int64)
    return RecordKeys(np.array(high, dtype=np.int64), low * ones, payload * ones)


def _remember(ledger: RecordLedger, keys: RecordKeys, name: str, **options: Any) -> bool:
    result = WorkResult(_key(name).key, 1, 0, len(keys.high), len(keys.high), 0, 1)
    return ledger.commit_records("n", keys, result, now=_later(1), **options)


def _look_up(ledger: RecordLedger, keys: RecordKeys, namespace: str = "n") -> list[list[bool]]:
    return [one.tolist() for one in ledger.known_records(namespace, keys)]


def _remembers_records(ledger: RecordLedger) -> None:
    keys = _records(_EXTREMES)
    require(_look_up(ledger, keys), [[False] * 5] * 2, "records of a new ledger")
    require([_remember(ledger, keys, "a")], [True], "a first commit of records")
    require(_look_up(ledger, keys), [[True] * 5, [False] * 5], "records that are known")
    require(_look_up(ledger, _records([5, 1])), [[False, True], [False] * 2], "a new one among")
    changed = _records([1, 5], payload=8)
    require(_look_up(ledger, changed), [[True, False]] * 2, "one with another payload")
    require(_look_up(ledger, _records([1], low=1)), [[False]] * 2, "one with another second half")
    require(_look_up(ledger, keys, "m"), [[False] * 5] * 2, "in another namespace")
    require(_look_up(ledger, _records([])), [[], []], "no records")
    require([_remember(ledger, _records([1], low=1), "b")], [True], "another second half")
    require(_look_up(ledger, _records([1], low=1)), [[True], [False]], "it is known then")
    require(_look_up(ledger, _records([1, 1], low=2)), [[False] * 2] * 2, "a third one is not")


def _commits_records_once(ledger: RecordLedger) -> None:
    told: list[str] = []
    _remember(ledger, _records([1, 2]), "a")
    again = _remember(
        ledger, _records([3, 2]), "b", write=lambda _session, _lost: told.append("written")
    )
    require((again, told), (False, []), "a commit of a record that is known, and its output")
    require(_look_up(ledger, _records([3])), [[False]] * 2, "a record beside it")
    work: Any = ledger
    require(work.get_many("n", [_key("b").key]), {}, "the work that was not committed")

    def fail(_session: object, _lost: frozenset[bytes]) -> None:
        raise ZeroDivisionError

    require_raises(
        ZeroDivisionError, lambda: _remember(ledger, _records([4]), "c", write=fail), "a write"
    )
    require(_look_up(ledger, _records([4])), [[False]] * 2, "a record whose output failed")


def _remembers_many_records(ledger: RecordLedger) -> None:
    high = np.random.default_rng(0).integers(-(2**62), 2**62, 120_000)
    keys = RecordKeys(high, high // 3, high // 7)
    first = RecordKeys(*(part[::2] for part in keys))
    require([_remember(ledger, first, "a")], [True], "a commit of many records")
    known, changed = ledger.known_records("n", keys)
    require(int(known[::2].sum()), len(first.high), "how many are known")
    require(int(known[1::2].sum()) + int(changed.sum()), 0, "how many others are")


#: What a ledger of claims must do, check by check; each takes a new ledger.
LEDGER_CHECKS: Final[Mapping[str, Callable[[Any], None]]] = {
    check.__name__.removeprefix("_"): check
    for check in (
        _gives_a_new_key_to_who_asks,
        _gives_a_key_to_one_at_a_time,
        _takes_work_from_owners_that_are_gone,
        _refuses_who_was_overtaken,
        _renews_leases,
        _leaves_alone_what_is_done,
        _tries_again_what_failed,
        _gives_attempts_back,
        _puts_aside_what_fails_too_often,
        _keeps_payloads_apart,
        _forgets_results_that_expire,
        _keeps_namespaces_apart,
        _writes_output_with_the_marks,
        _takes_marks_back_with_the_output,
        _takes_hostile_words,
        _takes_nothing_and_much,
        _lets_one_of_many_threads_win,
        _remembers_records,
        _commits_records_once,
        _remembers_many_records,
    )
}
#: Those that ask for the memory of records, which not every ledger has.
_OF_RECORDS: Final = frozenset(name for name in LEDGER_CHECKS if name.endswith(("records", "once")))


def check_ledger(make_ledger: Callable[[], Ledger], /) -> None:
    """Raise AssertionError on the first promise that a ledger does not keep.

    Parameters
    ----------
    make_ledger : callable
        Returns a new, empty ledger. It is called once for each check. Where ledgers remember
        records (:class:`~prodml.batch.RecordLedger`), that is checked too.

    Raises
    ------
    AssertionError
        Names the check that failed, with what was expected and what was found.

    Examples
    --------
    >>> from prodml.testing import MemoryLedger
    >>> check_ledger(MemoryLedger)
    """
    for name, check in LEDGER_CHECKS.items():
        ledger = make_ledger()
        if name in _OF_RECORDS and not isinstance(ledger, RecordLedger):
            continue
        try:
            check(ledger)
        except AssertionError as error:
            message = f"{name}: {error}"
            raise AssertionError(message) from error
        except Exception as error:
            message = f"{name}: no error expected, raised {error!r}."
            raise AssertionError(message) from error
