"""What every quarantine store must do, as a suite for prodml's own stores and for yours."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from prodml.errors import EntryNotFoundError, EntryStateError, QuarantineFullError
from prodml.quarantine.store import DECIDED, Settlement
from prodml.rejections import Reason
from prodml.testing._deliveries import (
    BELOW,
    HOSTILE,
    START,
    TYPE,
    all_entries,
    exactly,
    later,
    make_delivery,
    pending_entry,
    tally,
    words,
)
from prodml.testing._requiring import N_THREADS, require, require_raises, run_in_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from prodml.quarantine.store import QuarantineStore

__all__ = ["QUARANTINE_STORE_CHECKS", "check_quarantine_store"]


def _starts_empty(store: QuarantineStore) -> None:
    require(all_entries(store), [], "entries of a new store")
    require(store.counts(), ((), ()), "counts of a new store")


def _returns_what_was_put(store: QuarantineStore) -> None:
    both = (BELOW, TYPE)
    given = make_delivery(
        {3: "x", 5: "y"},
        n_rows=9,
        keys=["k1", None],
        reason_sets=[(BELOW,), both],
        reasons=[0, 1],
        redacted=True,
    )
    outcome = store.put(given)
    require(tally(outcome), (2, 0, 0, 0, 0), "outcome of a first put")
    require((outcome.depth, outcome.batch_rows, outcome.batch_rejected), (2, 9, 2), "its totals")
    wanted = pending_entry(id=given.digests[0].hex(), row=3, key="k1", redacted=True)
    first, second = exactly(2, store)
    require(first, wanted, "the first entry")
    require((second.row, second.key, second.reasons), (5, None, both), "the second entry")


def _repeats_a_batch_without_effect(store: QuarantineStore) -> None:
    given = make_delivery({0: "x", 1: "y"})
    store.put(given)
    outcome = store.put(replace(given, at=later(1)))
    require(tally(outcome), (0, 0, 2, 0, 0), "outcome of the same put again")
    require((outcome.batch_rows, outcome.batch_rejected), (2, 2), "totals are not counted twice")
    entries = all_entries(store)
    require([one.attempts for one in entries], [2, 2], "attempts")
    require([one.first_seen for one in entries], [START] * 2, "first_seen stays")
    require([one.last_seen for one in entries], [later(1)] * 2, "last_seen moves")


def _keeps_rows_of_the_same_content_apart(store: QuarantineStore) -> None:
    store.put(make_delivery({0: "x", 1: "x"}, n_rows=2))
    outcome = store.put(make_delivery({2: "x", 3: "y"}, first_row=2, n_rows=2))
    require(tally(outcome), (2, 0, 0, 0, 0), "a later stretch with a row of the same content")
    require((outcome.batch_rows, outcome.batch_rejected), (4, 4), "totals of the batch")
    entries = all_entries(store)
    require(words(entries), ["x", "x", "x", "y"], "one entry for each row")
    require(len({one.id for one in entries}), 4, "distinct ids")


def _knows_a_row_of_another_batch(store: QuarantineStore) -> None:
    store.put(make_delivery({0: "x", 1: "x", 2: "y"}))
    again = make_delivery({5: "x", 7: "z"}, batch="tuesday", at=later(2), reason_sets=[(TYPE,)])
    outcome = store.put(again)
    require(tally(outcome), (1, 1, 0, 0, 0), "one row is known, one is new")
    first = exactly(4, store)[0]
    require((first.attempts, first.batch, first.row), (2, "tuesday", 5), "the latest sighting")
    require((first.reasons, first.last_seen), ((TYPE,), later(2)), "its reasons and time")
    outcome = store.put(replace(again, source="other.csv", digests=make_delivery(
        {5: "x", 7: "z"}, source="other.csv").digests))  # fmt: skip
    require(tally(outcome), (2, 0, 0, 0, 0), "another source has entries of its own")


def _reopens_what_comes_again(store: QuarantineStore) -> None:
    store.put(make_delivery({0: "released", 1: "discarded", 2: "replayed"}))
    released, discarded, replayed = (one.id for one in exactly(3, store))
    store.decide([released], "released", by="eve", note="fine", at=later(1))
    store.decide([discarded], "discarded", by="eve", note=None, at=later(1))
    store.settle(Settlement(accepted=[replayed], rejected={}, run="r", by="eve", at=later(1)))
    rows = {0: "released", 1: "discarded", 2: "replayed"}
    outcome = store.put(make_delivery(rows))
    require(tally(outcome), (0, 0, 3, 0, 0), "the same batch again reopens nothing")
    require(outcome.depth, 0, "depth")
    outcome = store.put(make_delivery(rows, batch="tuesday"))
    require(tally(outcome), (0, 3, 0, 2, 0), "another batch reopens all but the discarded")
    states = [(one.state, one.decided_at, one.run) for one in all_entries(store)]
    wanted = [("pending", None, None), ("discarded", later(1), None), ("pending", None, None)]
    require(states, wanted, "states after the other batch")


def _withdraws_what_a_second_try_accepts(store: QuarantineStore) -> None:
    store.put(make_delivery({0: "x", 1: "y", 2: "z"}, n_rows=3))
    second_try = make_delivery({1: "other", 2: "z"}, n_rows=3, at=later(3))
    outcome = store.put(second_try)
    require(tally(outcome), (1, 0, 1, 0, 2), "one accepted now, one replaced, one again")
    require((outcome.batch_rows, outcome.batch_rejected), (3, 2), "totals of the batch")
    found = {one.payload[2:-2]: (one.state, one.decided_at) for one in all_entries(store)}
    wanted = {
        "x": ("replayed", later(3)),
        "y": ("discarded", later(3)),
        "z": ("pending", None),
        "other": ("pending", None),
    }
    require(found, wanted, "states after the second try")
    outcome = store.put(make_delivery({}, n_rows=3, at=later(4)))
    require((tally(outcome), outcome.depth), ((0, 0, 0, 0, 2), 0), "a try that accepts all")


def _counts_a_batch_once_whatever_its_chunks(store: QuarantineStore) -> None:
    for first in (0, 4, 8):
        store.put(make_delivery({first: f"w{first}"}, first_row=first, n_rows=4))
    outcome = store.put(make_delivery({0: "w0", 4: "w4"}, first_row=0, n_rows=6))
    outcome = store.put(make_delivery({8: "w8"}, first_row=6, n_rows=6))
    require((outcome.batch_rows, outcome.batch_rejected), (12, 3), "totals with other chunks")
    require(len(all_entries(store)), 3, "entries")


def _refuses_what_has_no_room(store: QuarantineStore) -> None:
    store.put(make_delivery({0: "x"}, max_pending=2))
    before = all_entries(store), store.counts()
    too_much = make_delivery({0: "y", 1: "z"}, batch="tuesday", max_pending=2)
    error = require_raises(QuarantineFullError, lambda: store.put(too_much), "a full store")
    facts = (getattr(error, "depth", 0), getattr(error, "max_rows", 0), getattr(error, "n_rows", 0))
    require(facts, (3, 2, 2), "facts of the error")
    require((all_entries(store), store.counts()), before, "nothing was stored")
    outcome = store.put(replace(too_much, max_pending=3))
    require((outcome.n_new, outcome.depth), (2, 3), "room for all of it")
    outcome = store.put(make_delivery({0: "x"}, max_pending=3))
    require(outcome.n_repeated, 1, "a second try needs no room")


def _filters(store: QuarantineStore) -> None:
    store.put(make_delivery({0: "a", 1: "b", 2: "c"}, reason_sets=[(BELOW,), (BELOW, TYPE)],
                        reasons=[0, 1, 0]))  # fmt: skip
    store.put(make_delivery({0: "d"}, source="other", contract="refund", batch="tuesday"))
    store.put(make_delivery({0: "a"}, batch="tuesday"))
    ids = [one.id for one in exactly(4, store)]
    store.decide([ids[2]], "discarded", by="eve", note=None, at=START)
    store.settle(Settlement(accepted=[ids[3]], rejected={}, run="r1", by=None, at=START))
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["a", "b", "c", "d"]),
        ({"limit": 2}, ["a", "b"]),
        ({"limit": 0}, []),
        ({"states": ("pending",)}, ["a", "b"]),
        ({"states": ("discarded", "replayed")}, ["c", "d"]),
        ({"source": "orders.csv"}, ["a", "b", "c"]),
        ({"contract": "refund"}, ["d"]),
        ({"batch": "tuesday"}, ["a", "d"]),
        ({"run": "r1"}, ["d"]),
        ({"rule": "int_parsing"}, ["b"]),
        ({"column": "a"}, ["a", "b", "c", "d"]),
        ({"rule": "int_parsing", "column": "a"}, []),
        ({"max_attempts": 1}, ["b", "c", "d"]),
        ({"ids": (ids[3], ids[0], ids[0])}, ["a", "d"]),
        ({"ids": (ids[3], ids[0]), "limit": 1}, ["a"]),
        ({"ids": ()}, []),
        ({"ids": ("no id",)}, []),
        ({"ids": tuple(ids), "states": ("pending",), "source": "orders.csv"}, ["a", "b"]),
        ({"source": "nowhere"}, []),
    ]
    for which, wanted in cases:
        require(words(all_entries(store, **which)), wanted, f"entries of {which}")


def _decides_all_or_nothing(store: QuarantineStore) -> None:
    store.put(make_delivery({0: "x", 1: "y"}))
    first, second = (one.id for one in exactly(2, store))
    store.decide([first], "discarded", by="eve", note="rubbish", at=later(1))
    before = all_entries(store)
    decided = before[0]
    facts = (decided.state, decided.decided_by, decided.note, decided.decided_at)
    require(facts, ("discarded", "eve", "rubbish", later(1)), "what was decided")
    error = require_raises(
        EntryStateError,
        lambda: store.decide([second, first], "released", by="eve", note=None, at=later(2)),
        "deciding again",
    )
    require((getattr(error, "ids", ()), getattr(error, "state", "")), ((first,), "discarded"), "it")
    unknown = "0" * 32
    error = require_raises(
        EntryNotFoundError,
        lambda: store.decide([second, unknown], "released", by="eve", note=None, at=later(2)),
        "an unknown id",
    )
    require(getattr(error, "ids", ()), (unknown,), "the ids of the error")
    require(all_entries(store), before, "nothing was changed")


def _settles_what_is_pending(store: QuarantineStore) -> None:
    store.put(make_delivery({0: "fits", 1: "fails", 2: "gone"}))
    fits, fails, gone = (one.id for one in exactly(3, store))
    store.decide([gone], "discarded", by="eve", note=None, at=START)
    settlement = Settlement(
        accepted=[fits, gone], rejected={fails: (TYPE,)}, run="r1", by="eve", at=later(5)
    )
    require(store.settle(settlement), frozenset({fits}), "the entries that this call took")
    states = [(one.state, one.run, one.attempts, one.reasons) for one in all_entries(store)]
    wanted = [
        ("replayed", "r1", 1, (BELOW,)),
        ("pending", None, 2, (TYPE,)),
        ("discarded", None, 1, (BELOW,)),
    ]
    require(states, wanted, "states after the replay")
    require(store.settle(replace(settlement, rejected={})), frozenset(), "a second one gets none")
    require(store.settle(Settlement(accepted=["no id"], rejected={}, run="r2", by=None,
                                     at=START)), frozenset(), "an unknown id")  # fmt: skip


def _counts_states_and_reasons(store: QuarantineStore) -> None:
    store.put(make_delivery({0: "a", 1: "b", 2: "c"}, reason_sets=[(BELOW,), (BELOW, TYPE)],
                        reasons=[0, 1, 0]))  # fmt: skip
    store.put(make_delivery({0: "d"}, source="alpha", at=later(1)))
    store.decide([exactly(4, store)[2].id], "released", by="eve", note=None, at=START)
    states, reasons = store.counts()
    found = [(one.source, one.state, one.n, one.oldest) for one in states]
    wanted = [
        ("alpha", "pending", 1, later(1)),
        ("orders.csv", "pending", 2, START),
        ("orders.csv", "released", 1, START),
    ]
    require(found, wanted, "counts by state")
    counted = [(one.source, one.column, one.rule, one.message, one.n) for one in reasons]
    wanted_reasons = [
        ("orders.csv", "a", "greater_than_equal", "must be >= 1", 2),
        ("alpha", "a", "greater_than_equal", "must be >= 1", 1),
        ("orders.csv", "b", "int_parsing", "must be an integer", 1),
    ]
    require(counted, wanted_reasons, "counts by reason, the most frequent first")


def _purges_what_was_decided(store: QuarantineStore) -> None:
    store.put(make_delivery({0: "x", 1: "x", 2: "y", 3: "z"}))
    ids = [one.id for one in exactly(4, store)]
    store.decide([ids[0]], "discarded", by="eve", note=None, at=later(1))
    store.decide([ids[2]], "released", by="eve", note=None, at=later(1))
    require(store.purge(decided_before=later(1), states=DECIDED), 0, "decided at that moment")
    require(store.purge(decided_before=later(9), states=("pending",)), 0, "what waits stays")
    require(store.purge(decided_before=later(9), states=("discarded",)), 1, "one state alone")
    require(store.purge(decided_before=later(9), states=DECIDED), 1, "the other one")
    require([one.id for one in all_entries(store)], [ids[1], ids[3]], "what is left")
    outcome = store.put(make_delivery({0: "x", 1: "x", 2: "y"}, batch="tuesday"))
    require(tally(outcome), (2, 1, 0, 0, 0), "rows that come again after the purge")
    found = [one.id for one in all_entries(store)]
    require(len(set(found)), 4, "distinct ids")
    require(set(found) & {ids[0]}, set(), "an id that was purged while another like it stays")


def _holds_hostile_text(store: QuarantineStore) -> None:
    reason = Reason(column=HOSTILE, rule=HOSTILE, message=HOSTILE)
    given = make_delivery(
        {0: "x"}, source=HOSTILE, contract="c'\"", batch=HOSTILE, reason_sets=[(reason,)]
    )
    store.put(given)
    outcome = store.put(given)
    require(tally(outcome), (0, 0, 1, 0, 0), "the same hostile names again")
    (entry,) = exactly(1, store, source=HOSTILE, rule=HOSTILE, column=HOSTILE, batch=HOSTILE)
    require(entry.reasons, (reason,), "reasons come back as they were")
    store.settle(Settlement(accepted=[], rejected={entry.id: (TYPE,)}, run=HOSTILE, by=HOSTILE,
                            at=START))  # fmt: skip
    store.decide([entry.id], "discarded", by=HOSTILE, note=HOSTILE, at=START)
    require(len(all_entries(store, states=("discarded",))), 1, "entries after the decision")


def _takes_long_deliveries(store: QuarantineStore) -> None:
    n = 2500
    store.put(make_delivery({row: f"w{row}" for row in range(n)}))
    store.put(make_delivery({row: f"w{row}" for row in range(n)}, batch="tuesday"))
    store.put(make_delivery({row: f"w{n - row}" for row in range(n)}, batch="wednesday"))
    entries = all_entries(store)
    require(len(entries), n + 1, "entries")
    require(sum(one.attempts for one in entries), 3 * n, "attempts")
    ids = tuple(one.id for one in entries)
    require(
        [one.id for one in all_entries(store, ids=ids)], list(ids), "all of them by id, in order"
    )
    store.decide(ids, "discarded", by="eve", note=None, at=START)
    require(store.purge(decided_before=later(1), states=DECIDED), n + 1, "all purged")


def _is_safe_between_threads(store: QuarantineStore) -> None:
    n_rounds = 5

    def work(number: int) -> None:
        for turn in range(n_rounds):
            # everybody brings the same row, and one of its own
            rows = {0: "shared", 1: f"own-{number}-{turn}"}
            store.put(make_delivery(rows, batch=f"{number}-{turn}"))

    run_in_threads(work)
    entries = all_entries(store)
    require(len(entries), N_THREADS * n_rounds + 1, "entries of all threads")
    shared = [one.attempts for one in entries if one.payload == '["shared"]']
    require(shared, [N_THREADS * n_rounds], "attempts of the row that all brought")


def _gives_an_entry_to_one_replay(store: QuarantineStore) -> None:
    store.put(make_delivery({row: f"w{row}" for row in range(50)}))
    ids = [one.id for one in all_entries(store)]
    won: list[frozenset[str]] = []

    def replay(number: int) -> None:
        settlement = Settlement(accepted=ids, rejected={}, run=str(number), by=None, at=START)
        won.append(store.settle(settlement))

    run_in_threads(replay)
    require(sum(len(one) for one in won), 50, "entries that all replays took together")
    require(len(frozenset[str]().union(*won)), 50, "distinct ones among them")


#: The checks by name, to be run one by one over a new, empty store each.
QUARANTINE_STORE_CHECKS: Final[Mapping[str, Callable[[QuarantineStore], None]]] = {
    check.__name__.strip("_"): check
    for check in (
        _starts_empty,
        _returns_what_was_put,
        _repeats_a_batch_without_effect,
        _keeps_rows_of_the_same_content_apart,
        _knows_a_row_of_another_batch,
        _reopens_what_comes_again,
        _withdraws_what_a_second_try_accepts,
        _counts_a_batch_once_whatever_its_chunks,
        _refuses_what_has_no_room,
        _filters,
        _decides_all_or_nothing,
        _settles_what_is_pending,
        _counts_states_and_reasons,
        _purges_what_was_decided,
        _holds_hostile_text,
        _takes_long_deliveries,
        _is_safe_between_threads,
        _gives_an_entry_to_one_replay,
    )
}


def check_quarantine_store(make_store: Callable[[], QuarantineStore], /) -> None:
    """Check that a store does what the quarantine queue relies on.

    Parameters
    ----------
    make_store : callable
        Returns a new, empty store at each call.

    Raises
    ------
    AssertionError
        Names the check that failed, with what was expected and what was found.

    Examples
    --------
    >>> from prodml.testing import MemoryQuarantine
    >>> check_quarantine_store(MemoryQuarantine)
    """
    for name, check in QUARANTINE_STORE_CHECKS.items():
        store = make_store()
        try:
            check(store)
        except AssertionError as error:
            message = f"{name}: {error}"
            raise AssertionError(message) from None
        finally:
            store.close()
