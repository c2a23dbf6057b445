"""Arithmetic, comparisons and logic of numpy as lines with the same bits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from prodml.features._program import Untraceable
from prodml.features._traced_ufuncs import bool_line, float_line, int_line, refuse_text, slow_call
from prodml.features._tracer import Operand, as_operand

if TYPE_CHECKING:
    from collections.abc import Callable

    from prodml.features._program import Program

__all__ = [
    "emit_absolute",
    "emit_arithmetic",
    "emit_bitwise",
    "emit_comparison",
    "emit_divide",
    "emit_invert",
    "emit_isfinite",
    "emit_isinf",
    "emit_isnan",
    "emit_logical",
    "emit_logical_not",
    "emit_negative",
    "emit_power",
    "emit_sign",
    "emit_sqrt",
    "emit_square",
    "emit_whole_division",
    "truth_of",
]


def emit_arithmetic(symbol: str) -> Callable[[Program, Any, Any], Operand]:
    def operate(program: Program, left: Any, right: Any) -> Operand:
        a, b = as_operand(left), as_operand(right)
        refuse_text(a, b)
        if "f" in (a.kind, b.kind):
            return float_line(program, f"{_beside_float(a)} {symbol} {_beside_float(b)}")
        if a.kind == b.kind == "b":
            if symbol == "-":
                message = "the difference of booleans"
                raise Untraceable(message)
            return bool_line(program, f"{a.text} {'or' if symbol == '+' else 'and'} {b.text}")
        bound = a.bound * b.bound if symbol == "*" else a.bound + b.bound
        return int_line(program, f"{a.text} {symbol} {b.text}", bound)

    return operate


def _beside_float(operand: Operand) -> str:
    # Python makes a float of an integer beside a float, with the one rounding of numpy
    return operand.as_float() if operand.constant else operand.text


def emit_divide(program: Program, left: Any, right: Any) -> Operand:
    a, b = as_operand(left), as_operand(right)
    refuse_text(a, b)
    over = a.as_float() if b.kind != "f" else _beside_float(a)
    under = b.as_float() if a.kind != "f" else _beside_float(b)
    if b.constant and float(b.value):
        return float_line(program, f"{over} / {under}")
    if not b.constant:
        under = program.hold(under)
    slow = program.bind(slow_call("true_divide"))
    return float_line(program, f"{over} / {under} if {under} else {slow}({over}, {under})")


def emit_whole_division(symbol: str) -> Callable[[Program, Any, Any], Operand]:
    def operate(program: Program, left: Any, right: Any) -> Operand:
        a, b = as_operand(left), as_operand(right)
        refuse_text(a, b)
        if not b.constant or b.kind == "b" or not b.value > 0 or b.value == math.inf:
            message = f"{symbol} by what is no positive constant"
            raise Untraceable(message)
        if "f" in (a.kind, b.kind):
            return float_line(program, f"{a.as_float()} {symbol} {b.as_float()}")
        bound = a.bound // b.value + 1 if symbol == "//" else b.value
        return int_line(program, f"{a.text} {symbol} {b.text}", bound)

    return operate


def emit_comparison(symbol: str) -> Callable[[Program, Any, Any], Operand]:
    def operate(program: Program, left: Any, right: Any) -> Operand:
        a, b = as_operand(left), as_operand(right)
        if "s" in (a.kind, b.kind):
            if symbol in {"==", "!="} and any(one.constant and one.value is None for one in (a, b)):
                number = a if a.kind != "s" else b
                if number.kind != "s":  # numpy says that no number is None
                    return Operand(repr(symbol == "!="), "b")
            if symbol not in {"==", "!="} or a.kind != b.kind:
                message = f"text {symbol} a number, or in an order"
                raise Untraceable(message)
            return bool_line(program, f"{a.text} {symbol} {b.text}")
        if "f" in (a.kind, b.kind):
            return bool_line(program, f"{a.as_float()} {symbol} {b.as_float()}")
        return bool_line(program, f"{a.text} {symbol} {b.text}")

    return operate


def emit_bitwise(symbol: str) -> Callable[[Program, Any, Any], Operand]:
    def operate(program: Program, left: Any, right: Any) -> Operand:
        a, b = as_operand(left), as_operand(right)
        if not {a.kind, b.kind} <= {"b", "i"}:
            message = f"{symbol} of what are no booleans or integers"
            raise Untraceable(message)
        if a.kind == b.kind == "b":
            if symbol == "|" and "False" in (a.text, b.text):
                return b if a.text == "False" else a
            return bool_line(program, f"{a.text} {symbol} {b.text}")
        return Operand(program.set(f"{a.text} {symbol} {b.text}"), "i")

    return operate


def emit_logical(word: str) -> Callable[[Program, Any, Any], Operand]:
    def operate(program: Program, left: Any, right: Any) -> Operand:
        a, b = truth_of(as_operand(left)), truth_of(as_operand(right))
        return bool_line(program, f"{a} {word} {b}")

    return operate


def truth_of(operand: Operand) -> str:
    if operand.kind == "s":
        message = "the truth of text"
        raise Untraceable(message)
    return operand.text if operand.kind == "b" else f"({operand.text} != 0)"


def emit_logical_not(program: Program, value: Any) -> Operand:
    return bool_line(program, f"not {truth_of(as_operand(value))}")


def emit_invert(program: Program, value: Any) -> Operand:
    operand = as_operand(value)
    if operand.kind == "b":
        return bool_line(program, f"not {operand.text}")
    if operand.kind != "i":
        message = "~ of what is no boolean or integer"
        raise Untraceable(message)
    return Operand(program.set(f"~{operand.text}"), "i")


def emit_negative(program: Program, value: Any) -> Operand:
    operand = as_operand(value)
    if operand.kind == "f":
        return float_line(program, f"-{operand.text}")
    if operand.kind != "i":
        message = "- of a boolean or text"
        raise Untraceable(message)
    return int_line(program, f"-{operand.text}", operand.bound)


def emit_absolute(program: Program, value: Any) -> Operand:
    operand = as_operand(value)
    refuse_text(operand)
    if operand.kind == "f":
        return float_line(program, f"abs({operand.text})")
    if operand.kind == "b":
        return operand
    return int_line(program, f"abs({operand.text})", operand.bound)


def emit_sign(program: Program, value: Any) -> Operand:
    operand = as_operand(value)
    if operand.kind == "i":
        x = operand.text
        return int_line(program, f"1 if {x} > 0 else -1 if {x} < 0 else 0", 1)
    if operand.kind != "f":
        message = "the sign of a boolean or text"
        raise Untraceable(message)
    x = program.hold(operand.text)
    # the sign of either zero is 0.0, and that of NaN is NaN
    return float_line(program, f"1.0 if {x} > 0.0 else -1.0 if {x} < 0.0 else {x} + 0.0")


def emit_square(program: Program, value: Any) -> Operand:
    operand = as_operand(value)
    if operand.kind not in {"f", "i"}:
        message = "the square of a boolean or text"
        raise Untraceable(message)
    return emit_arithmetic("*")(program, value, value)


def emit_sqrt(program: Program, value: Any) -> Operand:
    operand = as_operand(value)
    if operand.kind == "b":
        message = "the root of a boolean, which is float16"
        raise Untraceable(message)
    text = program.hold(operand.as_float())
    root, slow = program.bind(math.sqrt), program.bind(slow_call("sqrt"))
    return float_line(program, f"{root}({text}) if {text} >= 0.0 else {slow}({text})")


def emit_power(program: Program, value: Any, exponent: Any) -> Operand:
    # the exponents for which numpy's operator takes these ways itself
    squares = {int} if as_operand(value).kind == "i" else {int, float}
    if type(exponent) in squares and exponent == 2:  # noqa: PLR2004 - the square
        return emit_square(program, value)
    if type(exponent) is float and exponent == 0.5 and as_operand(value).kind == "f":  # noqa: PLR2004
        return emit_sqrt(program, value)
    message = f"** {exponent!r}"
    raise Untraceable(message)


def emit_isnan(program: Program, value: Any) -> Operand:
    operand = as_operand(value)
    refuse_text(operand)
    if operand.kind != "f":
        return bool_line(program, "False")
    return bool_line(program, f"{operand.text} != {operand.text}")


def emit_isfinite(program: Program, value: Any) -> Operand:
    operand = as_operand(value)
    refuse_text(operand)
    # an infinity differs from itself, as NaN does
    return bool_line(program, f"{operand.as_float()} - {operand.as_float()} == 0.0")


def emit_isinf(program: Program, value: Any) -> Operand:
    operand = as_operand(value)
    refuse_text(operand)
    return bool_line(program, f"{operand.as_float()} in (inf, -inf)")
