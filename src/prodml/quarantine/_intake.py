"""Taking rejected rows in: new ones, ones that come again, and ones that no longer belong."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import count, repeat
from typing import TYPE_CHECKING, Any, Final

from prodml._core.sql import MOST_PARAMETERS, in_pieces, placeholders
from prodml._core.stored_values import storable, to_microseconds
from prodml.errors import QuarantineFullError
from prodml.quarantine._tables import ENTRY_COLUMNS
from prodml.quarantine.store import PutOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from prodml._core.sql import Session
    from prodml.quarantine.store import Delivery
    from prodml.rejections import Reason

__all__ = ["intern_reasons", "take_in"]

#: A row of the same content in a later batch is waited for again, unless it was discarded.
_REOPENED: Final = frozenset({"replayed", "released"})


def take_in(session: Session, delivery: Delivery) -> PutOutcome:
    """Store a delivery within one transaction."""
    batch = _note_batch(session, delivery)
    _note_stretch(session, delivery, batch)
    intake = _Intake(session, delivery, batch)
    fresh = intake.reconcile()
    if fresh:
        intake.insert(fresh)
    ((depth,),) = session.execute("SELECT COUNT(*) FROM entry WHERE state = 'pending'")
    _check_room(delivery, depth)
    ((n_rows,),) = session.execute(
        "SELECT COALESCE(SUM(n_rows), 0) FROM stretch WHERE batch_id = ?", (batch,)
    )
    ((n_rejected,),) = session.execute(
        "SELECT COUNT(*) FROM occurrence WHERE batch_id = ?", (batch,)
    )
    return PutOutcome(
        n_new=intake.n_new,
        n_known=intake.n_known,
        n_repeated=intake.n_repeated,
        n_reopened=intake.n_reopened,
        n_withdrawn=intake.n_withdrawn,
        depth=depth,
        batch_rows=int(n_rows),
        batch_rejected=n_rejected,
    )


def _check_room(delivery: Delivery, depth: int) -> None:
    limit = delivery.max_pending
    if limit is not None and depth > limit:
        message = (
            f"The quarantine is full: with {len(delivery.rows)} more rows from {delivery.source!r} "
            f"{depth} entries would wait, and at most {limit} may. Nothing of this was stored. "
            f"Replay, release or discard entries, or raise `max_rows`."
        )
        raise QuarantineFullError(message, depth=depth, max_rows=limit, n_rows=len(delivery.rows))


def next_numbers(session: Session, name: str, count: int) -> int:
    """Reserve numbers, and return the first."""
    ((first,),) = session.execute("SELECT next_number FROM counter WHERE name = ?", (name,))
    session.change("UPDATE counter SET next_number = next_number + ? WHERE name = ?", (count, name))
    return int(first)


def _note_batch(session: Session, delivery: Delivery) -> int:
    origin = (storable(delivery.source), storable(delivery.contract), storable(delivery.batch))
    found = session.execute(
        "SELECT id, fingerprint FROM batch WHERE source = ? AND contract = ? AND name = ?", origin
    )
    if not found:
        number = next_numbers(session, "batch", 1)
        columns = ("id", "source", "contract", "name", "fingerprint")
        session.insert_many("batch", columns, [(number, *origin, delivery.fingerprint)])
        return number
    ((number, fingerprint),) = found
    if fingerprint != delivery.fingerprint:
        session.change(
            "UPDATE batch SET fingerprint = ? WHERE id = ?", (delivery.fingerprint, number)
        )
    return int(number)


def _note_stretch(session: Session, delivery: Delivery, batch: int) -> None:
    end = delivery.first_row + delivery.n_rows
    # a job may be run again with chunks of another size
    session.change(
        "DELETE FROM stretch WHERE batch_id = ? AND first_row < ? AND first_row + n_rows > ?",
        (batch, end, delivery.first_row),
    )
    if delivery.n_rows:
        row = (batch, delivery.first_row, delivery.n_rows)
        session.insert_many("stretch", ("batch_id", "first_row", "n_rows"), [row])


def intern_contents(session: Session, table: str, contents: Sequence[str]) -> dict[str, int]:
    """Return the number of each text in a table of texts, where new ones are added."""
    numbers: dict[str, int] = {}
    for piece in in_pieces(contents):
        # the table is one of prodml's own
        statement = f"SELECT content, id FROM {table} WHERE content IN ({placeholders(len(piece))})"  # noqa: S608
        numbers |= dict(session.execute(statement, piece))
    absent = [content for content in dict.fromkeys(contents) if content not in numbers]
    if absent:
        first = next_numbers(session, table, len(absent))
        added = {content: first + at for at, content in enumerate(absent)}
        session.insert_many(
            table, ("id", "content"), [(number, content) for content, number in added.items()]
        )
        numbers |= added
    return numbers


def intern_reasons(session: Session, sets: Sequence[tuple[Reason, ...]]) -> list[int]:
    """Return the number of each combination of reasons, where new ones are added."""
    contents = [
        json.dumps([[one.column, one.rule, one.message] for one in reasons]) for reasons in sets
    ]
    ((before,),) = session.execute("SELECT next_number FROM counter WHERE name = 'reasons'")
    numbers = intern_contents(session, "reasons", contents)
    new = {
        number: reasons
        for content, reasons in zip(contents, sets, strict=True)
        if (number := numbers[content]) >= before
    }
    columns = ("reasons_id", "place", "column_name", "rule", "message")
    rows = [
        (number, place, storable(one.column), storable(one.rule), storable(one.message))
        for number, reasons in new.items()
        for place, one in enumerate(reasons)
    ]
    if rows:
        session.insert_many("reason", columns, rows)
    return [numbers[content] for content in contents]


@dataclass(slots=True, kw_only=True)
class _Candidates:
    """Entries of one content, by ordinal: which of them this batch already stands behind."""

    seqs: list[int] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    position: int = 0
    next_ordinal: int = 0

    def add(self, seq: int, state: str | None, ordinal: int) -> None:
        """Note an entry, in the order of ordinals; one that was purged has no state."""
        if state is not None:
            self.seqs.append(seq)
            self.states.append(state)
        self.next_ordinal = ordinal + 1


@dataclass(slots=True)
class _Intake:
    """One delivery on its way in."""

    session: Session
    delivery: Delivery
    batch: int
    n_new: int = 0
    n_known: int = 0
    n_repeated: int = 0
    n_reopened: int = 0
    n_withdrawn: int = 0
    at: int = field(init=False)
    reasons: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.at = to_microseconds(self.delivery.at)
        numbers = intern_reasons(self.session, self.delivery.reason_sets)
        self.reasons = [numbers[one] for one in self.delivery.reasons]

    def reconcile(self) -> list[int]:
        """Settle what this batch has put here before, and return the rows that are left."""
        given = self.delivery
        earlier = self.session.execute(
            "SELECT o.row_number, o.seq, e.payload, e.state, e.batch_id, e.row_number "
            "FROM occurrence o JOIN entry e ON e.seq = o.seq "
            "WHERE o.batch_id = ? AND o.row_number >= ? AND o.row_number < ?",
            (self.batch, given.first_row, given.first_row + given.n_rows),
        )
        if not earlier:
            return list(range(len(given.rows)))
        index = {row: at for at, row in enumerate(given.rows)}
        again: list[tuple[Any, ...]] = []
        gone: list[tuple[int, int]] = []
        withdrawn: list[tuple[Any, ...]] = []
        for row, seq, payload, state, batch, latest_row in earlier:
            at = index.get(row)
            if at is not None and given.payloads[at] == payload:
                again.append((self.at, self.reasons[at], seq))
                del index[row]
                continue
            gone.append((self.batch, row))
            if state == "pending" and (batch, latest_row) == (self.batch, row):
                accepted = at is None
                note = (
                    "was accepted when its batch was put again"
                    if accepted
                    else ("its batch was put again with another row in its place")
                )
                withdrawn.append((("replayed" if accepted else "discarded"), note, self.at, seq))
        self.session.execute_many(
            "UPDATE entry SET attempts = attempts + 1, last_seen = ?, reasons_id = ? WHERE seq = ?",
            again,
        )
        self.session.execute_many(
            "DELETE FROM occurrence WHERE batch_id = ? AND row_number = ?", gone
        )
        self.session.execute_many(
            "UPDATE entry SET state = ?, note = ?, decided_at = ? WHERE seq = ?", withdrawn
        )
        self.n_repeated, self.n_withdrawn = len(again), len(withdrawn)
        return sorted(index.values())

    def insert(self, fresh: Sequence[int]) -> None:
        """Store rows that this batch has not put before."""
        given = self.delivery
        first = next_numbers(self.session, "entry", len(fresh))
        ordinals = _ordinals([given.digests[at] for at in fresh])
        (layout,) = intern_contents(self.session, "layout", [given.layout]).values()
        self._insert_entries(fresh, count(first), ordinals, layout)
        n_identified = self.session.change(
            "INSERT INTO identity (digest, ordinal, seq) "
            "SELECT digest, ordinal, seq FROM entry WHERE seq >= ? ORDER BY digest, ordinal "
            "ON CONFLICT DO NOTHING",
            (first,),
        )
        known: list[tuple[int, int]] = []
        if n_identified < len(fresh):
            known = self._take_back(fresh, first)
        self.session.change(
            "INSERT INTO occurrence (batch_id, row_number, seq) "
            "SELECT batch_id, row_number, seq FROM entry WHERE seq >= ? ORDER BY row_number",
            (first,),
        )
        self.n_new = len(fresh) - len(known)
        if known:
            self._meet_again(known, layout)

    def _take_back(self, fresh: Sequence[int], first: int) -> list[tuple[int, int]]:
        """Undo the insertion of rows whose content is known; return them with their numbers."""
        collided = {
            bytes(digest)
            for (digest,) in self.session.execute(
                "SELECT e.digest FROM entry e JOIN identity i "
                "ON i.digest = e.digest AND i.ordinal = e.ordinal "
                "WHERE e.seq >= ? AND i.seq <> e.seq",
                (first,),
            )
        }
        digests = self.delivery.digests
        known = [(at, first + n) for n, at in enumerate(fresh) if digests[at] in collided]
        numbers = [(seq,) for _, seq in known]
        self.session.execute_many("DELETE FROM entry WHERE seq = ?", numbers)
        self.session.execute_many(
            "DELETE FROM identity WHERE digest = ? AND seq >= ?",
            [(digest, first) for digest in collided],
        )
        return known

    def _insert_entries(
        self, chosen: Sequence[int], seqs: Iterable[int], ordinals: Iterable[int], layout: int
    ) -> None:
        given = self.delivery
        everything = len(chosen) == len(given.rows)

        def of_chosen(values: Sequence[Any]) -> Iterable[Any]:
            return values if everything else map(values.__getitem__, chosen)

        self.session.insert_many(
            "entry",
            ENTRY_COLUMNS,
            zip(
                seqs, of_chosen(given.digests), ordinals, repeat(self.batch),
                of_chosen(given.rows), repeat(layout), of_chosen(self.reasons),
                repeat(None) if given.keys is None else of_chosen(given.keys),
                of_chosen(given.payloads), repeat(int(given.redacted)), repeat("pending"),
                repeat(1), repeat(self.at), repeat(self.at),
            ),
        )  # fmt: skip

    def _meet_again(self, known: Sequence[tuple[int, int]], layout: int) -> None:
        """Give each row an entry of its content that the batch does not stand behind yet."""
        found = self._find({self.delivery.digests[at] for at, _ in known})
        used = {
            seq
            for (seq,) in self.session.execute(
                "SELECT seq FROM occurrence WHERE batch_id = ?", (self.batch,)
            )
        }
        updates: list[tuple[Any, ...]] = []
        reopened: list[tuple[int]] = []
        added: list[tuple[int, int, int]] = []
        occurrences: list[tuple[int, int, int]] = []
        for at, new_seq in known:
            same = found[self.delivery.digests[at]]
            while same.position < len(same.seqs) and same.seqs[same.position] in used:
                same.position += 1
            if same.position == len(same.seqs):
                seq = new_seq
                added.append((at, seq, same.next_ordinal))
                same.add(seq, "pending", same.next_ordinal)
            else:
                seq = same.seqs[same.position]
                row = self.delivery.rows[at]
                updates.append((self.at, self.batch, row, self.reasons[at], seq))
                if same.states[same.position] in _REOPENED:
                    reopened.append((seq,))
            used.add(seq)
            occurrences.append((self.batch, self.delivery.rows[at], seq))
        self._store_meeting(updates, reopened, occurrences)
        if added:
            places, seqs, ordinals = zip(*added, strict=True)
            self._insert_entries(places, seqs, ordinals, layout)
            identities = [(self.delivery.digests[at], ordinal, seq) for at, seq, ordinal in added]
            self.session.insert_many("identity", ("digest", "ordinal", "seq"), identities)
        self.n_known, self.n_reopened = len(updates), len(reopened)
        self.n_new += len(added)

    def _find(self, digests: Iterable[bytes]) -> dict[bytes, _Candidates]:
        found: dict[bytes, _Candidates] = {}
        for piece in in_pieces(sorted(digests), MOST_PARAMETERS):
            rows = self.session.execute(
                "SELECT i.digest, i.seq, e.state, i.ordinal FROM identity i "  # noqa: S608 - own words
                "LEFT JOIN entry e ON e.seq = i.seq "
                f"WHERE i.digest IN ({placeholders(len(piece))}) ORDER BY i.digest, i.ordinal",
                piece,
            )
            for digest, seq, state, ordinal in rows:
                found.setdefault(bytes(digest), _Candidates()).add(seq, state, ordinal)
        return found

    def _store_meeting(
        self,
        updates: list[tuple[Any, ...]],
        reopened: list[tuple[int]],
        occurrences: list[tuple[int, int, int]],
    ) -> None:
        self.session.execute_many(
            "UPDATE entry SET attempts = attempts + 1, last_seen = ?, batch_id = ?, "
            "row_number = ?, reasons_id = ? WHERE seq = ?",
            updates,
        )
        self.session.execute_many(
            "UPDATE entry SET state = 'pending', decided_at = NULL, decided_by = NULL, "
            "note = NULL, run = NULL WHERE seq = ?",
            reopened,
        )
        self.session.insert_many("occurrence", ("batch_id", "row_number", "seq"), occurrences)


def _ordinals(digests: Sequence[bytes]) -> list[int]:
    """Return a number from 0 for each row among those of the same content."""
    if len(set(digests)) == len(digests):
        return [0] * len(digests)
    counts: Counter[bytes] = Counter()
    ordinals = []
    for digest in digests:
        ordinals.append(counts[digest])
        counts[digest] += 1
    return ordinals
