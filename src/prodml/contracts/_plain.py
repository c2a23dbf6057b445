"""Values of a pydantic model as plain data, for the cells of a frame."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel

from prodml._core.scalars import PLAIN_TYPES, OutOfRange

__all__ = ["plain"]


def plain(value: Any, /) -> Any:
    """Return what a cell of the accepted frame holds for a validated value.

    Enum members become their value, nested models and dataclasses become dicts, containers are
    searched; everything else stays what it is.
    """
    kind = type(value)
    if kind in PLAIN_TYPES or kind is float:
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, BaseModel):
        extra = value.__pydantic_extra__ or {}
        return {name: plain(one) for name, one in {**value.__dict__, **extra}.items()}
    if kind is OutOfRange:
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if kind is dict:
        return {key: plain(one) for key, one in value.items()}
    if kind in {list, tuple, set, frozenset}:
        return kind(plain(one) for one in value)
    return value
