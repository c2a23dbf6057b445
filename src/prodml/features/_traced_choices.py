"""Choices, limits, searches and changes of type of numpy as lines with the same bits."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any

import numpy as np

from prodml.features._program import Untraceable
from prodml.features._traced_arithmetic import truth_of
from prodml.features._traced_ufuncs import bool_line, call_ufunc, float_line, refuse_text, slow_call
from prodml.features._tracer import Operand, Tracer, as_operand

if TYPE_CHECKING:
    from collections.abc import Callable

    from prodml.features._program import Program

__all__ = [
    "emit_astype",
    "emit_clip",
    "emit_digitize",
    "emit_extreme",
    "emit_isin",
    "emit_positive",
    "emit_round",
    "emit_searchsorted",
    "emit_select",
    "emit_where",
]


def _same_kind(program: Program, *operands: Operand) -> tuple[str, list[str]]:
    """Return the kind that numpy gives to a choice between operands, and these as that kind."""
    kinds = {one.kind for one in operands}
    if kinds == {"s"}:
        if all(one.constant for one in operands):
            # numpy makes text of a fixed width of it
            message = "a choice between constants of text"
            raise Untraceable(message)
        return "s", [one.text for one in operands]
    refuse_text(*operands)
    if "f" in kinds:
        return "f", [one.as_float() for one in operands]
    if "i" in kinds:
        return "i", [
            f"int({one.text})"
            if one.kind == "b" and not one.constant
            else one.text
            if one.kind == "i"
            else repr(int(one.value))
            for one in operands
        ]
    del program
    return "b", [one.text for one in operands]


def _widest(*operands: Operand) -> int:
    return max(one.bound for one in operands)


def emit_where(program: Program, condition: Any, *choices: Any) -> Operand:
    if len(choices) != 2:  # noqa: PLR2004 - where(condition) alone finds positions
        message = "np.where of a condition alone"
        raise Untraceable(message)
    operands = [as_operand(one) for one in choices]
    kind, (yes, no) = _same_kind(program, *operands)
    name = program.set(f"{yes} if {truth_of(as_operand(condition))} else {no}")
    return Operand(name, kind, bound=_widest(*operands))


def emit_select(program: Program, condlist: Any, choicelist: Any, default: Any = 0) -> Operand:
    operands = [as_operand(one) for one in [*choicelist, default]]
    kind, texts = _same_kind(program, *operands)
    result = program.set(texts[-1])
    for condition, text in zip(reversed(list(condlist)), reversed(texts[:-1]), strict=True):
        test = as_operand(condition)
        if test.kind != "b":
            message = "np.select by what are no booleans"
            raise Untraceable(message)
        result = program.set(f"{text} if {test.text} else {result}")
    return Operand(result, kind, bound=_widest(*operands))


def emit_extreme(name: str, symbol: str) -> Callable[[Program, Any, Any], Operand]:
    def operate(program: Program, left: Any, right: Any) -> Operand:
        a, b = as_operand(left), as_operand(right)
        kind, (x, y) = _same_kind(program, a, b)
        if kind == "s":
            message = f"numpy.{name} of text"
            raise Untraceable(message)
        bound = _widest(a, b)
        if kind != "f":
            x, y = program.hold(x), program.hold(y)
            return Operand(program.set(f"{x} if {x} {symbol} {y} else {y}"), kind, bound=bound)
        x, y = program.hold(x), program.hold(y)
        if a.constant or (b.constant and not float(b.value)) or not b.constant:
            # which of two zeros is the larger, numpy decides by the processor
            slow = program.bind(slow_call(name))
            return float_line(
                program,
                f"{x} if {x} {symbol} {y} or {x} != {x} else "
                f"{slow}({x}, {y}) if {x} == {y} else {y}",
            )
        return float_line(program, f"{x} if {x} {symbol} {y} or {x} != {x} else {y}")

    return operate


def emit_clip(
    program: Program,
    value: Any,
    low: Any = None,
    high: Any = None,
    *,
    a_min: Any = None,
    a_max: Any = None,
    min: Any = None,  # noqa: A002
    max: Any = None,  # noqa: A002
) -> Operand:
    lower = next((one for one in (low, a_min, min) if one is not None), None)
    upper = next((one for one in (high, a_max, max) if one is not None), None)
    operand = as_operand(value)
    bounds = [as_operand(one) for one in (lower, upper) if one is not None]
    if not bounds or operand.constant or not all(one.constant for one in bounds):
        message = "np.clip to what are no constants"
        raise Untraceable(message)
    kind, texts = _same_kind(program, operand, *bounds)
    if kind == "s":
        message = "np.clip of text"
        raise Untraceable(message)
    x = program.hold(texts[0])
    clipped = program.bind(_clipper(kind, lower, upper))
    inside = [f"{texts[1]} < "] if lower is not None else [""]
    inside += [x, f" < {texts[-1]}" if upper is not None else ""]
    return Operand(
        program.set(f"{x} if {''.join(inside)} else {clipped}({x})"),
        kind,
        bound=_widest(operand, *bounds),
    )


def _clipper(kind: str, low: Any, high: Any) -> Callable[[Any], Any]:
    dtype = {"f": np.float64, "i": np.int64, "b": np.bool_}[kind]

    def clip(value: Any) -> Any:
        return np.clip(np.array([value], dtype=dtype), low, high).item()

    return clip


def _edges(edges: Any) -> list[float]:
    values = np.asarray(edges)
    if values.ndim != 1 or values.dtype.kind not in "fiu" or not np.isfinite(values).all():
        message = "a search in what are no finite edges"
        raise Untraceable(message)
    listed = [float(one) for one in values.tolist()]
    if any(abs(one) >= 2**53 for one in listed):
        message = "a search in edges of 2**53 or more"
        raise Untraceable(message)
    if any(before > after for before, after in itertools.pairwise(listed)):
        # what is found then depends on the rows before
        message = "a search in edges that are not sorted"
        raise Untraceable(message)
    return listed


def emit_searchsorted(
    program: Program, a: Any, v: Any, side: str = "left", sorter: Any = None
) -> Operand:
    if isinstance(a, Tracer) or sorter is not None or side not in {"left", "right"}:
        message = "a search in a column, or with other options"
        raise Untraceable(message)
    listed = _edges(a)
    find = program.bind(bisect_left if side == "left" else bisect_right)
    value = program.hold(as_operand(v).as_float())
    behind = len(listed)  # where numpy puts NaN
    search = f"{find}({program.bind(listed)}, {value}) if {value} == {value} else {behind}"
    return Operand(program.set(search), "i", bound=behind)


def emit_digitize(program: Program, x: Any, bins: Any, right: bool = False) -> Operand:  # noqa: FBT001, FBT002 - numpy's
    return emit_searchsorted(program, bins, x, side="left" if right else "right")


def emit_astype(program: Program, value: Any, dtype: np.dtype[Any]) -> Operand:
    operand = as_operand(value)
    refuse_text(operand)
    if dtype == np.float64:
        return operand if operand.kind == "f" else float_line(program, operand.as_float())
    if dtype == np.bool_:
        return operand if operand.kind == "b" else bool_line(program, f"{operand.text} != 0")
    if dtype == np.int64:
        if operand.kind == "f":
            cut = program.bind(_to_integer)
            return Operand(program.set(f"{cut}({operand.text})"), "i")
        return (
            operand
            if operand.kind == "i"
            else Operand(program.set(f"int({operand.text})"), "i", bound=1)
        )
    message = f"astype({dtype})"
    raise Untraceable(message)


def _to_integer(value: float) -> int:
    if -9.2e18 < value < 9.2e18:  # noqa: PLR2004 - within 64 bits
        return int(value)
    with np.errstate(all="ignore"):
        return int(np.array([value]).astype(np.int64)[0])


def emit_round(program: Program, value: Any, decimals: int = 0) -> Operand:
    if decimals != 0 or as_operand(value).kind != "f":
        message = "rounding to decimals"
        raise Untraceable(message)
    return call_ufunc(program, "rint", [as_operand(value)])


def emit_isin(program: Program, element: Any, test_elements: Any) -> Operand:
    operand = as_operand(element)
    # as numpy reads them: of a set it makes one object
    listed = np.asarray(test_elements).ravel().tolist()
    if operand.kind != "s" or not all(type(one) is str for one in listed):
        message = "np.isin of what is no text"
        raise Untraceable(message)
    return bool_line(program, f"{operand.text} in {program.bind(frozenset(listed))}")


def emit_positive(program: Program, value: Any) -> Operand:
    del program
    operand = as_operand(value)
    refuse_text(operand)
    return operand
