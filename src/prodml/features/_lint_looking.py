"""Goes through the code of one function and collects what it finds."""

from __future__ import annotations

import ast
from collections.abc import MutableMapping, MutableSequence, MutableSet
from typing import TYPE_CHECKING, Final

import numpy as np

from prodml.features._lint_rules import BATCH_FUNCTIONS, BATCH_METHODS, FORBIDDEN
from prodml.features._lint_variables import Variables

if TYPE_CHECKING:
    from prodml._core.function_source import FunctionNode
    from prodml.features._lint_names import Names

__all__ = ["Looking"]

_COMPREHENSIONS: Final = (ast.DictComp, ast.GeneratorExp, ast.ListComp, ast.SetComp)
_CONTAINERS: Final = (MutableMapping, MutableSequence, MutableSet, bytearray, set, np.ndarray)
_WRITING: Final = frozenset(
    (
        "add", "append", "appendleft", "clear", "discard", "extend", "extendleft", "fill",
        "insert", "move_to_end", "pop", "popitem", "popleft", "put", "remove", "reverse",
        "setdefault", "sort", "subtract", "update",
    )
)  # fmt: skip
#: What of a set does not depend on its order, as long as equal ranks are not told apart by it.
_ORDER_FREE: Final = frozenset(
    f"builtins.{name}" for name in ("all", "any", "frozenset", "len", "max", "min", "set", "sorted")
)
_RANKED: Final = frozenset({"builtins.max", "builtins.min", "builtins.sorted"})
_IN_ORDER: Final = frozenset({"enumerate", "iter", "list", "map", "next", "tuple", "zip"})


class Looking:
    """Looks at one function.

    Parameters
    ----------
    names : Names
        What its names stand for.
    inputs : set of str
        The parameters that have a row for each row; added to.

    Attributes
    ----------
    found : list of tuple
        The rule, the line within the source, and what breaks it.
    """

    def __init__(self, names: Names, inputs: set[str]) -> None:
        self.found: list[tuple[str, int, str]] = []
        self._names = names
        self._inputs = inputs
        self._elements: set[str] = set()
        self._variables = Variables((), names)
        self._free: set[int] = set()

    def look(self, function: FunctionNode) -> None:
        """Look at its body."""
        body = function.body if isinstance(function.body, list) else [function.body]
        nodes = [node for statement in body for node in ast.walk(statement)]
        self._variables = Variables(nodes, self._names)
        self._follow_inputs(nodes)
        for node in nodes:
            if isinstance(node, ast.For | ast.comprehension) and self._is_input(node.iter):
                self._elements |= _names_in(node.target)
        called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
        self._free = {one for node in nodes for one in self._free_of_order(node)}
        for node in nodes:
            if isinstance(node, ast.Attribute | ast.Name) and id(node) not in called:
                self._look_at_name(node, node)
            self._look_at(node)
            self._look_at_order(node)
            self._look_at_writing(node)

    def _look_at(self, node: ast.AST) -> None:
        if isinstance(node, ast.Call):
            self._look_at_call(node)
        elif isinstance(node, ast.Subscript):
            self._look_at_position(node)
        elif isinstance(node, ast.Compare):
            self._look_at_count(node)

    def _add(self, rule: str, node: ast.AST, what: str) -> None:
        self.found.append((rule, getattr(node, "lineno", 1), what))

    # --------------------------------------------------------------------------- what is an input

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

    # ------------------------------------------------------------------------------------- names

    def _look_at_name(self, node: ast.expr, place: ast.AST) -> bool:
        name = self._names.of(node)
        shown = f"`{ast.unparse(node)}{'(...)' if place is not node else ''}`"
        for forbidden, rule in FORBIDDEN.items():
            inside = forbidden if forbidden.endswith((".", "_")) else f"{forbidden}."
            if name == forbidden or name.startswith(inside):
                self._add(rule, place, shown)
                return True
        value = self._names.value(node)
        untyped = isinstance(value, np.vectorize) and value.otypes is None
        if untyped or (name == "numpy.vectorize" and place is node):
            self._add("vectorize_type", place, shown)
        return False

    # ------------------------------------------------------------------------------------- calls

    def _look_at_call(self, node: ast.Call) -> None:
        if self._look_at_name(node.func, node):
            return
        name = self._names.of(node.func)
        method = node.func if isinstance(node.func, ast.Attribute) and not name else None
        given = [*node.args, *(one.value for one in node.keywords)]
        rule = None
        if name.startswith("math.") and any(map(self._is_of_input, given)):
            rule = "math_function"
        elif name in {"numpy.fmax", "numpy.fmin"} and any(map(self._is_input, given)):
            rule = "zero_sign"
        elif method is not None:
            rule = self._rule_of_method(node, method)
        elif _is_statistic(name, node) and self._is_input(node.args[0]):
            rule = None if self._variables.is_within_rows(node, name) else "batch_statistic"
        rule = rule or _rule_by_arguments(name, node)
        if rule is not None:
            self._add(rule, node, f"`{ast.unparse(node.func)}(...)`")

    def _rule_of_method(self, node: ast.Call, method: ast.Attribute) -> str | None:
        if method.attr == "__hash__":
            return "builtin_hash"
        if method.attr == "astimezone" and not any(map(_is_given, _zones(node))):
            return "local_time"
        if method.attr in BATCH_METHODS and self._is_input(method.value):
            return None if self._variables.is_within_rows(node, "") else "batch_statistic"
        return None

    # -------------------------------------------------------------------------------------- rows

    def _look_at_position(self, node: ast.Subscript) -> None:
        place = node.slice.operand if isinstance(node.slice, ast.UnaryOp) else node.slice
        whole = isinstance(place, ast.Constant) and type(place.value) is int
        if not whole or not isinstance(node.value, ast.Name) or not isinstance(node.ctx, ast.Load):
            return
        table = self._is_kept(node.value) or self._variables.is_dict(node.value)
        if self._is_input(node.value) and not table and self._variables.across(node.value) != 0:
            self._add("row_position", node, f"`{ast.unparse(node)}`")

    def _look_at_count(self, node: ast.Compare) -> None:
        sides = [node.left, *node.comparators]
        if any(isinstance(one, ast.Constant) and one.value == 0 for one in sides):
            return  # whether there are rows at all
        for one in (inner for side in sides for inner in ast.walk(side)):
            if self._is_count(one):
                self._add("row_count", node, f"`{ast.unparse(node)}`")
                return

    def _is_count(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Attribute) and node.attr in {"size", "shape"}:
            counted = node.value
        elif isinstance(node, ast.Call) and self._names.of(node.func) == "builtins.len":
            counted = next(iter(node.args), node)
        else:
            return False
        return self._is_input(counted) and self._variables.across(counted) is None

    # ------------------------------------------------------------------------------------- order

    def _free_of_order(self, node: ast.AST) -> list[int]:
        """Return what may go through a set, since the order of what it gives doesn't matter."""
        if isinstance(node, ast.SetComp):
            return [id(one) for one in node.generators]
        if not isinstance(node, ast.Call) or self._names.of(node.func) not in _ORDER_FREE:
            return []
        if any(one.arg == "key" for one in node.keywords):
            return []
        inner = [
            place
            for one in node.args
            for place in (one.generators if isinstance(one, _COMPREHENSIONS) else [one])
        ]
        return [id(one) for one in inner]

    def _look_at_order(self, node: ast.AST) -> None:
        if id(node) in self._free:
            return
        for source in self._gone_through(node):
            if self._variables.is_set(source):
                self._add("set_order", source, f"`{ast.unparse(source)}`")

    def _gone_through(self, node: ast.AST) -> list[ast.expr]:
        """Return what a loop goes through, or what makes a sequence."""
        if isinstance(node, ast.For | ast.comprehension):
            return [node.iter]
        if isinstance(node, ast.Starred) and isinstance(node.ctx, ast.Load):
            return [node.value]
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple | ast.List):
            return [node.value]
        return self._listed(node) if isinstance(node, ast.Call) else []

    def _listed(self, node: ast.Call) -> list[ast.expr]:
        """Return what a call puts into an order."""
        if isinstance(node.func, ast.Name) and node.func.id in _IN_ORDER:
            return node.args
        if self._names.of(node.func) in _RANKED and any(one.arg == "key" for one in node.keywords):
            return node.args[:1]  # of equal ranks the first comes first
        if isinstance(node.func, ast.Attribute):
            if node.func.attr in {"join", "array", "asarray", "fromiter"}:
                return node.args[:1]
            if node.func.attr == "pop" and not node.args:
                return [node.func.value]
        return []

    # ----------------------------------------------------------------------------------- writing

    def _look_at_writing(self, node: ast.AST) -> None:
        """Find what stays after the call."""
        written = None
        if isinstance(node, ast.Global):
            written = f"global {', '.join(node.names)}"
        elif isinstance(node, ast.Nonlocal) and any(map(self._names.is_around, node.names)):
            written = f"nonlocal {', '.join(node.names)}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in _WRITING and self._is_kept(node.func.value):
                written = f"{ast.unparse(node.func)}(...)"
        elif isinstance(node, ast.Subscript | ast.Attribute):
            if isinstance(node.ctx, ast.Load):
                return
            kept = isinstance(node, ast.Attribute) or self._is_kept(node.value)
            if kept and self._names.value(node.value) is not None:
                written = f"{ast.unparse(node)} = ..."
        if written is not None:
            self._add("global_state", node, f"`{written}`")

    def _is_kept(self, node: ast.expr) -> bool:
        return isinstance(self._names.value(node), _CONTAINERS)


def _names_in(*nodes: ast.AST) -> set[str]:
    return {one.id for node in nodes for one in ast.walk(node) if isinstance(one, ast.Name)}


def _is_statistic(name: str, node: ast.Call) -> bool:
    """Say whether a call is one over a column: `max(a, b)` compares two values."""
    if not node.args:
        return False
    if name.startswith("numpy.") and name.endswith((".accumulate", ".reduce", ".reduceat")):
        return True
    whole = not name.startswith("builtins.") or len(node.args) == 1
    return name in BATCH_FUNCTIONS and whole


#: The place and the name of an argument, here the time zone, without which a rule is broken.
_NEEDED: Final = {
    "datetime.datetime": (7, "tzinfo", "naive_datetime"),
    "datetime.datetime.combine": (2, "tzinfo", "naive_datetime"),
    "datetime.datetime.strptime": (9, "tzinfo", "naive_datetime"),
    "datetime.datetime.utcfromtimestamp": (9, "tz", "naive_datetime"),
    "datetime.datetime.fromtimestamp": (1, "tz", "local_time"),
    "datetime.date.fromtimestamp": (9, "tz", "local_time"),
    # the moment, without which they take the present one
    "time.asctime": (0, "t", "current_time"),
    "time.gmtime": (0, "secs", "current_time"),
    "time.strftime": (1, "t", "current_time"),
    "numpy.vectorize": (1, "otypes", "vectorize_type"),
}
_PARSERS: Final = frozenset(
    {"numpy.datetime64", "pandas.DatetimeIndex", "pandas.Timestamp", "pandas.to_datetime"}
)


def _rule_by_arguments(name: str, node: ast.Call) -> str | None:
    """Return the rule that a call breaks by what is given to it, or is not."""
    if name in _PARSERS and node.args:
        written = (one for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant))
        present = any(str(one.value).lower() in {"now", "today"} for one in written)
        return "current_time" if present else None
    if name not in _NEEDED:
        return None
    place, keyword, rule = _NEEDED[name]
    given = len(node.args) > place or any(one.arg in {keyword, None} for one in node.keywords)
    return None if given else rule


def _zones(node: ast.Call) -> list[ast.expr]:
    return [*node.args, *(one.value for one in node.keywords)]


def _is_given(node: ast.AST) -> bool:
    return not (isinstance(node, ast.Constant) and node.value is None)
