"""The checks of `prodml.testing` have teeth: each law, broken alone, is found and named."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Mapping

import pytest

from prodml.errors import FormatError, MergeError
from prodml.evidence import Evidence
from prodml.testing import check_evidence_source, check_mergeable


class Words:
    """How often each word occurs, beyond a least length: a summary that keeps every law."""

    def __init__(self, least: int, counts: Mapping[str, int]) -> None:
        self.least = least
        self.counts = dict(counts)

    @classmethod
    def of(cls, text: str, least: int = 1):
        """Summarise the words of a text."""
        words = [word for word in text.split() if len(word) >= least]
        return cls(least, {word: words.count(word) for word in words})

    def merge(self, other):
        """Add the counts."""
        if self.least != other.least:
            message = "different least lengths"
            raise MergeError(message, left=self.least, right=other.least)
        words = self.counts.keys() | other.counts.keys()
        added = {word: self.counts.get(word, 0) + other.counts.get(word, 0) for word in words}
        return type(self)(self.least, added)

    def empty(self):
        """Return the summary of no text."""
        return type(self)(self.least, {})

    def to_bytes(self):
        """Return sorted JSON."""
        return json.dumps([self.least, sorted(self.counts.items())]).encode()

    @classmethod
    def from_bytes(cls, data):
        """Read sorted JSON."""
        try:
            least, counts = json.loads(data)
            return cls(least, dict(counts))
        except (TypeError, ValueError) as error:
            message = "no summary of words"
            raise FormatError(message) from error


class Orderly(Words):
    """Keeps the laws, and has the operators as well."""

    def __add__(self, other):
        return self.merge(other)

    def __radd__(self, other):
        return self if other == 0 else NotImplemented

    def __eq__(self, other):
        return self.to_bytes() == other.to_bytes()

    def __hash__(self):
        return hash(self.to_bytes())


class TakesTheLeftWord(Words):
    """Keeps the count of the left one where both have a word."""

    def merge(self, other):
        """Overwrite instead of adding."""
        Words.merge(self, other)
        return type(self)(self.least, {**other.counts, **self.counts})


class Averages(Words):
    """Takes the mean of two counts, which depends on the brackets."""

    def merge(self, other):
        """Halve the sum; the words of nothing are left out of it."""
        if not self.counts or not other.counts:
            return Words.merge(self, other)
        added = Words.merge(self, other).counts
        return type(self)(self.least, {word: count / 2 for word, count in added.items()})


class CountsMerges(Words):
    """The empty summary is not nothing."""

    def empty(self):
        """Return the summary of one word that nobody said."""
        return type(self)(self.least, {"merged": 1})


class ForgetsItsSetting(Words):
    """The empty summary is not of the same setting for all."""

    def empty(self):
        """Return a summary that depends on the rows."""
        return type(self)(self.least, {}) if "b" in self.counts else Words(2, {})


class AddsInPlace(Words):
    """Changes the left operand."""

    def merge(self, other):
        """Add to itself."""
        self.counts.update(Words.merge(self, other).counts)
        return self


class EmptiesTheOther(Words):
    """Changes the right operand."""

    def merge(self, other):
        """Move the counts."""
        merged = Words.merge(self, other)
        if other is not self:
            other.counts.clear()
        return merged


class SharesItsCounts(Words):
    """What it gives shares the counts of the left operand, and adds to them later."""

    def merge(self, other):
        """Add to a copy the first time, in place from then on."""
        merged = Words.merge(self, other)
        if getattr(self, "merged", False):
            self.origin.counts["x"] = 1
        merged.merged, merged.origin = True, self
        return merged


class Unsorted(Words):
    """Writes words in the order in which they came."""

    def to_bytes(self):
        """Return JSON as it comes."""
        return json.dumps([self.least, list(self.counts.items())]).encode()

    def merge(self, other):
        """Add, in the order of the operands."""
        added = dict(self.counts)
        for word, count in other.counts.items():
            added[word] = added.get(word, 0) + count
        return type(self)(self.least, added)


class Restless(Words):
    """Writes other bytes each time."""

    clock = itertools.count()

    def to_bytes(self):
        """Return JSON with a serial number."""
        return json.dumps([self.least, sorted(self.counts.items()), next(self.clock)]).encode()


class WritesAText(Words):
    """Writes text instead of bytes."""

    def to_bytes(self):
        """Return JSON undecoded."""
        return Words.to_bytes(self).decode()


class LosesAWord(Words):
    """Does not write all of it."""

    @classmethod
    def from_bytes(cls, data):
        """Read all but the last word."""
        one = Words.from_bytes.__func__(cls, data)
        if one.counts:
            one.counts.popitem()
        return one


class LosesTheSetting(Words):
    """What it reads looks the same, and does not merge."""

    @classmethod
    def from_bytes(cls, data):
        """Read with a setting that bytes do not show."""
        one = Words.from_bytes.__func__(cls, data)
        one.merge = lambda other: cls(one.least, other.counts)
        return one


class ReadsAnything(Words):
    """Takes damaged bytes for nothing."""

    @classmethod
    def from_bytes(cls, data):
        """Read what can be read."""
        try:
            return Words.from_bytes.__func__(cls, data)
        except FormatError:
            return cls(1, {})


class CrashesOnOtherBytes(Words):
    """Lets the JSON library complain."""

    @classmethod
    def from_bytes(cls, data):
        """Read without care."""
        least, counts = json.loads(data)
        return cls(least, dict(counts))


class MergesAnything(Words):
    """Does not look at the setting."""

    def merge(self, other):
        """Add whatever there is."""
        return Words.merge(self, type(self)(self.least, other.counts))


class RefusesInOtherWords(Words):
    """Raises something else on another setting."""

    def merge(self, other):
        """Add, or raise the wrong error."""
        try:
            return Words.merge(self, other)
        except MergeError as error:
            raise ValueError(*error.args) from error


class PicklesInPart(Words):
    """Loses its words on the way to a worker."""

    def __getstate__(self):
        return {"least": self.least, "counts": {}}


class ReturnsAnotherClass(Words):
    """Gives up its class when it is merged."""

    def merge(self, other):
        """Return the plain class."""
        merged = Words.merge(self, other)
        return Words(merged.least, merged.counts)


class AddsOtherwise(Orderly):
    """+ is something else than merge."""

    def __add__(self, other):
        return self


class SumsOtherwise(Orderly):
    """sum() starts from something."""

    def __radd__(self, other):
        return Orderly(self.least, {**self.counts, "x": 1})


class NeverEqual(Orderly):
    """Is equal to nothing."""

    def __eq__(self, other):
        return self is other

    __hash__ = Orderly.__hash__


class HashesItsAddress(Orderly):
    """Equal summaries have different hashes."""

    __eq__ = Orderly.__eq__
    __hash__ = object.__hash__


class AddsFloats(Words):
    """Adds weights as floats: the order shows in the last digit."""

    @classmethod
    def of(cls, text: str, least: int = 1):
        """Give each word a weight."""
        weight = 0.0
        for word in text.split():  # sum() compensates for what is lost since Python 3.12
            weight += 0.1 * len(word)
        return cls(least, {"weight": weight})


class CountsTexts(Words):
    """Counts how many parts there were, which no partition agrees on."""

    @classmethod
    def of(cls, _text: str, least: int = 1):
        """Count this text."""
        return cls(least, {"texts": 1})


TEXTS = ["a b a", "c bb a", "", "dd dd b", "abc"]
BROKEN = {
    TakesTheLeftWord: r"merge\(\) is commutative",
    Averages: r"merge\(\) is associative",
    CountsMerges: r"empty\(\) is the identity",
    ForgetsItsSetting: r"empty\(\) is the same for all summaries",
    AddsInPlace: r"no operand changes\. The left one",
    EmptiesTheOther: r"no operand changes\. The right one",
    SharesItsCounts: r"no operand changes\. Part \d did",
    Unsorted: r"merge\(\) is commutative",
    Restless: r"to_bytes\(\) gives the same bytes each time",
    WritesAText: r"to_bytes\(\) returns bytes\. Part 0 gave str",
    LosesAWord: r"from_bytes\(\) restores what to_bytes\(\) wrote",
    LosesTheSetting: r"what from_bytes\(\) restored merges like the original",
    ReadsAnything: r"from_bytes\(\) raises FormatError on other bytes, as b''",
    CrashesOnOtherBytes: r"raises FormatError on other bytes.* It raised JSONDecodeError",
    MergesAnything: r"different settings raises MergeError\. It gave",
    RefusesInOtherWords: r"different settings raises MergeError\. It raised ValueError",
    PicklesInPart: r"pickle restores it",
    ReturnsAnotherClass: r"merge\(\) returns a summary of the same class\. It returned Words",
    AddsOtherwise: r"a \+ b is a\.merge\(b\)",
    SumsOtherwise: r"sum\(\) merges all parts",
    NeverEqual: r"summaries with equal bytes are equal",
    HashesItsAddress: r"equal summaries have equal hashes",
    AddsFloats: r"merge\(\) is (associative|commutative)|any order",
    CountsTexts: r"the parts of a partition, merged, equal one pass over all rows",
}


def hold(cls, **options):
    """Hold a class against the laws, with a whole and a foreign summary."""
    check_mergeable(
        [cls.of(text) for text in TEXTS],
        whole=cls.of(" ".join(TEXTS)),
        foreign=[cls.of("a bb", least=2)],
        **options,
    )


@pytest.mark.parametrize("cls", [Words, Orderly])
def test_what_keeps_the_laws_passes(cls):
    """With operators and without; one part alone and many."""
    hold(cls)
    hold(cls, n_orders=0, rng=random.Random(5))
    check_mergeable([cls.of("a")])
    check_mergeable([cls.of("a b")] * 20)


@pytest.mark.parametrize("cls", BROKEN, ids=lambda cls: cls.__name__)
def test_each_broken_law_is_found(cls):
    """The message names the class and the law."""
    with pytest.raises(AssertionError, match=BROKEN[cls]) as caught:
        hold(cls)
    assert str(caught.value).startswith(f"{cls.__name__} breaks a law: ")


class OnceInAWhile(Words):
    """Loses a word when a small summary takes in a large one."""

    def merge(self, other):
        """Add, and lose."""
        merged = Words.merge(self, other)
        if len(self.counts) == 2 and len(other.counts) == 3:
            merged.counts.popitem()
        return merged


class Greedy(Words):
    """Changes a summary that it refuses."""

    def merge(self, other):
        """Refuse too late."""
        if self.least < other.least:
            other.counts["seen"] = 1
        return Words.merge(self, other)


@pytest.mark.parametrize("seed", range(5))
def test_an_order_that_shows_only_at_times_is_found(seed):
    """A summary that is wrong for some orders only is tried in several, whatever the rng."""
    parts = [OnceInAWhile.of(word) for word in "abcdefgh"]
    with pytest.raises(AssertionError, match="in any order and along any tree"):
        check_mergeable(parts, rng=random.Random(seed), n_orders=20)


def test_the_message_shows_where_bytes_differ():
    """A reader sees the place and both sides of it."""
    with pytest.raises(AssertionError) as caught:
        check_mergeable([TakesTheLeftWord.of("a a"), TakesTheLeftWord.of("a")])

    assert str(caught.value) == (
        "TakesTheLeftWord breaks a law: merge() is commutative. "
        "parts 0 and 1 in one order and in the other: Byte 11 is the first to differ; "
        """from byte 0 on they read b'[1, [["a", 2]]]' and b'[1, [["a", 1]]]'."""
    )


def test_parts_must_be_summaries_of_one_class():
    """What has no merge is named, and so is a mixture."""
    with pytest.raises(AssertionError, match="int breaks a law: it has the methods of Mergeable"):
        check_mergeable([5])
    with pytest.raises(AssertionError, match=r"one class\. There are Words and Orderly"):
        check_mergeable([Words.of("a"), Orderly.of("a")])
    with pytest.raises(ValueError, match="`parts` is empty"):
        check_mergeable([])


def test_a_class_that_does_not_pickle_is_told_so():
    """A worker could not send it back."""

    class Local(Words):
        pass

    with pytest.raises(AssertionError, match=r"pickle restores it\. part 0: it raised"):
        check_mergeable([Local.of("a")])


def test_a_refused_merge_must_not_change_the_other():
    """Neither side of it."""
    with pytest.raises(AssertionError, match="A refused merge changed `foreign`"):
        check_mergeable([Greedy.of("a")], foreign=[Greedy.of("bb", least=2)])


class Report:
    """A result that states what it is told to."""

    def __init__(self, *stated):
        self.stated = stated

    def to_evidence(self):
        """State it."""
        return self.stated


def piece(metric="psi", **changes):
    """Return some evidence."""
    return Evidence(kind="drift", metric=metric, value=0.5, **changes)


class TestEvidenceSource:
    """A result states evidence, always the same, each piece under its own address."""

    def test_what_keeps_the_laws_passes(self):
        """And hands back what was stated."""
        stated = (piece(), piece("ks"), piece(labels={"column": "a"}))

        assert check_evidence_source(Report(*stated)) == stated
        assert check_evidence_source(Report()) == ()
        assert check_evidence_source(piece()) == (piece(),)

    def test_a_list_is_no_tuple(self):
        """It could be changed behind the back of the result."""
        report = Report()
        report.stated = [piece()]

        with pytest.raises(AssertionError, match=r"Report breaks a law.*tuple\. It returned list"):
            check_evidence_source(report)

    def test_other_things_are_no_evidence(self):
        """The place of the stranger is named."""
        with pytest.raises(AssertionError, match="Item 1 is of dict"):
            check_evidence_source(Report(piece(), {}))

    def test_two_pieces_cannot_share_an_address(self):
        """Their reader could not tell them apart."""
        with pytest.raises(AssertionError, match="2 pieces have drift_psi"):
            check_evidence_source(Report(piece(), piece(n=3), piece("ks")))

    def test_asking_twice_gives_the_same(self):
        """A result does not change by being read."""
        pieces = iter([(piece(),), (piece("ks"),)])
        report = Report()
        report.to_evidence = lambda: next(pieces)

        with pytest.raises(AssertionError, match=r"is pure\. Asked again, it stated otherwise"):
            check_evidence_source(report)

    def test_what_does_not_survive_json_is_found(self):
        """Evidence of a class of one's own may lose what it adds."""

        class Loud(Evidence):
            pass

        with pytest.raises(AssertionError, match="survives JSON"):
            check_evidence_source(Report(Loud(kind="a", metric="b", value=1)))
