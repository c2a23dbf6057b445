"""Errors of the mergeable summaries: what they are given, and what they no longer know."""

from __future__ import annotations

from prodml.errors._root import ProdmlError

__all__ = ["SampledCategoriesError", "SummaryError", "SummaryTypeError"]


class SummaryError(ProdmlError, ValueError):
    """An argument that no summary can be made of, or a question that one cannot answer.

    Attributes
    ----------
    argument : str
        The name of the argument at fault; empty where several contradict each other.
    position : int or None
        Where the value at fault stands in it, counted from 0.
    value : object
        What was given.
    """

    def __init__(
        self,
        message: str,
        *,
        argument: str = "",
        position: int | None = None,
        value: object = None,
    ) -> None:
        super().__init__(message)
        self.argument = argument
        self.position = position
        self.value = value


class SummaryTypeError(SummaryError, TypeError):
    """An argument of a type that no summary can be made of."""


class SampledCategoriesError(SummaryError):
    """A question about all categories, to counts that have kept a sample of them.

    Attributes
    ----------
    max_categories : int
        How many they were allowed to keep.
    """

    def __init__(self, message: str, *, max_categories: int) -> None:
        super().__init__(message)
        self.max_categories = max_categories
