"""What a frame must have before anything is read from it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from prodml.errors import FeatureDefinitionError, InputTypeError, MissingInputError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    import pandas as pd

__all__ = ["check_columns", "check_frame", "column_of", "definition_error", "keys_of_record"]


def column_of(frame: pd.DataFrame, label: Hashable, /) -> Any:
    """Return the column of a label that a frame has once."""
    labels: list[Any] = list(frame.columns)
    by_place: Any = frame.iloc  # not all columns, since a frame may have thousands
    return by_place[:, labels.index(label)].array


def check_frame(frame: Any, what: str, /) -> None:
    """Refuse what is no DataFrame.

    Raises
    ------
    InputTypeError
        If it is none.
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        message = f"{what} must be a pandas DataFrame, got {type(frame).__name__}."
        raise InputTypeError(message, field="frame", got=type(frame), expected="pandas.DataFrame")


def keys_of_record(record: Any, /) -> Iterable[Any]:
    """Return the keys of a record.

    Raises
    ------
    InputTypeError
        If it has none.
    """
    if isinstance(record, dict):
        return record
    try:
        keys: Iterable[Any] = record.keys()
    except (AttributeError, TypeError):
        message = (
            f"A record must be a mapping, got {type(record).__name__}. Give a dict of its inputs."
        )
        raise InputTypeError(message, field="record", got=record, expected="a mapping") from None
    return keys


def check_columns(frame: pd.DataFrame, labels: Iterable[Hashable], where: str, /) -> None:
    """Refuse columns that a frame does not have, or has twice.

    Raises
    ------
    MissingInputError
        With all that are absent.
    FeatureDefinitionError
        With all that occur twice.
    """
    known: list[Any] = list(frame.columns)
    absent = [label for label in dict.fromkeys(labels) if label not in known]
    if absent:
        names = [str(label) for label in known]
        parts = []
        for label in absent:
            near = get_close_matches(str(label), names, n=1)
            parts.append(f"{label!r}" + (f" (did you mean {near[0]!r}?)" if near else ""))
        message = f"The columns {', '.join(parts)} are not in {where}, which has {names[:20]}."
        raise MissingInputError(message, fields=[str(label) for label in absent])
    twice = [label for label in dict.fromkeys(labels) if known.count(label) > 1]
    if twice:
        raise definition_error([f"column {label!r} occurs twice in {where}" for label in twice])


def definition_error(faults: list[str], /) -> FeatureDefinitionError:
    """Return the error for faults, each of which is the beginning of a sentence."""
    sentences = [f"{fault[:1].upper()}{fault[1:]}." for fault in faults]
    return FeatureDefinitionError(" ".join(sentences), faults=sentences)
