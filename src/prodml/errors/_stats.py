"""Errors of the statistics."""

from __future__ import annotations

from prodml.errors._root import ProdmlError

__all__ = ["StatisticError"]


class StatisticError(ProdmlError, ValueError):
    """An argument that a statistic is not defined for.

    Attributes
    ----------
    argument : str
        Its name.
    value : object
        What was given.
    """

    def __init__(self, message: str, *, argument: str, value: object) -> None:
        super().__init__(message)
        self.argument = argument
        self.value = value
