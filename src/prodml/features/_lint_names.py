"""What the names in a function are called in full, wherever they were imported from."""

from __future__ import annotations

import ast
import builtins
import os
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from prodml.features._code_origin import module_title, qualified_name
from prodml.features._name_lookup import Surroundings

if TYPE_CHECKING:
    from prodml._core.function_source import FunctionNode

__all__ = ["Names"]

_ABSENT: Final = object()


class Names:
    """Names as a function sees them.

    Parameters
    ----------
    function : function
        Whose globals and closure are looked into.
    node : ast.FunctionDef, ast.AsyncFunctionDef or ast.Lambda
        Its syntax, for what is its own, and for imports inside it.
    """

    def __init__(self, function: FunctionType, node: FunctionNode) -> None:
        self._globals = function.__globals__
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        self._around = {name: cell for name, cell in cells if name != "__class__"}
        self._imports: dict[str, str] = {}
        own = []
        for one in ast.walk(node):
            if isinstance(one, ast.arg):
                own.append(one.arg)
            elif isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
                own.append(one.id)
            elif isinstance(one, ast.Import | ast.ImportFrom):
                self._note_import(one)
        # a default is one object for all calls; a name that is set again is not the default alone
        self._given = {
            name: value
            for name, value in Surroundings(function).defaults().items()
            if value is not None and own.count(name) == 1
        }
        self._own = set(own) - self._given.keys()

    def _note_import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if isinstance(node, ast.ImportFrom):
                self._imports[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            else:
                root = alias.name.partition(".")[0]
                self._imports[alias.asname or root] = alias.name if alias.asname else root

    def of(self, node: ast.AST, /) -> str:
        """Return the full name of an expression, or nothing where it has none."""
        chain: list[str] = []
        while isinstance(node, ast.Attribute):
            chain.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        chain.reverse()
        if node.id in self._imports:
            return ".".join([self._imports[node.id], *chain])
        value = self._find(node.id)
        if value is _ABSENT:
            return ""
        if value is getattr(builtins, node.id, _ABSENT):
            return ".".join(["builtins", node.id, *chain])
        return _full_name(value, chain)

    def value(self, node: ast.AST, /) -> Any:
        """Return what an expression stands for that is not the function's own, or None."""
        if isinstance(node, ast.Name):
            found = self._find(node.id)
            return None if found is _ABSENT else found
        if isinstance(node, ast.Attribute) and (holder := self.value(node.value)) is not None:
            # no property of an object is run for this
            return getattr(holder, "__dict__", {}).get(node.attr)
        return None

    def is_around(self, name: str, /) -> bool:
        """Say whether a name is one of an enclosing function."""
        return name in self._around

    def _find(self, name: str) -> Any:
        if name in self._own:
            return _ABSENT
        if name in self._given:
            return self._given[name]
        if name in self._around:
            try:
                return self._around[name].cell_contents
            except ValueError:  # not set yet
                return _ABSENT
        return self._globals.get(name, getattr(builtins, name, _ABSENT))


def _full_name(value: Any, chain: list[str]) -> str:
    while chain and isinstance(value, ModuleType):
        inner = getattr(value, chain[0], _ABSENT)
        if not isinstance(inner, ModuleType | type):
            return ".".join([module_title(value), *chain])
        value, chain = inner, chain[1:]
    if isinstance(value, ModuleType):
        return module_title(value)
    if value is os.environ:
        return ".".join(["os.environ", *chain])
    owner = getattr(value, "__self__", None)
    if callable(value) and owner is not None and not isinstance(owner, ModuleType | type):
        kind = type(owner)  # `from random import random` is a method of an object
        return f"{kind.__module__}.{kind.__qualname__}.{value.__name__}"
    if isinstance(value, type | FunctionType | BuiltinFunctionType):
        return ".".join([qualified_name(value), *chain])
    name = getattr(value, "__name__", None)
    if callable(value) and isinstance(name, str):  # as functions of numpy
        return ".".join([qualified_name(value), *chain])
    kind = type(value)
    return ".".join([kind.__module__, kind.__qualname__, *chain]) if chain else ""
