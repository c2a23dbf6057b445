"""Ledgers that each break one promise, to be found out by the suite."""

from __future__ import annotations

import threading
from dataclasses import replace

from prodml.testing import MemoryLedger


class NoFence(MemoryLedger):
    """Takes what anybody brings."""

    def _change(self, namespace, key, fence, **new):
        known = self._work.get((namespace, key))
        return super()._change(namespace, key, known.fence if known else fence, **new)


class NoLease(MemoryLedger):
    """Gives work away that somebody is at."""

    def claim(self, namespace, work, /, **options):
        """Break it."""
        return super().claim(namespace, work, **(options | {"now": options["until"].max.replace(
            tzinfo=options["now"].tzinfo)}))  # fmt: skip


class EternalLease(MemoryLedger):
    """Waits for the dead."""

    def claim(self, namespace, work, /, **options):
        """Break it."""
        until = options["until"].max.replace(tzinfo=options["now"].tzinfo)
        return super().claim(namespace, work, **(options | {"until": until}))


class NoPayload(MemoryLedger):
    """Takes the same key for the same work."""

    def claim(self, namespace, work, /, **options):
        """Break it."""
        return super().claim(
            namespace, [one._replace(payload_hash=b"p") for one in work], **options
        )


class NoLimit(MemoryLedger):
    """Tries for ever."""

    def claim(self, namespace, work, /, **options):
        """Break it."""
        return super().claim(namespace, work, **(options | {"max_attempts": 10**9}))


class WritesForTheLost(MemoryLedger):
    """Does not say whose work was lost."""

    def _write(self, write, lost, before, wanted):
        super()._write(write, frozenset(), before, wanted)


class WritesFirst(MemoryLedger):
    """Writes also where all is lost."""

    def _write(self, write, lost, before, wanted):
        super()._write(write, lost, before, True)


class KeepsMarks(MemoryLedger):
    """Keeps marks whose output failed."""

    def _write(self, write, lost, before, wanted):
        if write is not None and wanted:
            write(None, lost)


class Spendthrift(MemoryLedger):
    """Counts what was given up as a failure."""

    def _change(self, namespace, key, fence, **new):
        new.pop("attempt", None)
        return super()._change(namespace, key, fence, **new)


class OneNamespace(MemoryLedger):
    """Mixes up jobs."""

    def claim(self, namespace, work, /, **options):
        """Break it."""
        return super().claim("n", work, **options)


class NeverForgets(MemoryLedger):
    """Keeps results for ever."""

    def _change(self, namespace, key, fence, **new):
        new.pop("expires_at", None)
        return super()._change(namespace, key, fence, **new)


class NeverRenews(MemoryLedger):
    """Says that it has."""

    def heartbeat(self, namespace, claims, /, *, until):
        """Break it."""
        return frozenset()


class BelievesNobodyGone(MemoryLedger):
    """Waits for processes that have ended."""

    def claim(self, namespace, work, /, **options):
        """Break it."""
        return super().claim(namespace, work, **(options | {"gone": ()}))


class HalfKeys(MemoryLedger):
    """Looks at half of a record's key."""

    def known_records(self, namespace, keys, /):
        """Break it."""
        return super().known_records(namespace, keys._replace(low=keys.low * 0))

    def commit_records(self, namespace, keys, result, /, **options):
        """Break it."""
        return super().commit_records(namespace, keys._replace(low=keys.low * 0), result, **options)


class OverwritesRecords(MemoryLedger):
    """Commits records a second time."""

    def commit_records(self, namespace, keys, result, /, **options):
        """Break it."""
        self._records.clear()
        return super().commit_records(namespace, keys, result, **options)


class IgnoresRecordPayloads(MemoryLedger):
    """Does not see that a record has changed."""

    def known_records(self, namespace, keys, /):
        """Break it."""
        known, changed = super().known_records(namespace, keys)
        return known, changed & False


class NeverCounts(MemoryLedger):
    """Takes each try for the first one."""

    def claim(self, namespace, work, /, **options):
        """Break it."""
        self._work = {name: replace(one, attempt=1) for name, one in self._work.items()}
        return [one._replace(attempt=1) for one in super().claim(namespace, work, **options)]


class SameFence(MemoryLedger):
    """Gives all owners the same right."""

    def claim(self, namespace, work, /, **options):
        """Break it."""
        claims = super().claim(namespace, work, **options)
        for one in claims:
            name = namespace, one.key
            self._work[name] = replace(self._work[name], fence=1)
        return [one._replace(fence=1) for one in claims]


class CountsTwice(MemoryLedger):
    """Takes the same commit again."""

    def _change(self, namespace, key, fence, **new):
        known = self._work.get((namespace, key))
        if known is not None and known.fence == fence and known.state == "done":
            return True
        return super()._change(namespace, key, fence, **new)


class FreesEverything(MemoryLedger):
    """Does again what is done, and what was put aside."""

    frees = ("done", "quarantined")

    def claim(self, namespace, work, /, **options):
        """Break it."""
        for name, one in self._work.items():
            if one.state in self.frees:
                self._work[name] = replace(one, state="failed")
        return super().claim(namespace, work, **options)


class FreesWhatIsDone(FreesEverything):
    """Does again what is done."""

    frees = ("done",)


class FreesWhatWaits(FreesEverything):
    """Does again what was put aside."""

    frees = ("quarantined",)


class HoldsFailuresAgainstResults(MemoryLedger):
    """Does not begin anew where a result has expired."""

    def claim(self, namespace, work, /, **options):
        """Break it."""
        before = dict(self._work)
        claims = super().claim(namespace, work, **options)
        for at, one in enumerate(claims):
            known = before.get((namespace, one.key))
            if known is not None and known.state == "done":
                claims[at] = one._replace(attempt=known.attempt + 1)
        return claims


class KeepsNoResults(MemoryLedger):
    """Knows that it is done, but not what came of it."""

    def get_many(self, namespace, keys, /):
        """Break it."""
        found = super().get_many(namespace, keys)
        return {key: entry._replace(result="") for key, entry in found.items()}


class KeepsNoPayloads(MemoryLedger):
    """Does not know what a key came with."""

    def get_many(self, namespace, keys, /):
        """Break it."""
        found = super().get_many(namespace, keys)
        return {key: entry._replace(payload_hash=b"") for key, entry in found.items()}


class SecondHandLease(MemoryLedger):
    """Gives who takes work over no time of his own."""

    def claim(self, namespace, work, /, **options):
        """Break it."""
        before = dict(self._work)
        claims = super().claim(namespace, work, **options)
        for name, one in before.items():
            self._work[name] = replace(self._work[name], until=one.until)
        return claims


class OneStatement(MemoryLedger):
    """Cuts what does not fit into one statement."""

    def claim(self, namespace, work, /, **options):
        """Break it."""
        return super().claim(namespace, work[:900], **options)


class PlainWords(MemoryLedger):
    """Takes the words that its database takes."""

    def claim(self, namespace, work, /, **options):
        """Break it."""
        namespace.encode()
        return super().claim(namespace, work, **options)


class EachThreadForItself(MemoryLedger):
    """Forgets that there are other threads."""

    def __init__(self):
        self._of_thread = threading.local()
        super().__init__()

    @property
    def _work(self):
        return self._of_thread.__dict__.setdefault("work", {})

    @_work.setter
    def _work(self, work):
        self._of_thread.work = work


class FewRecords(MemoryLedger):
    """Cuts what does not fit into one statement."""

    def commit_records(self, namespace, keys, result, /, **options):
        """Break it."""
        few = type(keys)(*(part[:50_000] for part in keys))
        return super().commit_records(namespace, few, result, **options)


class RecordsWithoutOutput(MemoryLedger):
    """Remembers records whose output failed."""

    def commit_records(self, namespace, keys, result, /, *, now, write=None):
        """Break it."""
        stored = super().commit_records(namespace, keys, result, now=now)
        if stored and write is not None:
            write(None, frozenset())
        return stored


class OneNamespaceOfRecords(MemoryLedger):
    """Mixes up the records of jobs."""

    def known_records(self, namespace, keys, /):
        """Break it."""
        return super().known_records("n", keys)


BROKEN = [
    NoFence, NoLease, EternalLease, NoPayload, NoLimit, WritesForTheLost, WritesFirst, KeepsMarks,
    Spendthrift, OneNamespace, NeverForgets, NeverRenews, BelievesNobodyGone, HalfKeys,
    OverwritesRecords, IgnoresRecordPayloads, NeverCounts, SameFence, CountsTwice,
    FreesEverything, FreesWhatIsDone, FreesWhatWaits, HoldsFailuresAgainstResults, KeepsNoResults,
    KeepsNoPayloads, SecondHandLease, OneStatement, PlainWords, EachThreadForItself, FewRecords,
    RecordsWithoutOutput, OneNamespaceOfRecords,
]  # fmt: skip
