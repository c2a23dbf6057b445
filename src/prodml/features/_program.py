"""A straight-line Python program under construction: its lines, and the names it knows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml.features._cast_values import INT64_END

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Program", "Untraceable", "literal", "wrapped"]

_NAMES: Final = {math.inf: "inf", -math.inf: "-inf"}


class Untraceable(BaseException):
    """An operation that has no line of plain Python with the same bits.

    No Exception, lest a feature catches it and goes another way than with columns.
    """


class Program:
    """Lines that each set one variable, and the objects that they name.

    What comes into the text of a program is made here: numbered variables, literals of numbers
    and text by ``repr``, and operators from fixed tables. Objects are bound under numbered names.
    """

    def __init__(self, apply: Callable[..., Any]) -> None:
        #: Adds an operation: takes the program, its name, arguments and options.
        self.apply = apply
        self.lines: list[str] = []
        self.namespace: dict[str, Any] = {"nan": math.nan, "inf": math.inf, "wrap": wrapped}
        self._bound: dict[int, str] = {}
        self._held: dict[str, str] = {}
        self._count = 0

    def variable(self) -> str:
        """Return a name that is not taken."""
        self._count += 1
        return f"v{self._count}"

    def set(self, expression: str) -> str:
        """Add a line that computes something, and return the variable that holds it.

        What a variable holds already is not computed again: everything is pure, and no variable
        is set twice once the inputs are read.
        """
        name = self._held.get(expression)
        if name is None:
            name = self._held[expression] = self.variable()
            self.lines.append(f"{name} = {expression}")
        return name

    def hold(self, expression: str) -> str:
        """Return a name or literal for an expression, so that it is computed once."""
        plain = expression.isidentifier() or expression.replace(".", "").isdigit()
        return expression if plain else self.set(expression)

    def bind(self, thing: Any) -> str:
        """Return the name under which the program knows an object."""
        known = self._bound.get(id(thing))
        if known is None:
            known = self._bound[id(thing)] = f"k{len(self._bound)}"
            self.namespace[known] = thing
        return known

    def mark(self) -> tuple[int, int]:
        """Return the place to which :meth:`rewind` goes back."""
        return len(self.lines), self._count

    def rewind(self, mark: tuple[int, int]) -> None:
        """Take back what was added since."""
        n_lines, self._count = mark
        del self.lines[n_lines:]
        self._held = {one: name for one, name in self._held.items() if int(name[1:]) <= mark[1]}


def literal(value: Any) -> tuple[str, str]:
    """Return a constant as source text, and its kind."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, np.generic):
        # narrower types would decide the type of a result
        if not isinstance(value, np.float64 | np.int64 | np.bool_ | np.str_):
            raise _unnamed(value)
        value = value.item()
    if type(value) is str and value.endswith("\0"):
        # numpy drops it from a constant, and not from a column of objects
        message = "a constant of text that ends in NUL"
        raise Untraceable(message)
    if value is None or type(value) is str:
        return repr(value), "s"
    if type(value) is bool:
        return repr(value), "b"
    if type(value) is int and -INT64_END <= value < INT64_END:
        return f"({value})" if value < 0 else repr(value), "i"
    if type(value) is float:
        if value != value:  # noqa: PLR0124 - NaN
            return "nan", "f"
        text = _NAMES.get(value) or repr(value)
        return f"({text})" if text.startswith("-") else text, "f"
    raise _unnamed(value)


def _unnamed(value: Any) -> Untraceable:
    return Untraceable(f"a constant of type {type(value).__name__}")


def wrapped(value: int) -> int:
    """Return an integer as 64 bits hold it."""
    return (value + INT64_END) % (2 * INT64_END) - INT64_END
