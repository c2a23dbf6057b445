"""What to do about a function that failed, where its error is one that many people meet."""

from __future__ import annotations

from types import NoneType
from typing import Final

import numpy as np

__all__ = ["advice_for"]

_ONE_BY_ONE: Final = "or declare the feature elementwise=True to get one value at a time."
_MISSING_TEXT: Final = "If it is text: missing text is None, so return a value for it first."
#: What numpy says, as it has no classes of errors for these.
_SAID: Final = {
    "is read-only": "Inputs are read-only: use np.where, or work on x.copy().",
    "truth value of an array": f"A column has no truth: use np.where, {_ONE_BY_ONE}",
    "converted to Python scalar": (
        f"This takes one number, and not a column: use a function of numpy, {_ONE_BY_ONE}"
    ),
}


def advice_for(error: Exception, /) -> str:
    """Return a sentence that says how to mend a function, or nothing.

    Parameters
    ----------
    error : Exception
        What a feature raised.

    Examples
    --------
    >>> advice_for(ValueError("assignment destination is read-only"))
    'Inputs are read-only: use np.where, or work on x.copy().'
    >>> advice_for(ValueError("no idea"))
    ''
    """
    if isinstance(error, AttributeError):
        # one that a function raises itself has no name
        return "" if error.name is None else _advice_for_attribute(error.obj)
    told = str(error)
    if isinstance(error, TypeError) and "NoneType" in told:
        return _MISSING_TEXT
    return next((advice for said, advice in _SAID.items() if said in told), "")


def _advice_for_attribute(asked: object) -> str:
    if isinstance(asked, np.ndarray):
        return (
            "Features get numpy columns, not pandas: use functions of numpy, as "
            f"np.where(np.isnan(x), 0, x) for fillna, {_ONE_BY_ONE}"
        )
    if isinstance(asked, NoneType):
        return _MISSING_TEXT
    if isinstance(asked, bool | int | float | str):
        return "Here it is one plain value of Python: no array, and no pandas."
    return ""
