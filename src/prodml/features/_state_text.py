"""Learned states as JSON and back, exactly, without pickles."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

import numpy as np

from prodml._core.cells import Unrestorable, decode_cell, encode_cell
from prodml.errors import FingerprintError, FormatError

__all__ = ["decode_state", "encode_state"]


def encode_state(state: Any, /, *, feature: str) -> Any:
    """Return a state as a value that JSON holds.

    Raises
    ------
    FingerprintError
        If it holds what has no form in JSON.
    """
    encoded = encode_cell(_plain(state))
    if _has_unknown(encoded):
        message = (
            f"The state of {feature!r} holds what cannot be stored ({type(state).__name__}). "
            "Let it be a dataclass, a pydantic model or plain values: numbers, text, lists, dicts."
        )
        raise FingerprintError(message, feature=feature, name="state")
    return encoded


def _has_unknown(encoded: Any) -> bool:
    return any(isinstance(one, Unrestorable) for one in _walk(decode_cell(encoded)))


def _walk(value: Any) -> Any:
    yield value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(key)
            yield from _walk(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _walk(item)


def _plain(state: Any) -> Any:
    if dataclasses.is_dataclass(state) and not isinstance(state, type):
        return {one.name: _plain(getattr(state, one.name)) for one in dataclasses.fields(state)}
    pydantic = sys.modules.get("pydantic")
    if pydantic is not None and isinstance(state, pydantic.BaseModel):
        return {name: _plain(getattr(state, name)) for name in type(state).model_fields}
    if isinstance(state, dict):
        return {key: _plain(value) for key, value in state.items()}
    if isinstance(state, list | tuple):
        return (
            type(state)(_plain(value) for value in state) if type(state) in {list, tuple} else state
        )
    return state.item() if isinstance(state, np.generic) else state


def decode_state(content: Any, kind: Any, /, *, feature: str) -> Any:
    """Return a state from :func:`encode_state`.

    Parameters
    ----------
    content : JSON value
        The state.
    kind : type or None
        A dataclass or pydantic model to make of it; None for plain values.
    feature : str
        Whose state.

    Raises
    ------
    FormatError
        If it is none.
    """
    plain = decode_cell(content)
    if kind is None:
        return plain
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_python(plain)
    except ValidationError as error:
        message = f"The stored state of {feature!r} is no {kind}: {error.errors()[0]['msg']}."
        raise FormatError(message) from None
