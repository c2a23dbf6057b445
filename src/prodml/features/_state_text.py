"""Learned states as JSON and back, exactly, without pickles."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.cells import Unrestorable, decode_cell, encode_cell
from prodml.errors import FingerprintError, FormatError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prodml.features.feature import Feature

__all__ = ["decode_state", "encode_state", "refuse_lossy", "settle_state"]

#: Scalars of numpy that count as what Python has.
_AS_PLAIN: Final = (np.float64, np.int64, np.bool_, np.str_)


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


def settle_state(state: Any, kind: Any, /, *, feature: str) -> Any:
    """Return a state of its own, as it will come back once it was stored.

    What is proven and served is then what is restored: a scalar of numpy, which would decide the
    type of a result, is a number of Python from the beginning.

    Parameters
    ----------
    state : object
        What was learned.
    kind : type or None
        What the feature says that it is; None to take it as it is.
    feature : str
        Whose state.

    Raises
    ------
    FingerprintError
        If it holds what has no form in JSON.
    FormatError
        If it is not of that type.
    """
    if kind is None and _is_model(state):
        kind = type(state)
    settled = decode_state(encode_state(state, feature=feature), kind, feature=feature)
    if _is_model(state) and type(settled) is not type(state):
        message = f"`state` is annotated as {kind!r}, which is not its class."
        raise FormatError(message)
    for part in _walk(_plain(settled)):
        if isinstance(part, np.ndarray):
            part.flags.writeable = False
    return settled


def refuse_lossy(features: Mapping[str, Feature], states: Mapping[str, Any], /) -> None:
    """Refuse states that would come back as another type, or with other values.

    Raises
    ------
    FingerprintError
        For the first one.
    """
    for name, state in states.items():
        kind = features[name].state_type
        if not _comes_back(state, kind, name):
            declared = "not annotated" if kind is None else f"annotated as {kind!r}"
            message = (
                f"The state of {name!r}, {state!r}, is {declared}, and would not come back as it "
                "is. Annotate `state` with its class, which must be that of a module, and its "
                "fields with the types that they hold."
            )
            raise FingerprintError(message, feature=name, name="state")


def _comes_back(state: Any, kind: Any, feature: str) -> bool:
    content = encode_state(state, feature=feature)
    try:
        back = decode_state(content, kind, feature=feature)
    except FormatError:
        return False
    if (_is_model(state) or _is_model(back)) and type(back) is not type(state):
        return False
    # as text, in which 1 and 1.0 differ
    return json.dumps(encode_state(back, feature=feature)) == json.dumps(content)


def _is_model(state: Any) -> bool:
    if isinstance(state, type):
        return False
    pydantic = sys.modules.get("pydantic")
    return dataclasses.is_dataclass(state) or (
        pydantic is not None and isinstance(state, pydantic.BaseModel)
    )


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
    # narrower numbers decide the type of a result, and stay what they are
    return state.item() if isinstance(state, _AS_PLAIN) else state


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
