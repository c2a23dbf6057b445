"""Looks at the code of a feature for what makes training and serving differ.

A finding is a suspicion from reading; the proof by running stands elsewhere. The user's own
functions that it calls are looked at as well, for what no row can show: text that is hashed, random
numbers, the time, the environment. What libraries do is known by its name.
"""

from __future__ import annotations

import ast
import functools
import inspect
from collections import deque
from dataclasses import dataclass
from types import FunctionType
from typing import TYPE_CHECKING, Any

from prodml.features._code_origin import is_library_class, is_library_function
from prodml.features._lint_calls import OwnFunction, own_functions, used_by
from prodml.features._lint_looking import Looking
from prodml.features._lint_names import Names
from prodml.features._lint_rules import RULES, Severity
from prodml.features.feature import Feature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prodml._core.function_source import FunctionNode

__all__ = ["LintFinding", "lint_function"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LintFinding:
    """Something in a feature that may make training and serving differ.

    Immutable, picklable, safe between threads.

    Attributes
    ----------
    rule : str
        A stable name, as ``"batch_statistic"``.
    severity : str
        ``"error"`` for what comparing rows cannot show, as it differs between processes,
        machines or moments; ``"warning"`` for what it shows, where it is so.
    line : int
        The line of its file, from 1.
    message : str
        What the code does, why that is wrong, and what to do instead.
    called : str, default ""
        The function in which it stands, where the feature calls that one.
    """

    rule: str
    severity: Severity
    line: int
    message: str
    called: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "line": self.line,
            "message": self.message,
            "called": self.called,
        }


def lint_function(
    function: Callable[..., Any],
    /,
    *,
    elementwise: bool = False,
    without: Iterable[str] = ("state",),
) -> tuple[LintFinding, ...]:
    """Return what in a feature may make training and serving differ.

    Parameters
    ----------
    function : callable
        A function that takes its inputs by the names of its parameters.
    elementwise : bool, default False
        Whether it takes one value, and not whole columns. Then it has no other rows to depend on.
    without : iterable of str, default ("state",)
        Parameters that are no inputs.

    Returns
    -------
    tuple of LintFinding
        In the order of lines; after them those of the functions that it calls. Empty where
        nothing was found, or for what is not written in Python.

    Notes
    -----
    Names are followed through imports, so that ``from math import log`` and ``np`` are known for
    what they are, and inputs through the variables that are computed from them.

    The user's own functions and methods are followed as well, wherever they are read: globals,
    closures, defaults, partials, tables of functions. Which of their parameters are columns is
    not known, so that nothing is said of statistics in them. A method of the state is not found.

    Examples
    --------
    >>> from uuid import uuid4
    >>> print(*(finding.message for finding in lint_function(uuid4)))
    `os.urandom(...)` gives another value at each call. Draw before the features are ... an input.
    """
    layers, n_given, named = _layers_of(function)
    if not layers:
        return ()
    plain, *wrappers = layers
    node = plain.node
    arguments = [] if node is None else _arguments_of(node)[n_given:]
    found = _findings(plain, set() if elementwise else {*arguments} - named - set(without))
    seen = {plain.function.__code__}
    around = (one for one in wrappers if not is_library_function(one.function))
    waiting = deque([*around, *used_by(plain)])
    while waiting:
        one = waiting.popleft()
        if one.function.__code__ not in seen:
            seen.add(one.function.__code__)
            found += _findings(one, set(), caller=plain.function)
            waiting += used_by(one)
    return tuple(found)


def _layers_of(function: Any) -> tuple[list[OwnFunction], int, set[str]]:
    """Return the function that was written, those around it, and which arguments are bound."""
    n_given = 0
    named: set[str] = set()
    if isinstance(function, Feature):
        function = function.function
    while isinstance(function, functools.partial):
        n_given += len(function.args)
        named |= function.keywords.keys()
        function = function.func
    kind = type(function)
    known = is_library_class(kind) or hasattr(kind, "__fingerprint__")
    if not inspect.isroutine(function) and not known:
        function = getattr(function, "__call__", function)  # noqa: B004 - for its code
    layers, seen = [], set()
    while function is not None and id(function) not in seen:
        seen.add(id(function))
        plain = getattr(function, "__func__", function)
        if isinstance(plain, FunctionType):
            n_given += plain is not function
            layers.append(next(own_functions(function), OwnFunction(plain, None)))
        function = getattr(function, "__wrapped__", None)
    layers.reverse()
    return layers, n_given, named


def _arguments_of(node: FunctionNode) -> list[str]:
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return [one.arg for one in [*given, node.args.vararg, node.args.kwarg] if one is not None]


def _findings(
    one: OwnFunction, inputs: set[str], *, caller: FunctionType | None = None
) -> list[LintFinding]:
    """Return what is found in one function, in the order of lines."""
    code, node = one.function.__code__, one.node
    called = "" if caller is None else code.co_qualname.replace("<locals>.", "")
    where = ""
    if caller is not None:
        same = one.function.__module__ == caller.__module__
        where = f"In `{called}`{'' if same else f' of {one.function.__module__}'}: "
    if node is None:
        # what makes a dataclass or a named tuple has none, and does nothing by itself
        told = [] if one.owner is not None else [("no_source", 1, f"`{code.co_qualname}`")]
    else:
        looking = Looking(Names(one.function, node), inputs)
        looking.look(node)
        told = sorted(looking.found, key=lambda found: (found[1], found[0]))
    offset = 0 if isinstance(node, ast.Lambda) else code.co_firstlineno - 1
    found = []
    for rule, line, what in dict.fromkeys(told):
        broken = RULES[rule]
        message = f"{where}{what} {broken.fault}. {broken.repair}"
        found.append(
            LintFinding(
                rule=rule,
                severity=broken.severity,
                line=line + offset,
                message=message,
                called=called,
            )
        )
    return found
