"""What the variables of a function hold, as far as can be told by reading: a set, or columns."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prodml.features._lint_names import Names

__all__ = ["Variables"]

_SETS: Final = frozenset({"builtins.set", "builtins.frozenset"})
_SET_METHODS: Final = frozenset(
    {"copy", "difference", "intersection", "symmetric_difference", "union"}
)
#: Functions that make rows of columns, and those that keep the shape of what they take.
_ROWS: Final = frozenset({"numpy.array", "numpy.asarray", "numpy.vstack"})
_SHAPE_KEPT: Final = frozenset(
    f"numpy.{name}"
    for name in (
        "argsort", "array", "asarray", "clip", "cumprod", "cumsum", "nan_to_num", "nancumprod",
        "nancumsum", "round", "sort", "where",
    )
)  # fmt: skip
_METHODS_KEPT: Final = frozenset({"astype", "clip", "copy", "cumsum", "round"})
#: Where the axis stands among the arguments of a function, and what it is if it is not given.
_AXIS_THIRD: Final = frozenset({"diff", "nanpercentile", "nanquantile", "percentile", "quantile"})
_AXIS_DEFAULTS: Final = {
    "accumulate": 0,
    "argsort": -1,
    "diff": -1,
    "reduce": 0,
    "reduceat": 0,
    "sort": -1,
}


class Variables:
    """The variables of a function, each as it was set last before it is read.

    Parameters
    ----------
    nodes : iterable of ast.AST
        All of its syntax.
    names : Names
        What its names stand for.
    """

    def __init__(self, nodes: Iterable[ast.AST], names: Names) -> None:
        self._names = names
        self._set: dict[str, list[tuple[tuple[int, int], ast.expr | None]]] = {}
        settled = set()
        for node in nodes:
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    settled |= self._note(target, node.value, _end(node))
            elif isinstance(node, ast.AugAssign):
                settled.add(id(node.target))  # it stays what it was
            elif (
                isinstance(node, ast.Name)
                and not isinstance(node.ctx, ast.Load)
                and id(node) not in settled  # of a loop, a `with`, ...
            ):
                self._set.setdefault(node.id, []).append((_end(node), None))
        for known in self._set.values():
            known.sort(key=lambda one: one[0])

    def _note(self, target: ast.expr, value: ast.expr | None, end: tuple[int, int]) -> set[int]:
        """Note what a name is set to; return what was noted."""
        if isinstance(target, ast.Name):
            if value is not None:
                self._set.setdefault(target.id, []).append((end, value))
            return {id(target)}
        if not isinstance(target, ast.Tuple | ast.List) or not isinstance(value, ast.Tuple):
            return set()
        if len(target.elts) != len(value.elts):
            return set()
        pairs = zip(target.elts, value.elts, strict=True)
        return {one for pair in pairs for one in self._note(*pair, end)}

    def _value_of(self, node: ast.Name) -> ast.expr | None:
        place = (node.lineno, node.col_offset)
        before = [value for end, value in self._set.get(node.id, ()) if end <= place]
        return before[-1] if before else None

    def is_set(self, node: ast.AST, /) -> bool:
        """Say whether a value is a set."""
        if isinstance(node, ast.Set | ast.SetComp):
            return True
        if isinstance(node, ast.BinOp):
            both = ast.BitOr | ast.BitAnd | ast.BitXor | ast.Sub
            return isinstance(node.op, both) and (self.is_set(node.left) or self.is_set(node.right))
        if isinstance(node, ast.Call):
            if self._names.of(node.func) in _SETS:
                return True
            method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            return method in _SET_METHODS and self.is_set(node.func.value)  # type: ignore[attr-defined]
        if isinstance(node, ast.Name) and (value := self._value_of(node)) is not None:
            return self.is_set(value)
        return isinstance(self._names.value(node), set | frozenset)

    def is_dict(self, node: ast.Name, /) -> bool:
        """Say whether a variable is a dict, whose keys are no positions."""
        value = self._value_of(node)
        if isinstance(value, ast.Call):
            return self._names.of(value.func) == "builtins.dict"
        return isinstance(value, ast.Dict | ast.DictComp)

    def across(self, node: ast.AST, /) -> int | None:
        """Return along which axis several columns stand side by side, or None if they do not."""
        if isinstance(node, ast.List | ast.Tuple):
            return None if any(isinstance(one, ast.Starred) for one in node.elts) else 0
        if isinstance(node, ast.ListComp | ast.GeneratorExp):
            first = self.across(node.generators[0].iter)
            return first if len(node.generators) == 1 and first == 0 else None
        if isinstance(node, ast.Name):
            value = self._value_of(node)
            return None if value is None else self.across(value)
        if isinstance(node, ast.Attribute):
            return _turned(self.across(node.value)) if node.attr == "T" else None
        if isinstance(node, ast.Subscript):
            return 1 if self._names.of(node.value) == "numpy.c_" else None
        if isinstance(node, ast.BinOp | ast.Compare | ast.UnaryOp):
            parts = map(self.across, ast.iter_child_nodes(node))
            return next((one for one in parts if one is not None), None)
        return self._across_call(node) if isinstance(node, ast.Call) else None

    def _across_call(self, node: ast.Call) -> int | None:
        name = self._names.of(node.func)
        if isinstance(node.func, ast.Attribute) and not name:
            inner = self.across(node.func.value)
            if node.func.attr == "transpose" and not node.args:
                return _turned(inner)
            return inner if node.func.attr in _METHODS_KEPT else None
        given = [one for one in map(self.across, node.args) if one is not None]
        if not given:
            return None
        if name == "numpy.column_stack":
            return 1 if given[0] == 0 else None
        if name == "numpy.stack":
            axis = _axis(node, 1, 0)
            return {0: 0, 1: 1, -1: 1}.get(axis) if given[0] == 0 else None
        if name == "numpy.transpose":
            return _turned(given[0])
        is_ufunc = isinstance(getattr(np, name.removeprefix("numpy."), None), np.ufunc)
        return given[0] if name in _ROWS | _SHAPE_KEPT or is_ufunc else None

    def is_within_rows(self, node: ast.Call, name: str, /) -> bool:
        """Say whether a statistic is one of several columns for each row.

        Parameters
        ----------
        node : ast.Call
            The call of a statistic.
        name : str
            The full name of the function; empty for a method.
        """
        method = node.func if isinstance(node.func, ast.Attribute) and not name else None
        across = self.across(node.args[0] if method is None else method.value)
        if across is None or name.startswith("builtins."):
            return across == 0
        short = name.rpartition(".")[2] if method is None else method.attr
        place = 2 if short in _AXIS_THIRD else 1
        default = _AXIS_DEFAULTS.get(short)
        axis = _axis(node, place if method is None else place - 1, default)
        return axis in {across, across - 2}


def _turned(axis: int | None) -> int | None:
    return None if axis is None else 1 - axis


def _axis(node: ast.Call, place: int, default: int | None) -> Any:
    """Return the axis that a call names, as far as it is a number."""
    given = next((one.value for one in node.keywords if one.arg == "axis"), None)
    if given is None:
        if len(node.args) <= place:
            return default
        given = node.args[place]
    try:
        axis = ast.literal_eval(given)
    except ValueError:
        return None
    return axis if isinstance(axis, int) else None


def _end(node: ast.stmt | ast.expr) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
