"""A mapping that nobody can change, so that what holds it can be shared, hashed and pickled."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, TypeVar

__all__ = ["FrozenMapping"]

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT_co = TypeVar("ValueT_co", covariant=True)


class FrozenMapping(Mapping[KeyT, ValueT_co]):
    """An immutable mapping that keeps the order it was given.

    Equal to any mapping with the same items, in whatever order. Hashable where its values are,
    picklable, safe between threads.

    Parameters
    ----------
    items : mapping, optional
        Read once; later changes to it are not seen.

    Examples
    --------
    >>> counts = FrozenMapping({"b": 2, "a": 1})
    >>> counts, counts == {"a": 1, "b": 2}
    (FrozenMapping({'b': 2, 'a': 1}), True)
    """

    __slots__ = ("_items",)

    _items: dict[KeyT, ValueT_co]

    def __init__(self, items: Mapping[KeyT, ValueT_co] | None = None, /) -> None:
        object.__setattr__(self, "_items", dict(items or {}))

    def __getitem__(self, key: KeyT, /) -> ValueT_co:
        return self._items[key]

    def __iter__(self) -> Iterator[KeyT]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __setattr__(self, name: str, value: object, /) -> None:
        message = f"{type(self).__name__} cannot be changed; make a new one."
        raise AttributeError(message)

    def __delattr__(self, name: str, /) -> None:
        self.__setattr__(name, None)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._items,)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._items!r})"
