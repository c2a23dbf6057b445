"""The laws of :class:`~prodml.protocols.Mergeable`, as one check."""

from __future__ import annotations

import pickle
import random
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

from prodml.errors import FormatError, MergeError
from prodml.protocols import Mergeable
from prodml.testing._laws import broken_law, difference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["check_mergeable"]

#: Pairs and triples of parts that are tried; more parts than that are sampled.
_MOST_COMBINATIONS: Final = 30

#: Bytes of a wrong input that a message shows.
_SHOWN: Final = 40


def check_mergeable(
    parts: Sequence[Mergeable],
    /,
    *,
    whole: Mergeable | None = None,
    foreign: Iterable[Mergeable] = (),
    n_orders: int = 8,
    rng: random.Random | None = None,
) -> None:
    """Hold summaries against the laws of Mergeable, and name the first that is broken.

    Parameters
    ----------
    parts : sequence of Mergeable
        Summaries of different rows under one setting; at least one. Let them differ, and let
        one be of no rows: a law is only tested on what it is shown.
    whole : Mergeable, optional
        The summary of all rows of the parts in one pass. Every order of merging must then give
        it, byte for byte.
    foreign : iterable of Mergeable
        Summaries of the same class under other settings, which must be refused.
    n_orders : int, default 8
        Random orders in which to merge all parts, each along a random tree.
    rng : random.Random, optional
        Where these come from; by default always the same.

    Raises
    ------
    AssertionError
        Names the class, the law, the parts that show it, and where their bytes differ.
    ValueError
        Without parts.

    Notes
    -----
    The laws, with == meaning equal ``to_bytes()``:

    - bytes: the same summary gives the same bytes; ``from_bytes`` and pickle restore it.
    - other bytes: ``from_bytes`` raises FormatError on them.
    - identity: ``empty().merge(a) == a == a.merge(empty())``.
    - commutative: ``a.merge(b) == b.merge(a)``.
    - associative: ``a.merge(b).merge(c) == a.merge(b.merge(c))``.
    - any partition: merging all parts in any order gives the same, and `whole`.
    - pure: no operand is changed by any of this.
    - ``a + b``, ``sum()``, ``==`` and ``hash()``, where the class defines them, agree with it.
    - other settings: merging with a `foreign` summary raises MergeError, from either side.

    Examples
    --------
    >>> import pandas as pd
    >>> from pydantic import BaseModel
    >>> from prodml.contracts import Contract
    >>> class Order(BaseModel):
    ...     quantity: int
    >>> rows = pd.DataFrame({"quantity": [1, "x", 3, None, 5]})
    >>> contract = Contract(Order)
    >>> check_mergeable(
    ...     [contract.validate_frame(rows[at : at + 2]).summary for at in (0, 2, 4)],
    ...     whole=contract.validate_frame(rows).summary,
    ... )
    """
    if not parts:
        message = "`parts` is empty; give at least one summary."
        raise ValueError(message)
    laws = _Laws(list(parts), rng or random.Random(0))  # noqa: S311 - orders, not secrets
    laws.check_bytes()
    laws.check_other_bytes()
    laws.check_identity()
    laws.check_pairs()
    laws.check_triples()
    laws.check_orders(n_orders, whole)
    for other in foreign:
        laws.check_foreign(other)


def _pickled(part: Any) -> Any:
    return pickle.loads(pickle.dumps(part))  # noqa: S301 - what was just pickled


class _Laws:
    """The parts under test, with the bytes that they had at first."""

    def __init__(self, parts: list[Any], rng: random.Random) -> None:
        self.parts = parts
        self.rng = rng
        for at, part in enumerate(parts):
            if not isinstance(part, Mergeable):
                raise broken_law(part, "it has the methods of Mergeable.", f"Part {at} has not.")
            if type(part) is not type(parts[0]):
                kinds = f"{type(parts[0]).__name__} and {type(part).__name__}"
                raise broken_law(part, "all parts are of one class.", f"There are {kinds}.")
        self.bytes = [part.to_bytes() for part in parts]
        cls: Any = type(parts[0])
        self.has_equality = cls.__eq__ is not object.__eq__
        self.has_hash = self.has_equality and cls.__hash__ is not None

    def same(self, left: Any, right: Any, law: str, where: str) -> None:
        """Raise unless two summaries have the same bytes and no part has changed."""
        self.unchanged(where)
        first, second = left.to_bytes(), right.to_bytes()
        if first != second:
            raise broken_law(self.parts[0], law, f"{where}: {difference(first, second)}")
        if self.has_equality and left != right:
            law = "summaries with equal bytes are equal."
            raise broken_law(self.parts[0], law, f"{where}: {left!r} != {right!r}")
        if self.has_hash and hash(left) != hash(right):
            law = "equal summaries have equal hashes."
            raise broken_law(self.parts[0], law, f"{where}: {left!r}")

    def unchanged(self, where: str) -> None:
        """Raise if any part has changed."""
        for at, (part, before) in enumerate(zip(self.parts, self.bytes, strict=True)):
            if (after := part.to_bytes()) != before:
                law = f"no operand changes. Part {at} did, in"
                raise broken_law(part, law, f"{where}: {difference(before, after)}")

    def merge(self, left: Any, right: Any) -> Any:
        """Merge, and see that it gives a summary of the same class and leaves its operands."""
        before = left.to_bytes(), right.to_bytes()
        merged = left.merge(right)
        for side, operand, was in zip(("left", "right"), (left, right), before, strict=True):
            if (now := operand.to_bytes()) != was:
                law = f"no operand changes. The {side} one of a merge did."
                raise broken_law(left, law, difference(was, now))
        if type(merged) is not type(left):
            law = "merge() returns a summary of the same class."
            raise broken_law(left, law, f"It returned {type(merged).__name__}.")
        return merged

    def check_bytes(self) -> None:
        """See that bytes are bytes and restore the summary, and that pickle does."""
        for at, part in enumerate(self.parts):
            if type(self.bytes[at]) is not bytes:
                kind = type(self.bytes[at]).__name__
                raise broken_law(part, "to_bytes() returns bytes.", f"Part {at} gave {kind}.")
            if (again := part.to_bytes()) != self.bytes[at]:
                law = "to_bytes() gives the same bytes each time."
                raise broken_law(part, law, difference(self.bytes[at], again))
            law = "from_bytes() restores what to_bytes() wrote."
            restored = self.restore(at, type(part).from_bytes, law)
            self.same(restored, part, law, f"part {at}")
            law = "what from_bytes() restored merges like the original."
            self.same(self.merge(restored, part), self.merge(part, part), law, f"part {at}")
            law = "pickle restores it."
            self.same(self.restore(at, _pickled, law), part, law, f"part {at}")

    def restore(self, at: int, restore: Callable[[Any], Any], law: str) -> Any:
        """Return a part that went through bytes."""
        given = self.parts[at] if restore is _pickled else self.bytes[at]
        try:
            return restore(given)
        except Exception as error:
            raise broken_law(self.parts[at], law, f"part {at}: it raised {error!r}.") from error

    def check_other_bytes(self) -> None:
        """See that what is no summary, or only the beginning of one, is refused."""
        written = max(self.bytes, key=len)
        wrong = [b"", b"no summary", written[:-1], written[: len(written) // 2]]
        for data in wrong:
            law = f"from_bytes() raises FormatError on other bytes, as {data[:_SHOWN]!r}."
            try:
                read = type(self.parts[0]).from_bytes(data)
            except FormatError:
                continue
            except Exception as error:
                raise broken_law(self.parts[0], law, f"It raised {error!r}.") from error
            raise broken_law(self.parts[0], law, f"It read {read!r}.")

    def check_identity(self) -> None:
        """See that the summary of no rows adds nothing."""
        nothing = self.parts[0].empty()
        for at, part in enumerate(self.parts):
            law = "empty() is the same for all summaries under one setting."
            self.same(part.empty(), nothing, law, f"part {at} and part 0")
            law = "empty() is the identity: merging with it changes nothing."
            self.same(self.merge(nothing, part), part, law, f"empty().merge(part {at})")
            self.same(self.merge(part, nothing), part, law, f"part {at}.merge(empty())")

    def check_pairs(self) -> None:
        """See that the order of two makes no difference, and that + is merge."""
        for a, b in self._some(2):
            left, right = self.parts[a], self.parts[b]
            merged = self.merge(left, right)
            law = "merge() is commutative."
            where = f"parts {a} and {b} in one order and in the other"
            self.same(merged, self.merge(right, left), law, where)
            if hasattr(type(left), "__add__"):
                self.same(left + right, merged, "a + b is a.merge(b).", f"parts {a} and {b}")

    def check_triples(self) -> None:
        """See that brackets make no difference."""
        for a, b, c in self._some(3):
            one, two, three = self.parts[a], self.parts[b], self.parts[c]
            left = self.merge(self.merge(one, two), three)
            right = self.merge(one, self.merge(two, three))
            where = f"parts ({a} + {b}) + {c} and {a} + ({b} + {c})"
            self.same(left, right, "merge() is associative.", where)

    def check_orders(self, n_orders: int, whole: Any) -> None:
        """See that any order and any tree give the same, which is one pass over all rows."""
        straight = self.parts[0].empty()
        for part in self.parts:
            straight = self.merge(straight, part)
        if hasattr(type(straight), "__radd__"):
            law = "sum() merges all parts."
            self.same(sum(self.parts), straight, law, "all parts")
        if whole is not None:
            law = "the parts of a partition, merged, equal one pass over all rows."
            self.same(straight, whole, law, "all parts in order, and `whole`")
        for _ in range(n_orders):
            order = self.rng.sample(range(len(self.parts)), len(self.parts))
            law = "all parts give the same in any order and along any tree."
            merged = self._along_a_tree([self.parts[at] for at in order])
            self.same(merged, straight, law, f"parts {order} along a random tree, and in order")

    def _along_a_tree(self, waiting: list[Any]) -> Any:
        while len(waiting) > 1:
            at = self.rng.randrange(len(waiting) - 1)
            waiting[at : at + 2] = [self.merge(waiting[at], waiting[at + 1])]
        return waiting[0]

    def check_foreign(self, other: Any) -> None:
        """See that a summary under another setting is refused, from either side."""
        before = other.to_bytes()
        for left, right in ((self.parts[0], other), (other, self.parts[0])):
            law = "merging summaries under different settings raises MergeError."
            try:
                merged = left.merge(right)
            except MergeError:
                continue
            except Exception as error:
                raise broken_law(self.parts[0], law, f"It raised {error!r}.") from error
            raise broken_law(self.parts[0], law, f"It gave {merged!r}.")
        self.unchanged("a merge that was refused")
        if other.to_bytes() != before:
            raise broken_law(other, "no operand changes.", "A refused merge changed `foreign`.")

    def _some(self, n: int) -> list[tuple[int, ...]]:
        """Return combinations of parts, a part with itself among them."""
        places = range(len(self.parts))
        every = [*combinations(places, n), *((at,) * n for at in places)]
        return self.rng.sample(every, min(len(every), _MOST_COMBINATIONS))
