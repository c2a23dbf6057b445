"""Operations of numpy as lines of plain Python that give the same bits.

What is emitted here is exact by IEEE 754 (sums, products, quotients, comparisons, square roots),
or integer arithmetic of 64 bits, or the ufunc itself. Where numpy's answer depends on the
processor (which of two zeros is the larger), numpy is asked.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml.features._program import Untraceable
from prodml.features._tracer import Operand, Tracer, as_operand

if TYPE_CHECKING:
    from collections.abc import Callable

    from prodml.features._program import Program

__all__ = ["apply_operation"]

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


def _slow(name: str) -> Callable[..., float]:
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
    fast, slow = program.bind(ufunc), program.bind(_slow(name))
    arguments = ", ".join(values)
    if name in _NEVER_WARN:
        return _float(program, f"float({fast}({arguments}))")
    if name in _QUIET_WHERE and not operands[0].constant:
        quiet = _QUIET_WHERE[name].format(values[0])
        return _float(program, f"float({fast}({arguments})) if {quiet} else {slow}({arguments})")
    return _float(program, f"{slow}({arguments})")


def _gives_floats(ufunc: np.ufunc, operands: list[Operand]) -> bool:
    """Whether numpy computes with float64 here: for booleans it often takes float16 or int8."""
    dtypes = {"f": np.float64, "i": np.int64, "b": np.bool_}
    if f"{'d' * len(operands)}->d" not in ufunc.types or any(one.kind == "s" for one in operands):
        return False
    sample = [one.value if one.constant else np.ones(1, dtype=dtypes[one.kind]) for one in operands]
    with np.errstate(all="ignore"):
        result = ufunc(*sample)
    return bool(getattr(result, "dtype", None) == np.float64)


def _float(program: Program, expression: str) -> Operand:
    return Operand(program.set(expression), "f")


def _bool(program: Program, expression: str) -> Operand:
    return Operand(program.set(expression), "b")


def _int(program: Program, expression: str, bound: int) -> Operand:
    """Add integer arithmetic, which wraps where 64 bits are too few."""
    name = program.set(expression)
    if bound > _INT64:
        name = program.set(f"{name} if -{2**63} <= {name} <= {_INT64} else wrap({name})")
        bound = 2**63
    return Operand(name, "i", bound=bound)


def _arithmetic(symbol: str) -> Callable[[Program, Any, Any], Operand]:
    def operate(program: Program, left: Any, right: Any) -> Operand:
        a, b = as_operand(left), as_operand(right)
        _refuse_text(a, b)
        if "f" in (a.kind, b.kind):
            return _float(program, f"{_beside_float(a)} {symbol} {_beside_float(b)}")
        if a.kind == b.kind == "b":
            if symbol == "-":
                message = "the difference of booleans"
                raise Untraceable(message)
            return _bool(program, f"{a.text} {'or' if symbol == '+' else 'and'} {b.text}")
        bound = a.bound * b.bound if symbol == "*" else a.bound + b.bound
        return _int(program, f"{a.text} {symbol} {b.text}", bound)

    return operate


def _beside_float(operand: Operand) -> str:
    # Python makes a float of an integer beside a float, with the one rounding of numpy
    return operand.as_float() if operand.constant else operand.text


def _refuse_text(*operands: Operand) -> None:
    if any(one.kind == "s" for one in operands):
        message = "arithmetic with text"
        raise Untraceable(message)


def _divide(program: Program, left: Any, right: Any) -> Operand:
    a, b = as_operand(left), as_operand(right)
    _refuse_text(a, b)
    over = a.as_float() if b.kind != "f" else _beside_float(a)
    under = b.as_float() if a.kind != "f" else _beside_float(b)
    if b.constant and float(b.value):
        return _float(program, f"{over} / {under}")
    if not b.constant:
        under = program.hold(under)
    slow = program.bind(_slow("true_divide"))
    return _float(program, f"{over} / {under} if {under} else {slow}({over}, {under})")


def _whole_division(symbol: str) -> Callable[[Program, Any, Any], Operand]:
    def operate(program: Program, left: Any, right: Any) -> Operand:
        a, b = as_operand(left), as_operand(right)
        _refuse_text(a, b)
        if not b.constant or b.kind == "b" or not b.value > 0 or b.value == math.inf:
            message = f"{symbol} by what is no positive constant"
            raise Untraceable(message)
        if "f" in (a.kind, b.kind):
            return _float(program, f"{a.as_float()} {symbol} {b.as_float()}")
        bound = a.bound // b.value + 1 if symbol == "//" else b.value
        return _int(program, f"{a.text} {symbol} {b.text}", bound)

    return operate


def _comparison(symbol: str) -> Callable[[Program, Any, Any], Operand]:
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
            return _bool(program, f"{a.text} {symbol} {b.text}")
        if "f" in (a.kind, b.kind):
            return _bool(program, f"{a.as_float()} {symbol} {b.as_float()}")
        return _bool(program, f"{a.text} {symbol} {b.text}")

    return operate


def _bitwise(symbol: str) -> Callable[[Program, Any, Any], Operand]:
    def operate(program: Program, left: Any, right: Any) -> Operand:
        a, b = as_operand(left), as_operand(right)
        if not {a.kind, b.kind} <= {"b", "i"}:
            message = f"{symbol} of what are no booleans or integers"
            raise Untraceable(message)
        if a.kind == b.kind == "b":
            if symbol == "|" and "False" in (a.text, b.text):
                return b if a.text == "False" else a
            return _bool(program, f"{a.text} {symbol} {b.text}")
        return Operand(program.set(f"{a.text} {symbol} {b.text}"), "i")

    return operate


def _logical(word: str) -> Callable[[Program, Any, Any], Operand]:
    def operate(program: Program, left: Any, right: Any) -> Operand:
        a, b = _truth(as_operand(left)), _truth(as_operand(right))
        return _bool(program, f"{a} {word} {b}")

    return operate


def _truth(operand: Operand) -> str:
    if operand.kind == "s":
        message = "the truth of text"
        raise Untraceable(message)
    return operand.text if operand.kind == "b" else f"({operand.text} != 0)"


def _logical_not(program: Program, value: Any) -> Operand:
    return _bool(program, f"not {_truth(as_operand(value))}")


def _invert(program: Program, value: Any) -> Operand:
    operand = as_operand(value)
    if operand.kind == "b":
        return _bool(program, f"not {operand.text}")
    if operand.kind != "i":
        message = "~ of what is no boolean or integer"
        raise Untraceable(message)
    return Operand(program.set(f"~{operand.text}"), "i")


def _negative(program: Program, value: Any) -> Operand:
    operand = as_operand(value)
    if operand.kind == "f":
        return _float(program, f"-{operand.text}")
    if operand.kind != "i":
        message = "- of a boolean or text"
        raise Untraceable(message)
    return _int(program, f"-{operand.text}", operand.bound)


def _absolute(program: Program, value: Any) -> Operand:
    operand = as_operand(value)
    _refuse_text(operand)
    if operand.kind == "f":
        return _float(program, f"abs({operand.text})")
    if operand.kind == "b":
        return operand
    return _int(program, f"abs({operand.text})", operand.bound)


def _square(program: Program, value: Any) -> Operand:
    operand = as_operand(value)
    if operand.kind not in {"f", "i"}:
        message = "the square of a boolean or text"
        raise Untraceable(message)
    return _arithmetic("*")(program, value, value)


def _sqrt(program: Program, value: Any) -> Operand:
    operand = as_operand(value)
    if operand.kind == "b":
        message = "the root of a boolean, which is float16"
        raise Untraceable(message)
    text = program.hold(operand.as_float())
    root, slow = program.bind(math.sqrt), program.bind(_slow("sqrt"))
    return _float(program, f"{root}({text}) if {text} >= 0.0 else {slow}({text})")


def _power(program: Program, value: Any, exponent: Any) -> Operand:
    # the exponents for which numpy's operator takes these ways itself
    squares = {int} if as_operand(value).kind == "i" else {int, float}
    if type(exponent) in squares and exponent == 2:  # noqa: PLR2004 - the square
        return _square(program, value)
    if type(exponent) is float and exponent == 0.5 and as_operand(value).kind == "f":  # noqa: PLR2004
        return _sqrt(program, value)
    message = f"** {exponent!r}"
    raise Untraceable(message)


def _isnan(program: Program, value: Any) -> Operand:
    operand = as_operand(value)
    _refuse_text(operand)
    if operand.kind != "f":
        return _bool(program, "False")
    return _bool(program, f"{operand.text} != {operand.text}")


def _isfinite(program: Program, value: Any) -> Operand:
    operand = as_operand(value)
    _refuse_text(operand)
    # an infinity differs from itself, as NaN does
    return _bool(program, f"{operand.as_float()} - {operand.as_float()} == 0.0")


def _isinf(program: Program, value: Any) -> Operand:
    operand = as_operand(value)
    _refuse_text(operand)
    return _bool(program, f"{operand.as_float()} in (inf, -inf)")


def _same_kind(program: Program, *operands: Operand) -> tuple[str, list[str]]:
    """Return the kind that numpy gives to a choice between operands, and these as that kind."""
    kinds = {one.kind for one in operands}
    if kinds == {"s"}:
        if all(one.constant for one in operands):
            # numpy makes text of a fixed width of it
            message = "a choice between constants of text"
            raise Untraceable(message)
        return "s", [one.text for one in operands]
    _refuse_text(*operands)
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


def _where(program: Program, condition: Any, *choices: Any) -> Operand:
    if len(choices) != 2:  # noqa: PLR2004 - where(condition) alone finds positions
        message = "np.where of a condition alone"
        raise Untraceable(message)
    operands = [as_operand(one) for one in choices]
    kind, (yes, no) = _same_kind(program, *operands)
    name = program.set(f"{yes} if {_truth(as_operand(condition))} else {no}")
    return Operand(name, kind, bound=_widest(*operands))


def _select(program: Program, condlist: Any, choicelist: Any, default: Any = 0) -> Operand:
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


def _extreme(name: str, symbol: str) -> Callable[[Program, Any, Any], Operand]:
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
            slow = program.bind(_slow(name))
            return _float(
                program,
                f"{x} if {x} {symbol} {y} or {x} != {x} else "
                f"{slow}({x}, {y}) if {x} == {y} else {y}",
            )
        return _float(program, f"{x} if {x} {symbol} {y} or {x} != {x} else {y}")

    return operate


def _clip(
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


def _searchsorted(
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


def _digitize(program: Program, x: Any, bins: Any, right: bool = False) -> Operand:  # noqa: FBT001, FBT002 - numpy's
    return _searchsorted(program, bins, x, side="left" if right else "right")


def _astype(program: Program, value: Any, dtype: np.dtype[Any]) -> Operand:
    operand = as_operand(value)
    _refuse_text(operand)
    if dtype == np.float64:
        return operand if operand.kind == "f" else _float(program, operand.as_float())
    if dtype == np.bool_:
        return operand if operand.kind == "b" else _bool(program, f"{operand.text} != 0")
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


def _round(program: Program, value: Any, decimals: int = 0) -> Operand:
    if decimals != 0 or as_operand(value).kind != "f":
        message = "rounding to decimals"
        raise Untraceable(message)
    return call_ufunc(program, "rint", [as_operand(value)])


def _isin(program: Program, element: Any, test_elements: Any) -> Operand:
    operand = as_operand(element)
    # as numpy reads them: of a set it makes one object
    listed = np.asarray(test_elements).ravel().tolist()
    if operand.kind != "s" or not all(type(one) is str for one in listed):
        message = "np.isin of what is no text"
        raise Untraceable(message)
    return _bool(program, f"{operand.text} in {program.bind(frozenset(listed))}")


def _positive(program: Program, value: Any) -> Operand:
    del program
    operand = as_operand(value)
    _refuse_text(operand)
    return operand


_OPERATIONS: Final[dict[str, Callable[..., Operand]]] = {
    "add": _arithmetic("+"),
    "subtract": _arithmetic("-"),
    "multiply": _arithmetic("*"),
    "divide": _divide,
    "true_divide": _divide,
    "floor_divide": _whole_division("//"),
    "remainder": _whole_division("%"),
    "mod": _whole_division("%"),
    "equal": _comparison("=="),
    "not_equal": _comparison("!="),
    "less": _comparison("<"),
    "less_equal": _comparison("<="),
    "greater": _comparison(">"),
    "greater_equal": _comparison(">="),
    "bitwise_and": _bitwise("&"),
    "bitwise_or": _bitwise("|"),
    "bitwise_xor": _bitwise("^"),
    "logical_and": _logical("and"),
    "logical_or": _logical("or"),
    "logical_not": _logical_not,
    "invert": _invert,
    "bitwise_invert": _invert,
    "negative": _negative,
    "positive": _positive,
    "absolute": _absolute,
    "abs": _absolute,
    "square": _square,
    "sqrt": _sqrt,
    "power_operator": _power,
    "isnan": _isnan,
    "isfinite": _isfinite,
    "isinf": _isinf,
    "where": _where,
    "select": _select,
    "maximum": _extreme("maximum", ">"),
    "minimum": _extreme("minimum", "<"),
    "clip": _clip,
    "searchsorted": _searchsorted,
    "digitize": _digitize,
    "astype": _astype,
    "round": _round,
    "around": _round,
    "isin": _isin,
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
