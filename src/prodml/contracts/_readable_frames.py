"""Which frames can be read as rows at all."""

from __future__ import annotations

from typing import Any

from prodml.errors import MultiIndexColumnsError

__all__ = ["require_frame"]


def require_frame(frame: Any, *, caller: str, contract: str) -> None:
    """Refuse what is no frame, and columns that have no single name."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        hint = " Call its to_pandas() first." if hasattr(frame, "to_pandas") else ""
        message = f"{caller} takes a pandas DataFrame, got {type(frame).__name__}.{hint}"
        raise TypeError(message)
    if isinstance(frame.columns, pd.MultiIndex):
        message = (
            f"{caller} ({contract!r}): the columns are a MultiIndex with the levels "
            f"{list(frame.columns.names)}. Flatten them first, for instance by "
            f"frame.columns = ['_'.join(map(str, label)) for label in frame.columns]."
        )
        raise MultiIndexColumnsError(message, contract=contract, columns=list(frame.columns))
