"""Operations of numpy as lines of plain Python that give the same bits.

What is emitted here is exact by IEEE 754 (sums, products, quotients, comparisons, square roots),
or integer arithmetic of 64 bits, or the ufunc itself. Where numpy's answer depends on the
processor (which of two zeros is the larger), numpy is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from prodml.features._program import Untraceable
from prodml.features._traced_arithmetic import (
    emit_absolute,
    emit_arithmetic,
    emit_bitwise,
    emit_comparison,
    emit_divide,
    emit_invert,
    emit_isfinite,
    emit_isinf,
    emit_isnan,
    emit_logical,
    emit_logical_not,
    emit_negative,
    emit_power,
    emit_sign,
    emit_sqrt,
    emit_square,
    emit_whole_division,
)
from prodml.features._traced_choices import (
    emit_astype,
    emit_clip,
    emit_digitize,
    emit_extreme,
    emit_isin,
    emit_positive,
    emit_round,
    emit_searchsorted,
    emit_select,
    emit_where,
)
from prodml.features._traced_ufuncs import call_ufunc
from prodml.features._tracer import Operand, as_operand

if TYPE_CHECKING:
    from collections.abc import Callable

    from prodml.features._program import Program

__all__ = ["apply_operation"]

_OPERATIONS: Final[dict[str, Callable[..., Operand]]] = {
    "add": emit_arithmetic("+"),
    "subtract": emit_arithmetic("-"),
    "multiply": emit_arithmetic("*"),
    "divide": emit_divide,
    "true_divide": emit_divide,
    "floor_divide": emit_whole_division("//"),
    "remainder": emit_whole_division("%"),
    "mod": emit_whole_division("%"),
    "equal": emit_comparison("=="),
    "not_equal": emit_comparison("!="),
    "less": emit_comparison("<"),
    "less_equal": emit_comparison("<="),
    "greater": emit_comparison(">"),
    "greater_equal": emit_comparison(">="),
    "bitwise_and": emit_bitwise("&"),
    "bitwise_or": emit_bitwise("|"),
    "bitwise_xor": emit_bitwise("^"),
    "logical_and": emit_logical("and"),
    "logical_or": emit_logical("or"),
    "logical_not": emit_logical_not,
    "invert": emit_invert,
    "bitwise_invert": emit_invert,
    "negative": emit_negative,
    "positive": emit_positive,
    "absolute": emit_absolute,
    "abs": emit_absolute,
    "sign": emit_sign,
    "square": emit_square,
    "sqrt": emit_sqrt,
    "power_operator": emit_power,
    "isnan": emit_isnan,
    "isfinite": emit_isfinite,
    "isinf": emit_isinf,
    "where": emit_where,
    "select": emit_select,
    "maximum": emit_extreme("maximum", ">"),
    "minimum": emit_extreme("minimum", "<"),
    "clip": emit_clip,
    "searchsorted": emit_searchsorted,
    "digitize": emit_digitize,
    "astype": emit_astype,
    "round": emit_round,
    "around": emit_round,
    "isin": emit_isin,
}


def apply_operation(
    program: Program, name: str, args: tuple[Any, ...], options: dict[str, Any], /
) -> Operand:
    """Add what a function of numpy does to a program, and return its result.

    Raises
    ------
    Untraceable
        If there is no line of plain Python with the same bits.
    """
    operation = _OPERATIONS.get(name)
    if operation is not None:
        return operation(program, *args, **options)
    if options:
        message = f"{name} with options"
        raise Untraceable(message)
    return call_ufunc(program, name, [as_operand(one) for one in args])
