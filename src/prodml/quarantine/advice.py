"""What a person can do about a reason: one sentence for each kind of rule."""

from __future__ import annotations

from typing import Final

__all__ = ["advise"]

_FALLBACK: Final = "Look at a few of the rows, then repair and replay them, or discard them."
_BOUNDS: Final = (
    "Check the unit and the source; if such values are right, widen the bound in the contract."
)
_LENGTH: Final = (
    "Check whether the text was cut or padded; if not, change the length in the contract."
)
_TEXT_FORM: Final = (
    "Find out what wrote it in this form; repair the rows, or ask the source for the agreed form."
)

_ADVICE: Final = {
    "missing": "The column did not arrive: ask the source, or give the field a default.",
    "extra_forbidden": "A column that nobody agreed on: add it to the contract, or drop it.",
    "literal_error": (
        "A value that the contract does not list: repair it if it is misspelt, "
        "list it if it is new and right."
    ),
    "enum": (
        "A value that the contract does not list: repair it if it is misspelt, "
        "list it if it is new and right."
    ),
    "none_required": "A value stands where none is allowed: check what the source means by it.",
    "unique": "The row came twice: discard it, unless the key is wrong.",
    "foreign_key": "What it refers to is unknown: load the reference first, then replay.",
    "compare": "Two columns contradict each other: find out which one is wrong before repairing.",
    "validator_crashed": "The validator itself failed: mend it, then replay; the row may be right.",
    "repair_failed": "The repair function raised on this row: let it handle the row, then replay.",
    "value_error": "A rule of your own refused it; its message says why.",
    "assertion_error": "A rule of your own refused it; its message says why.",
    "greater_than": _BOUNDS,
    "greater_than_equal": _BOUNDS,
    "less_than": _BOUNDS,
    "less_than_equal": _BOUNDS,
    "finite_number": (
        "An infinite number is the trace of a division by zero upstream: mend it there."
    ),
    "string_too_short": _LENGTH,
    "string_too_long": _LENGTH,
    "string_pattern_mismatch": _TEXT_FORM,
}

_BY_ENDING: Final = {
    "_type": (
        "A value is missing or of another type: make the field optional if it may be missing, "
        "else ask the source."
    ),
    "_parsing": _TEXT_FORM,
    "_from_float": "A number with a fraction stands in a column of whole numbers: check the unit.",
}


def advise(rule: str, /) -> str:
    """Return what a person can do about rows that break a rule.

    Parameters
    ----------
    rule : str
        A rule as it stands in a reason: pydantic's error types, and those of checks.

    Returns
    -------
    str
        One sentence; for a rule that is not known, a general one.

    Examples
    --------
    >>> advise("unique")
    'The row came twice: discard it, unless the key is wrong.'
    """
    if rule in _ADVICE:
        return _ADVICE[rule]
    for ending, advice in _BY_ENDING.items():
        if rule.endswith(ending):
            return advice
    return _FALLBACK
