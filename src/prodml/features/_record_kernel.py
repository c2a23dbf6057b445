"""Features of one record, as one straight-line function.

A feature that can be traced is a few lines of plain Python; an elementwise one is a call with
plain values; any other is called with columns of length one, which is always right.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml.errors import FeatureError, MissingInputError
from prodml.features._cast_columns import DTYPES
from prodml.features._cast_values import EPOCH, LARGEST_EXACT, MICROSECOND, MissingValue, caster_of
from prodml.features._outputs import column_of, exact_float, value_of
from prodml.features._program import Program, Untraceable
from prodml.features._traced_operations import apply_operation
from prodml.features._tracer import Operand, Tracer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from prodml.features._plan import Plan
    from prodml.features._steps import Step
    from prodml.features.field import Field

__all__ = ["RecordKernel", "compile_kernel"]

_FIRST_EXACT: Final = EPOCH - LARGEST_EXACT * MICROSECOND
_LAST_EXACT: Final = EPOCH + LARGEST_EXACT * MICROSECOND
#: No moment of a datetime has more microseconds.
_MOMENT_BOUND: Final = 2**58


@dataclass(frozen=True, slots=True)
class RecordKernel:
    """The compiled function, and how it computes each feature.

    Attributes
    ----------
    run : callable
        Takes a record, returns a list of values.
    source : str
        Its text.
    ways : dict of str to str
        For each feature ``"traced"``, ``"elementwise"`` or ``"columns of length 1"``.
    reasons : dict of str to str
        Why a feature is not traced.
    """

    run: Callable[[Mapping[str, Any]], list[Any]]
    source: str
    ways: dict[str, str]
    reasons: dict[str, str]


@dataclass(slots=True)
class _Build:
    """A kernel under construction."""

    program: Program
    #: What holds each column.
    operands: dict[str, Operand] = field(default_factory=dict)
    #: Variables that hold a column as an array of length one.
    arrays: dict[str, str] = field(default_factory=dict)
    ways: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    warns: bool = False


def compile_kernel(
    plan: Plan,
    steps: Sequence[Step],
    outputs: Sequence[str],
    /,
    *,
    demoted: Mapping[str, str],
    as_floats: bool = True,
) -> RecordKernel:
    """Compile the function that computes features of one record.

    Parameters
    ----------
    plan : Plan
        What is computed.
    steps : sequence of Step
        Its features, ready.
    outputs : sequence of str
        The columns to return, in order.
    demoted : mapping of str to str
        Features that are not to be traced, and why.
    as_floats : bool, default True
        Whether integers are checked to be exact as floats; otherwise values are returned as
        features see them.
    """
    build = _Build(Program(apply_operation))
    names = _add_inputs(build, plan.fields)
    reading = len(build.program.lines)
    for step in steps:
        _add_step(build, step, demoted.get(step.name))
    returned = [_returned(build, name, as_floats=as_floats) for name in outputs]
    source = _source(build, names, reading, returned)
    namespace = build.program.namespace
    namespace["missing"] = MissingValue
    namespace["all_missing"] = _naming_all(plan.fields)
    namespace["with_absent"] = _filling(plan.fields)
    namespace["errstate"] = np.errstate
    # our own templates: names are numbered, and constants are literals or bound
    exec(compile(source, "<prodml record kernel>", "exec"), namespace)  # noqa: S102
    return RecordKernel(namespace["run"], source, build.ways, build.reasons)


def _source(build: _Build, names: list[tuple[str, str]], reading: int, returned: list[str]) -> str:
    casts, work = build.program.lines[:reading], build.program.lines[reading:]
    lines = ["def run(record):", "    try:"]
    lines += [f"        {variable} = record[{name!r}]" for name, variable in names] or [
        "        pass"
    ]
    lines += ["    except KeyError:", "        return run(with_absent(record))"]
    lines += ["    try:", *[f"        {line}" for line in casts], "        pass"]
    lines += ["    except missing:", "        raise all_missing(record) from None"]
    margin = "    "
    if build.warns:
        lines.append("    with errstate(all='ignore'):")
        margin = "        "
    lines += [f"{margin}{line}" for line in work]
    lines.append(f"{margin}return [{', '.join(returned)}]")
    return "\n".join(lines)


def _filling(fields: Sequence[Field]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    names = [one.name for one in fields]

    def with_absent(record: Mapping[str, Any]) -> dict[str, Any]:
        return {name: record.get(name) for name in names}

    return with_absent


def _naming_all(fields: Sequence[Field]) -> Callable[[Mapping[str, Any]], FeatureError]:
    casts = [(one.name, caster_of(one)) for one in fields]

    def all_missing(record: Mapping[str, Any]) -> FeatureError:
        names = []
        for name, cast in casts:
            try:
                cast(record[name])
            except MissingValue:
                names.append(name)
        message = (
            f"No value for {', '.join(map(repr, names))}. "
            "Give one, or declare the Field with nullable=True."
        )
        return MissingInputError(message, fields=names)

    return all_missing


def _add_inputs(build: _Build, fields: Sequence[Field]) -> list[tuple[str, str]]:
    names = []
    program = build.program
    for one in fields:
        raw = program.variable()
        names.append((one.name, raw))
        cast = program.bind(caster_of(one))
        program.lines.append(_cast_line(program, one, raw, cast))
        bound = _MOMENT_BOUND if one.dtype.startswith("timestamp") else 2**63
        build.operands[one.name] = Operand(raw, one.kind, bound=bound)
    return names


def _cast_line(program: Program, one: Field, raw: str, cast: str) -> str:
    """Return the line that leaves alone what is of the right type already."""
    if one.kind == "s":
        return f"if {raw}.__class__ is not str: {raw} = {cast}({raw})"
    if one.dtype == "float64":
        test = f"{raw}.__class__ is not float"
        if not one.nullable:
            test = f"{test} or {raw} != {raw}"
        return f"if {test}: {raw} = {cast}({raw})"
    if one.dtype.startswith("timestamp"):
        return _moment_line(program, one, raw, cast)
    if one.nullable:
        ready = {
            "int64": f"{raw}.__class__ is int and -{LARGEST_EXACT} <= {raw} <= {LARGEST_EXACT}",
            "bool": f"{raw}.__class__ is bool",
        }[one.dtype]
        return f"{raw} = float({raw}) if {ready} else {cast}({raw})"
    if one.dtype == "int64":
        return (
            f"if {raw}.__class__ is not int or not -{2**63} <= {raw} < {2**63}: "
            f"{raw} = {cast}({raw})"
        )
    return f"if {raw}.__class__ is not bool: {raw} = {cast}({raw})"


def _moment_line(program: Program, one: Field, raw: str, cast: str) -> str:
    kind, zone = program.bind(datetime), program.bind(UTC)
    epoch, unit = program.bind(EPOCH), program.bind(MICROSECOND)
    ready = f"{raw}.__class__ is {kind} and {raw}.tzinfo is {zone}"
    count = f"({raw} - {epoch}) // {unit}"
    if not one.nullable:
        return f"{raw} = {count} if {ready} else {cast}({raw})"
    # no further from 1970 than microseconds are exact as floats
    first, last = program.bind(_FIRST_EXACT), program.bind(_LAST_EXACT)
    return f"{raw} = float({count}) if {ready} and {first} <= {raw} <= {last} else {cast}({raw})"


def _add_step(build: _Build, step: Step, demoted: str | None) -> None:
    if step.feature.elementwise:
        _add_elementwise(build, step)
    elif demoted is not None:
        _add_call(build, step, demoted)
    else:
        mark = build.program.mark()
        try:
            _add_traced(build, step)
        except (Exception, Untraceable) as error:  # noqa: BLE001 - whatever a function does with what is no column
            build.program.rewind(mark)
            _add_call(build, step, _reason(error))


def _reason(error: BaseException) -> str:
    told = str(error).partition("\n")[0]
    return told if isinstance(error, Untraceable) else f"{type(error).__name__}: {told}"


def _add_traced(build: _Build, step: Step) -> None:
    arguments = [Tracer(build.program, build.operands[name]) for name in step.inputs]
    with np.errstate(all="ignore"):  # what a feature makes of its constants is no news
        results = step.parts_of(step.call(*arguments))
    operands = []
    for result, kind in zip(results, step.kinds or (), strict=True):
        if not isinstance(result, Tracer):
            message = f"returns a {type(result).__name__}"
            raise TypeError(message)
        operand = result.operand
        if operand.kind != kind:
            message = f"is traced as {operand.kind}, and is {kind}"
            raise TypeError(message)
        operands.append(operand)
    build.operands.update(zip(step.names, operands, strict=True))
    build.ways[step.name] = "traced"


def _add_elementwise(build: _Build, step: Step) -> None:
    program = build.program
    arguments = ", ".join(build.operands[name].text for name in step.inputs)
    results = _unpacked(build, step, f"{program.bind(step.call)}({arguments})")
    for name, variable, kind in zip(step.names, results, step.kinds or (), strict=True):
        check = program.bind(_checker(kind, step.name))
        plain = {"f": "float", "i": "int", "b": "bool", "s": "str"}[kind]
        test = f"{variable}.__class__ is not {plain}"
        if kind == "i":
            test = f"{test} or not -{2**63} <= {variable} < {2**63}"
        program.lines.append(f"if {test}: {variable} = {check}({variable})")
        build.operands[name] = Operand(variable, kind)
    if any(build.operands[name].kind != "s" for name in step.inputs):
        build.warns = True
    build.ways[step.name] = "elementwise"


def _unpacked(build: _Build, step: Step, call: str) -> list[str]:
    program = build.program
    if step.columns is None:
        return [program.set(call)]
    whole = program.set(f"{program.bind(step.parts_of)}({call})")
    return [program.set(f"{whole}[{at}]") for at in range(len(step.columns))]


def _checker(kind: str, feature: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        return value_of(value, kind, feature=feature)

    return check


def _add_call(build: _Build, step: Step, reason: str) -> None:
    """Call the function with columns of length one."""
    program = build.program
    arguments = ", ".join(_array_of(build, name) for name in step.inputs)
    results = _unpacked(build, step, f"{program.bind(step.call)}({arguments})")
    for name, variable, kind in zip(step.names, results, step.kinds or (), strict=True):
        column = program.set(f"{program.bind(_single(kind, step.name))}({variable})")
        build.arrays[name] = column
        build.operands[name] = Operand(program.set(f"{column}.item()"), kind)
    build.warns = True
    build.ways[step.name] = "columns of length 1"
    build.reasons[step.name] = reason


def _array_of(build: _Build, name: str) -> str:
    if name not in build.arrays:
        program, operand = build.program, build.operands[name]
        dtype = program.bind(np.dtype(DTYPES[operand.kind]))
        build.arrays[name] = program.set(
            f"{program.bind(_column_of_one)}([{operand.text}], {dtype})"
        )
    return build.arrays[name]


def _column_of_one(values: list[Any], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    column = np.array(values, dtype)
    column.setflags(write=False)  # as in a batch
    return column


def _single(kind: str, feature: str) -> Callable[[Any], Any]:
    dtype = np.dtype(DTYPES[kind])

    def column(result: Any) -> Any:
        if (
            type(result) is np.ndarray
            and result.dtype == dtype
            and kind != "s"
            and result.shape == (1,)
        ):
            found = result
        else:
            found = column_of(result, 1, kind, feature=feature)
        found.setflags(write=False)
        return found

    return column


def _returned(build: _Build, name: str, *, as_floats: bool) -> str:
    operand = build.operands[name]
    if as_floats and operand.kind == "i" and operand.bound > LARGEST_EXACT:
        program = build.program
        exact = program.bind(_exact_output(name))
        return program.set(f"{exact}({operand.text})")
    return operand.text


def _exact_output(name: str) -> Callable[[int], float]:
    def exact(value: int) -> float:
        return exact_float(value, name)

    return exact
