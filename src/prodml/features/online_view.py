"""What an online store keeps of each entity: keys, features, and how long they are good for."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from prodml.errors import FeatureDefinitionError, UnknownInputError, ViewChangedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["OnlineView", "stored_definition"]

_MICROSECOND: Final = timedelta(microseconds=1)
_UNLIMITED: Final = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlineView:
    """Some features of one kind of entity, of which an online store keeps the newest row.

    The counterpart of the view of a point-in-time join: the same keys, times and time to live.
    Immutable, hashable, picklable.

    Attributes
    ----------
    name : str
        What the store knows it by.
    keys : tuple of str
        Columns that name the entity; their order is that of the parts of a key.
    features : tuple of str
        Columns that are kept. Their order does not matter to a store.
    event_time : str
        The column that says when the values became true.
    created_time : str, optional
        The column that says when they became known. Without it, that is when they became true,
        and a value can only be corrected by a later event.
    ttl : datetime.timedelta, optional
        How old an event may be when it is read; exactly that old is still fresh. None is
        forever. It is applied when a row is read, so that it can be changed at any time.

    Raises
    ------
    FeatureDefinitionError
        If names are missing, empty or used twice, or `ttl` is negative; ``.faults`` has all.

    Examples
    --------
    >>> from datetime import timedelta
    >>> view = OnlineView(
    ...     name="spending",
    ...     keys=["customer"],
    ...     features=["mean_7d", "n_7d"],
    ...     event_time="at",
    ...     ttl=timedelta(days=7),
    ... )
    >>> view.keys
    ('customer',)
    """

    name: str
    keys: Sequence[str]
    features: Sequence[str]
    event_time: str
    created_time: str | None = None
    ttl: timedelta | None = None
    #: What a store compares; canonical JSON of name, keys and features.
    definition: str = field(init=False, repr=False, compare=False)
    #: The features in the order in which their values are stored.
    stored_features: tuple[str, ...] = field(init=False, repr=False, compare=False)
    #: The time to live in microseconds; longer than all time where it is unlimited.
    ttl_us: int = field(init=False, repr=False, compare=False)
    _known: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        faults = list(_faults_of(self))
        if faults:
            message = f"The online view {self.name!r} cannot be used: {' '.join(faults)}"
            raise FeatureDefinitionError(message, faults=faults)
        keys, features = tuple(self.keys), tuple(self.features)
        stored = tuple(sorted(features))
        # a frozen dataclass has no other way to fill in what follows from its fields
        for name, value in {
            "keys": keys,
            "features": features,
            "stored_features": stored,
            "definition": json.dumps([self.name, keys, stored], separators=(",", ":")),
            "ttl_us": _UNLIMITED if self.ttl is None else self.ttl // _MICROSECOND,
            "_known": frozenset(features),
        }.items():
            object.__setattr__(self, name, value)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that rows to be stored must have: keys, features and times."""
        times = [self.event_time]
        if self.created_time is not None:
            times.append(self.created_time)
        return tuple(dict.fromkeys([*self.keys, *self.features, *times]))

    def choose(self, names: Sequence[str] | None, /) -> Sequence[str]:
        """Return the features that are asked for, all of them where none are named.

        Parameters
        ----------
        names : sequence of str or None
            Features of this view.

        Raises
        ------
        UnknownInputError
            If some are not; ``.names`` has them.
        """
        if names is None:
            return self.features
        if isinstance(names, str) or not self._known.issuperset(names):
            raise _unknown(self, names)
        return tuple(names)


def stored_definition(view: OnlineView, definition: str, /) -> None:
    """Make sure that a store holds a view as it is defined here.

    Parameters
    ----------
    view : OnlineView
        As it is given.
    definition : str
        ``view.definition`` as it was when the view was first stored.

    Raises
    ------
    ViewChangedError
        If keys or features differ.
    """
    if definition == view.definition:
        return
    _, keys, features = json.loads(definition)
    stored = tuple(keys), tuple(features)
    given = tuple(view.keys), view.stored_features
    changes = _changes("keys", stored[0], given[0]) + _changes("features", stored[1], given[1])
    message = (
        f"The online view {view.name!r} is stored otherwise than given: {'; '.join(changes)}. "
        f"Give the changed view a name of its own, or drop the stored one and fill it anew."
    )
    raise ViewChangedError(message, view=view.name, stored=stored, given=given)


def _changes(what: str, stored: tuple[str, ...], given: tuple[str, ...]) -> list[str]:
    new = [repr(name) for name in given if name not in stored]
    gone = [repr(name) for name in stored if name not in given]
    told = [f"{what} not in the store: {', '.join(new)}"] if new else []
    told += [f"{what} only in the store: {', '.join(gone)}"] if gone else []
    if stored != given and not told:
        told.append(f"{what} in the order {stored!r}, given as {given!r}")
    return told


def _faults_of(view: OnlineView) -> Iterable[str]:
    if not _is_name(view.name):
        yield f"`name` must be a text that is not empty, got {view.name!r}."
    for what in ("keys", "features"):
        names = getattr(view, what)
        if isinstance(names, str) or not all(map(_is_name, names)):
            yield f"`{what}` must be names of columns, as ['a', 'b'], got {names!r}."
        elif not names:
            yield f"`{what}` must name at least one column."
        elif twice := sorted(one for one, count in Counter(names).items() if count > 1):
            yield f"`{what}` names {', '.join(map(repr, twice))} more than once."
        elif what == "features" and (both := sorted(set(names) & set(view.keys))):
            yield f"{', '.join(map(repr, both))} cannot be a key and a feature."
    if not _is_name(view.event_time):
        yield f"`event_time` must be the name of a column, got {view.event_time!r}."
    if view.created_time is not None and not _is_name(view.created_time):
        yield f"`created_time` must be the name of a column or None, got {view.created_time!r}."
    ttl: object = view.ttl
    if ttl is not None and not (isinstance(ttl, timedelta) and ttl >= timedelta()):
        yield f"`ttl` must be a timedelta that is not negative, or None, got {ttl!r}."


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name != ""


def _unknown(view: OnlineView, names: Sequence[str]) -> UnknownInputError:
    from difflib import get_close_matches

    if isinstance(names, str):
        unknown = [names]
        hint = f" `names` is a list: give [{names!r}]." if names in view.features else ""
    else:
        unknown = [name for name in names if name not in view.features]
        near = [match for one in unknown for match in get_close_matches(str(one), view.features, 1)]
        hint = f" Did you mean {', '.join(map(repr, near))}?" if near else ""
    message = (
        f"The online view {view.name!r} has no feature {', '.join(map(repr, unknown))}; it has "
        f"{', '.join(map(repr, view.features))}.{hint}"
    )
    return UnknownInputError(message, names=unknown)
