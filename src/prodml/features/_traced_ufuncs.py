"""Lines of single values, and calls of ufuncs among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from prodml.features._program import Untraceable
from prodml.features._tracer import Operand

if TYPE_CHECKING:
    from collections.abc import Callable

    from prodml.features._program import Program

__all__ = ["bool_line", "call_ufunc", "float_line", "int_line", "refuse_text", "slow_call"]

_INT64: Final = 2**63 - 1

#: Where a ufunc gives no warning, so that no block has to silence it. Others: everywhere.
_QUIET_WHERE: Final = {
    "log": "{0} > 0.0",
    "log2": "{0} > 0.0",
    "log10": "{0} > 0.0",
    "log1p": "{0} > -1.0",
    "exp": "-700.0 < {0} < 700.0",
    "exp2": "-1000.0 < {0} < 1000.0",
    "expm1": "-700.0 < {0} < 700.0",
    "sinh": "-700.0 < {0} < 700.0",
    "cosh": "-700.0 < {0} < 700.0",
    "sin": "-1e300 < {0} < 1e300",
    "cos": "-1e300 < {0} < 1e300",
    "tan": "-1e300 < {0} < 1e300",
    "arcsin": "-1.0 <= {0} <= 1.0",
    "arccos": "-1.0 <= {0} <= 1.0",
}
#: Ufuncs that never warn.
_NEVER_WARN: Final = frozenset({"tanh", "arctan", "cbrt", "floor", "ceil", "rint", "trunc"})


def _quiet(ufunc: np.ufunc) -> Callable[..., float]:
    def call(*values: float) -> float:
        with np.errstate(all="ignore"):
            return float(ufunc(*values))

    return call


_SLOW: Final[dict[str, Callable[..., float]]] = {}


def slow_call(name: str) -> Callable[..., float]:
    """Return a ufunc as a function of floats that never warns."""
    if name not in _SLOW:
        _SLOW[name] = _quiet(getattr(np, name))
    return _SLOW[name]


#: Where lanes of the processor and what is left over disagree on which zero is the larger.
_UNEVEN: Final = frozenset({"fmax", "fmin"})


def call_ufunc(program: Program, name: str, operands: list[Operand]) -> Operand:
    """Add the call of a ufunc that takes floats and returns one."""
    ufunc = getattr(np, name, None)
    if not isinstance(ufunc, np.ufunc) or name in _UNEVEN or not _gives_floats(ufunc, operands):
        message = f"numpy.{name}"
        raise Untraceable(message)
    if name in {"power", "pow"} and not operands[1].constant:
        # beside a single exponent numpy takes short cuts that it does not take beside a column
        message = f"numpy.{name} to what is no constant"
        raise Untraceable(message)
    values = [program.hold(one.as_float()) for one in operands]
    fast, slow = program.bind(ufunc), program.bind(slow_call(name))
    arguments = ", ".join(values)
    if name in _NEVER_WARN:
        return float_line(program, f"float({fast}({arguments}))")
    if name in _QUIET_WHERE and not operands[0].constant:
        quiet = _QUIET_WHERE[name].format(values[0])
        return float_line(
            program, f"float({fast}({arguments})) if {quiet} else {slow}({arguments})"
        )
    return float_line(program, f"{slow}({arguments})")


def _gives_floats(ufunc: np.ufunc, operands: list[Operand]) -> bool:
    """Whether numpy computes with float64 here: for booleans it often takes float16 or int8."""
    dtypes = {"f": np.float64, "i": np.int64, "b": np.bool_}
    if f"{'d' * len(operands)}->d" not in ufunc.types or any(one.kind == "s" for one in operands):
        return False
    sample = [one.value if one.constant else np.ones(1, dtype=dtypes[one.kind]) for one in operands]
    with np.errstate(all="ignore"):
        result = ufunc(*sample)
    return bool(getattr(result, "dtype", None) == np.float64)


def float_line(program: Program, expression: str) -> Operand:
    """Add a line that gives a float."""
    return Operand(program.set(expression), "f")


def bool_line(program: Program, expression: str) -> Operand:
    """Add a line that gives a boolean."""
    return Operand(program.set(expression), "b")


def int_line(program: Program, expression: str, bound: int) -> Operand:
    """Add integer arithmetic, which wraps where 64 bits are too few."""
    name = program.set(expression)
    if bound > _INT64:
        name = program.set(f"{name} if -{2**63} <= {name} <= {_INT64} else wrap({name})")
        bound = 2**63
    return Operand(name, "i", bound=bound)


def refuse_text(*operands: Operand) -> None:
    """Refuse to compute with text."""
    if any(one.kind == "s" for one in operands):
        message = "arithmetic with text"
        raise Untraceable(message)
