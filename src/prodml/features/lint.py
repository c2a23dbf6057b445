"""Looks at the code of a feature for what makes training and serving differ.

A finding is a suspicion from reading; the proof by running stands elsewhere. What a function calls
is not looked at.
"""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prodml._core.function_source import find_function
from prodml.features._lint_names import Names
from prodml.features._lint_rules import (
    BATCH_FUNCTIONS,
    BATCH_METHODS,
    FORBIDDEN,
    RULES,
    Severity,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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
        ``"error"`` or ``"warning"``.
    line : int
        The line of its file, from 1.
    message : str
        What the code does, why that is wrong, and what to do instead.
    """

    rule: str
    severity: Severity
    line: int
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "line": self.line,
            "message": self.message,
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
        In the order of lines; empty where nothing was found, or for what is not written in
        Python.

    Notes
    -----
    Names are followed through imports, so that ``from math import log`` and ``np`` are known for
    what they are, and inputs through the variables that are computed from them.

    Examples
    --------
    >>> from uuid import uuid4
    >>> print(*(finding.message for finding in lint_function(uuid4)))
    `os.urandom(...)` gives another value at each call. Draw before the features are ... an input.
    """
    plain = inspect.unwrap(function)
    plain = getattr(plain, "__func__", plain)
    code = getattr(plain, "__code__", None)
    if code is None:
        return ()
    found = find_function(code)
    if found is None:
        return (_finding("no_source", code.co_firstlineno, f"{code.co_qualname!r}"),)
    inputs = {one.arg for one in ast.walk(found.node.args) if isinstance(one, ast.arg)}
    names = Names(plain, found.node)
    looking = _Looking(names, set() if elementwise else inputs - set(without))
    offset = code.co_firstlineno - 1 if not isinstance(found.node, ast.Lambda) else 0
    looking.look(found.node, offset)
    return tuple(sorted(looking.findings, key=lambda one: (one.line, one.rule)))


def _finding(rule: str, line: int, what: str) -> LintFinding:
    told = RULES[rule]
    message = f"{what} {told.fault}. {told.repair}"
    return LintFinding(rule=rule, severity=told.severity, line=line, message=message)


class _Looking:
    """Goes through the code of one function and collects what it finds."""

    def __init__(self, names: Names, inputs: set[str]) -> None:
        self.findings: list[LintFinding] = []
        self._names = names
        self._inputs = inputs
        self._elements: set[str] = set()
        self._offset = 0

    def look(self, function: Any, offset: int) -> None:
        self._offset = offset
        body = function.body if isinstance(function.body, list) else [function.body]
        nodes = [node for statement in body for node in ast.walk(statement)]
        self._follow_inputs(nodes)
        for node in nodes:
            if isinstance(node, ast.For | ast.comprehension) and self._is_input(node.iter):
                self._elements |= _names_in(node.target)
        called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
        for node in nodes:
            if isinstance(node, ast.Call):
                self._look_at_call(node)
            elif isinstance(node, ast.Attribute | ast.Name) and id(node) not in called:
                self._look_at_name(node, node)
            elif isinstance(node, ast.Subscript):
                self._look_at_position(node)
            elif isinstance(node, ast.Global):
                self._add("global_state", node, f"`global {', '.join(node.names)}`")
            if (source := _gone_through(node)) is not None:
                self._look_at_order(source)

    def _add(self, rule: str, node: ast.AST, what: str) -> None:
        line = getattr(node, "lineno", 1) + self._offset
        self.findings.append(_finding(rule, line, what))

    def _follow_inputs(self, nodes: list[ast.AST]) -> None:
        """Add the variables that are computed from inputs, and from those again."""
        while True:
            known = len(self._inputs)
            for node in nodes:
                value = getattr(node, "value", None)
                if isinstance(
                    node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr
                ) and self._is_input(value):
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    self._inputs |= _names_in(*targets)
            if len(self._inputs) == known:
                return

    def _is_input(self, node: ast.AST | None) -> bool:
        """Say whether a value has a row for each row of an input, as far as can be told."""
        if node is None or not self._inputs:
            return False
        if isinstance(node, ast.Attribute) and node.attr in {"size", "shape", "dtype", "ndim"}:
            return False
        if isinstance(node, ast.Call) and self._names.of(node.func) == "builtins.len":
            return False
        if isinstance(node, ast.Name):
            return node.id in self._inputs
        return any(map(self._is_input, ast.iter_child_nodes(node)))

    def _is_of_input(self, node: ast.AST) -> bool:
        """Say the same also of one value of an input."""
        return self._is_input(node) or not self._elements.isdisjoint(_names_in(node))

    def _look_at_call(self, node: ast.Call) -> None:
        if self._look_at_name(node.func, node):
            return
        name = self._names.of(node.func)
        given = [*node.args, *(one.value for one in node.keywords)]
        shown = f"`{ast.unparse(node.func)}(...)`"
        if name.startswith("math.") and any(map(self._is_of_input, given)):
            self._add("math_function", node, shown)
        elif (
            name in BATCH_FUNCTIONS and _takes_column(name, node) and self._is_input(given[0])
        ) or (
            isinstance(node.func, ast.Attribute)
            and node.func.attr in BATCH_METHODS
            and not name
            and self._is_input(node.func.value)
        ):
            self._add("batch_statistic", node, shown)
        elif rule := _time_without_zone(name, node):
            self._add(rule, node, shown)

    def _look_at_name(self, node: ast.expr, place: ast.AST) -> bool:
        name = self._names.of(node)
        for forbidden, rule in FORBIDDEN.items():
            inside = forbidden if forbidden.endswith((".", "_")) else f"{forbidden}."
            if name == forbidden or name.startswith(inside):
                self._add(
                    rule, place, f"`{ast.unparse(node)}{'(...)' if place is not node else ''}`"
                )
                return True
        return False

    def _look_at_position(self, node: ast.Subscript) -> None:
        place = node.slice.operand if isinstance(node.slice, ast.UnaryOp) else node.slice
        whole = isinstance(place, ast.Constant) and type(place.value) is int
        if whole and self._is_input(node.value) and isinstance(node.value, ast.Name):
            self._add("row_position", node, f"`{ast.unparse(node)}`")

    def _look_at_order(self, node: ast.expr) -> None:
        made = self._names.of(node.func) if isinstance(node, ast.Call) else ""
        is_set = isinstance(node, ast.Set | ast.SetComp) or made in {
            "builtins.set",
            "builtins.frozenset",
        }
        if is_set or isinstance(self._names.value(node), set | frozenset):
            self._add("set_order", node, f"`{ast.unparse(node)}`")


def _names_in(*nodes: ast.AST) -> set[str]:
    return {one.id for node in nodes for one in ast.walk(node) if isinstance(one, ast.Name)}


def _gone_through(node: ast.AST) -> ast.expr | None:
    """Return what a loop goes through, or what makes a sequence."""
    if isinstance(node, ast.For | ast.comprehension):
        return node.iter
    if isinstance(node, ast.Call) and node.args:
        orders = {"list", "tuple", "enumerate", "iter", "map", "zip", "next"}
        if isinstance(node.func, ast.Name) and node.func.id in orders:
            return node.args[-1]
        if isinstance(node.func, ast.Attribute) and node.func.attr in {"join", "array", "asarray"}:
            return node.args[0]
    return None


def _takes_column(name: str, node: ast.Call) -> bool:
    """Say whether a call is one over a column: `max(a, b)` compares two values."""
    return bool(node.args) and (not name.startswith("builtins.") or len(node.args) == 1)


_ZONE_ARGUMENT = {
    "datetime.datetime": (7, "tzinfo", "naive_datetime"),
    "datetime.datetime.combine": (2, "tzinfo", "naive_datetime"),
    "datetime.datetime.strptime": (9, "tzinfo", "naive_datetime"),
    "datetime.datetime.utcfromtimestamp": (9, "tz", "naive_datetime"),
    "datetime.datetime.fromtimestamp": (1, "tz", "local_time"),
    "datetime.date.fromtimestamp": (9, "tz", "local_time"),
}


def _time_without_zone(name: str, node: ast.Call) -> str | None:
    if name not in _ZONE_ARGUMENT:
        return None
    place, keyword, rule = _ZONE_ARGUMENT[name]
    given = len(node.args) > place or any(one.arg in {keyword, None} for one in node.keywords)
    return None if given else rule
