"""What a feature does to numpy columns, as lines of plain Python for one row.

A feature is called once with tracers in place of columns. Each operation becomes a line that
gives the same bits for one value: those that IEEE 754 defines exactly as operators of Python, all
others as the ufunc itself, called with a Python float. What has no such line raises Untraceable,
and what looks at values (``if``, iteration, a mean) fails as on any object that cannot do it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml.features._program import Untraceable, literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from prodml.features._program import Program

__all__ = ["Operand", "Tracer", "as_operand"]


class Operand:
    """A value in a program.

    Attributes
    ----------
    text : str
        A variable or a literal.
    kind : {"f", "i", "b", "s"}
        What it is.
    bound : int
        No integer is larger, by magnitude.
    constant : bool
        Whether it is a literal.
    value : object
        The constant.
    """

    __slots__ = ("bound", "constant", "kind", "text", "value")

    def __init__(
        self, text: str, kind: str, *, bound: int = 2**63, constant: bool = False, value: Any = None
    ) -> None:
        self.text = text
        self.kind = kind
        self.bound = 1 if kind == "b" else bound
        self.constant = constant
        self.value = value

    def as_float(self) -> str:
        """Return it as an expression that is a float."""
        if self.kind == "f":
            return self.text
        if self.kind == "s":
            message = "arithmetic with text"
            raise Untraceable(message)
        return repr(float(self.value)) if self.constant else f"float({self.text})"


class Tracer:
    """Stands for a column while a feature is traced."""

    __array_priority__ = 1000
    __hash__ = None  # type: ignore[assignment] # a look-up by value has no line
    ndim = 1

    __slots__ = ("operand", "program")

    def __init__(self, program: Program, operand: Operand) -> None:
        self.program = program
        self.operand = operand

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype that the column would have."""
        return np.dtype({"f": "f8", "i": "i8", "b": "?", "s": "O"}[self.operand.kind])

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            message = f"{ufunc.__name__} with options"
            raise Untraceable(message)
        _refuse_namesake(ufunc)
        return self._apply(ufunc.__name__, inputs)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, options: Any
    ) -> Any:
        del types
        _refuse_namesake(function)
        return self._apply(function.__name__, args, options)

    def _apply(self, name: str, args: tuple[Any, ...], options: Any = None) -> Tracer:
        return Tracer(self.program, self.program.apply(self.program, name, args, options or {}))

    def __bool__(self) -> bool:
        message = "a decision by value; use np.where"
        raise Untraceable(message)

    def __iter__(self) -> Any:
        message = "iteration over rows"
        raise Untraceable(message)

    def __array__(self, *args: Any, **options: Any) -> Any:
        message = "a function that is not of numpy"
        raise Untraceable(message)

    def __pow__(self, exponent: Any) -> Any:
        return self._apply("power_operator", (self, exponent))

    def astype(self, dtype: Any, **options: Any) -> Tracer:
        """As of an array."""
        if set(options) - {"copy"}:
            message = "astype with options"
            raise Untraceable(message)
        return self._apply("astype", (self, np.dtype(dtype)))

    def clip(self, low: Any = None, high: Any = None, **options: Any) -> Any:
        """As of an array."""
        return self._apply("clip", (self, low, high), options)

    def copy(self) -> Tracer:
        """As of an array."""
        return Tracer(self.program, self.operand)

    def round(self, decimals: int = 0) -> Any:
        """As of an array."""
        return self._apply("round", (self, decimals))


def _refuse_namesake(function: Any) -> None:
    """Refuse what has the name of a function of numpy, such as ``scipy.special.log1p``."""
    if getattr(np, function.__name__, None) is not function:
        message = f"{function.__name__} of another library"
        raise Untraceable(message)


def _binary(name: str) -> Callable[[Tracer, Any], Any]:
    def operate(self: Tracer, other: Any) -> Any:
        return self._apply(name, (self, other))

    return operate


def _swapped(name: str) -> Callable[[Tracer, Any], Any]:
    def operate(self: Tracer, other: Any) -> Any:
        return self._apply(name, (other, self))

    return operate


def _unary(name: str) -> Callable[[Tracer], Any]:
    def operate(self: Tracer) -> Any:
        return self._apply(name, (self,))

    return operate


def _in_place(name: str) -> Callable[[Tracer, Any], Any]:
    def operate(self: Tracer, other: Any) -> Any:
        del self, other
        # other names of the same column would see the change
        message = f"{name} in place"
        raise Untraceable(message)

    return operate


_OPERATORS: Final = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}
for _method, _name in _OPERATORS.items():
    setattr(Tracer, f"__{_method}__", _binary(_name))
    setattr(Tracer, f"__r{_method}__", _swapped(_name))
    setattr(Tracer, f"__i{_method}__", _in_place(_name))
setattr(Tracer, "__ipow__", _in_place("power"))  # noqa: B010 - as its siblings
for _method, _name in {"neg": "negative", "abs": "absolute", "invert": "invert"}.items():
    setattr(Tracer, f"__{_method}__", _unary(_name))


def as_operand(value: Any) -> Operand:
    """Return a tracer or a constant as an operand."""
    if isinstance(value, Tracer):
        return value.operand
    text, kind = literal(value)
    plain = value.item() if isinstance(value, np.generic | np.ndarray) else value
    bound = abs(plain) if kind == "i" else 2**63
    return Operand(text, kind, bound=bound, constant=True, value=plain)
