"""A function of columns as traced lines, beside numpy over long columns and columns of length 1."""

from __future__ import annotations

import math
import sys

import numpy as np

from prodml.features._program import Program, Untraceable
from prodml.features._traced_operations import apply_operation
from prodml.features._tracer import Operand, Tracer

DTYPES = {"f": np.float64, "i": np.int64, "b": np.bool_, "s": np.object_}

FLOATS = [
    *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 3.0, -7.5, 2.5, 3.5, 0.1, 1e16, 23.36),
    *(math.inf, -math.inf, math.nan, 5e-324, -5e-324, 2.2250738585072014e-308, 1e-310),
    *(sys.float_info.max, -sys.float_info.max, 1e154, 1e-200, 710.0, -745.2, 699.5, 1e300),
    *(2.0**53, 2.0**53 - 1, 2.0**53 + 2, -(2.0**53), 9.3e18, -(2.0**63), 2.0**63),
    *(math.nextafter(1.0, 2.0), math.nextafter(1.0, 0.0), 0.30000000000000004, math.pi),
]
INTEGERS = [
    *(0, 1, -1, 2, 3, -3, 7, 10, 70_000, -70_000, 2**31, 2**32 + 1),
    *(2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**62, -(2**62)),
    *(2**63 - 1, -(2**63), -(2**63) + 1, 3_037_000_500),
]
BOOLEANS = [False, True]
TEXTS = ["", " ", "a", "b", "A", "ß", "a\0", "no", None, "nan", "None"]
GRID = {"f": FLOATS, "i": INTEGERS, "b": BOOLEANS, "s": TEXTS}


def traced(function, kinds):
    """Return a function traced over columns of some kinds: one of plain values, and its result.

    Raises whatever tracing raises, as Untraceable.
    """
    program = Program(apply_operation)
    operands = [Operand(program.variable(), kind) for kind in kinds]
    with np.errstate(all="ignore"):
        result = function(*[Tracer(program, one) for one in operands])
    if not isinstance(result, Tracer):
        raise TypeError(type(result).__name__)
    operand = result.operand
    lines = [*program.lines, f"return {operand.text}"]
    head = f"def run({', '.join(one.text for one in operands)}):"
    exec("\n    ".join([head, *lines]), program.namespace)  # noqa: S102 - what is under test
    return program.namespace["run"], operand


def is_traced(function, kinds):
    """Return whether a function has lines."""
    try:
        traced(function, kinds)
    except (Untraceable, TypeError, AttributeError):
        return False
    return True


def column(values, kind):
    """Return values as a column of a kind."""
    out = np.empty(len(values), dtype=DTYPES[kind])
    out[:] = values
    return out


def bits(value):
    """Return what tells plain values apart: the kind, and the bits of a float."""
    if type(value) is float:
        return "nan" if math.isnan(value) else value.hex()
    return type(value), value


def over_columns(function, columns):
    """Return what numpy gives over whole columns."""
    with np.errstate(all="ignore"):
        return function(*columns)


def assert_same(function, kinds, rows, *, singles=True):
    """Check that lines give the bits of numpy, over all rows together and each of them alone.

    Return whether the function was traced, and False where numpy refuses the columns.
    """
    columns = [column([row[at] for row in rows], kind) for at, kind in enumerate(kinds)]
    try:
        expected = over_columns(function, columns)
    except (TypeError, ValueError, ArithmeticError):
        return False
    try:
        run, operand = traced(function, kinds)
    except (Untraceable, TypeError, AttributeError):
        return False
    assert expected.dtype == DTYPES[operand.kind], (expected.dtype, operand.kind)
    expected = expected.tolist()
    for at, row in enumerate(rows):
        got = run(*row)
        assert bits(got) == bits(expected[at]), (row, got, expected[at])
        if operand.kind == "i":
            assert abs(got) <= operand.bound, (row, got, operand.bound)
        if singles:
            alone = over_columns(function, [one[at : at + 1].copy() for one in columns])
            assert bits(alone.item()) == bits(expected[at]), (row, alone, expected[at])
    return True
