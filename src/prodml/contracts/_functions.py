"""Validator functions as plain data: what their source says, and the values that they read.

Two functions are the same to a contract if the tokens of their source are: comments, layout,
quotes and the docstring don't count, nor do decorators, nor where the function stands. What it
reads from around itself counts too, or ``at_most(5)`` and ``at_most(10)`` would be one.
"""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Final

from prodml._core.function_source import class_tokens, source_of
from prodml.contracts._shapes import FunctionDescription
from prodml.contracts._tagged import canonical_json, digest, to_tagged

__all__ = ["class_name", "describe_function"]

_STDLIB: Final = Path(os.__file__).parent
#: Libraries whose functions are known by their names.
_LIBRARIES: Final = frozenset({"annotated_types", "pydantic", "pydantic_core"})
#: A container larger than this is told apart by a digest.
_LONGEST: Final = 400
#: How what could not be written shows in canonical JSON; within text the quotes are escaped.
_OPAQUE: Final = '{"opaque":'


def describe_function(function: Any, mode: str) -> FunctionDescription:
    """Describe a function that a model calls.

    Parameters
    ----------
    function : callable
        A function, method, partial, class or object with ``__call__``.
    mode : str
        When it is called: ``"before"``, ``"after"``, ``"wrap"``, ``"plain"``, ``"init"`` ...
    """
    reading = _Reading(set())
    described = reading.describe(function)
    return FunctionDescription(
        mode=mode,
        name=described["name"],
        code=described["code"],
        reads=described["reads"],
        unseen=tuple(sorted(reading.unseen)),
    )


class _Reading:
    """Collects, over one function and all that it calls by name, what could not be looked into."""

    def __init__(self, active: set[int]) -> None:
        self.unseen: set[str] = set()
        self._active = active

    def describe(self, function: Any) -> dict[str, Any]:
        name = _name_of(function)
        if isinstance(function, functools.partial):
            given = {str(place): value for place, value in enumerate(function.args)}
            given |= function.keywords
            reads = {f"argument {name}": self.value(value) for name, value in given.items()}
            return _with(self.describe(function.func), reads)
        if isinstance(function, MethodType):
            inner = self.describe(function.__func__)
            owner = function.__self__
            return inner if isinstance(owner, type) else _with(inner, self.fields(owner))
        if isinstance(function, FunctionType):
            return self._describe_python(function, name)
        if isinstance(function, BuiltinFunctionType):
            owner = function.__self__
            bound = owner is not None and not isinstance(owner, ModuleType | type)
            reads = {"self": self.value(owner)} if bound else {}
            return {"name": name, "code": None, "reads": reads}
        if isinstance(function, type):
            return {"name": name, "code": self._class_code(function, name), "reads": {}}
        if type(function).__module__ == "functools" and hasattr(function, "__wrapped__"):
            return self.describe(function.__wrapped__)  # a cache changes nothing
        if not isinstance(call := type(function).__call__, FunctionType):
            self.unseen.add(f"what {name} holds")
            return {"name": name, "code": None, "reads": {}}
        return _with(self.describe(call), self.fields(function)) | {"name": name}

    def fields(self, owner: Any) -> dict[str, Any]:
        """Return what an object holds that a method of it may read."""
        held = getattr(owner, "__dict__", {})
        slots = [name for cls in type(owner).__mro__ for name in getattr(cls, "__slots__", ())]
        held = {name: getattr(owner, name) for name in slots if hasattr(owner, name)} | held
        return {f"self.{name}": self.value(value) for name, value in held.items()}

    def _describe_python(self, function: FunctionType, name: str) -> dict[str, Any]:
        if _is_library(str(function.__globals__.get("__name__", ""))):
            seen, self.unseen = self.unseen, set()  # its name says what it is
            reads = self._parameters(function)
            self.unseen = seen
            return {"name": name, "code": None, "reads": reads}
        source = source_of(function.__code__)
        if source is None:
            self.unseen.add(f"source of {name}")
        code = None if source is None else digest(source.tokens)
        reads = {}
        if id(function.__code__) not in self._active:  # or it calls itself
            self._active.add(id(function.__code__))
            reads = self._parameters(function)
            if source is not None:
                reads |= self._globals(function, source.names)
            self._active.discard(id(function.__code__))
        return {"name": name, "code": code, "reads": reads}

    def _class_code(self, cls: type, name: str) -> str | None:
        if _is_library(cls.__module__):
            return None
        tokens = class_tokens(cls)
        if tokens is None:
            self.unseen.add(f"source of {name}")
        return None if tokens is None else digest(tokens)

    def _parameters(self, function: FunctionType) -> dict[str, Any]:
        reads = {}
        cells = function.__closure__ or ()
        for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
            try:
                content = cell.cell_contents
            except ValueError:  # not filled yet
                continue
            if name != "__class__":
                reads[f"around {name}"] = self.value(content)
        defaults: dict[str, Any] = dict(function.__kwdefaults__ or {})
        positional = function.__code__.co_varnames[: function.__code__.co_argcount]
        given = function.__defaults__ or ()
        defaults |= dict(zip(positional[len(positional) - len(given) :], given, strict=True))
        return reads | {f"default {name}": self.value(value) for name, value in defaults.items()}

    def _globals(self, function: FunctionType, names: list[str]) -> dict[str, Any]:
        """Return the constants and functions of its module that it names."""
        reads = {}
        for name in names:
            if name not in function.__globals__:
                continue
            content = function.__globals__[name]
            if isinstance(content, FunctionType | functools.partial):
                reads[f"global {name}"] = self.value(content)
            elif _OPAQUE not in (written := canonical_json(to_tagged(content))):
                reads[f"global {name}"] = _shortened(written, content)
        return reads

    def value(self, content: Any) -> Any:
        """Return a value that a function was given, which may be a function itself."""
        if isinstance(content, FunctionType | MethodType | BuiltinFunctionType | functools.partial):
            inner = self.describe(content)
            shown = inner["code"] if inner["code"] is not None else inner["name"]
            return {"function": shown} | ({"reads": inner["reads"]} if inner["reads"] else {})
        if isinstance(content, type):
            return {"class": class_name(content)}
        written = canonical_json(to_tagged(content))
        if _OPAQUE in written:
            self.unseen.add(f"a value of type {class_name(type(content))}")
        return _shortened(written, content)


def _shortened(written: str, content: Any) -> Any:
    return to_tagged(content) if len(written) <= _LONGEST else {"digest": digest(written)}


def class_name(cls: type) -> str:
    """Return what identifies a class, wherever its library keeps it, or its user runs it.

    Modules within a library move from version to version, and a user's own module is
    ``__main__`` in one process and has a name in the next.
    """
    return _name_of(cls)


def _name_of(function: Any) -> str:
    named = function if hasattr(function, "__qualname__") else type(function)
    module = str(getattr(named, "__module__", None) or "")
    if _is_library(module):
        return f"{module.partition('.')[0]}.{named.__qualname__}"
    return str(named.__qualname__)


def _with(inner: dict[str, Any], reads: dict[str, Any]) -> dict[str, Any]:
    return inner | {"reads": inner["reads"] | reads}


def _is_library(module: str) -> bool:
    root = module.partition(".")[0]
    if root in _LIBRARIES:
        return True
    if root not in sys.stdlib_module_names:
        return False
    # a file of the user's may bear the name of a module of Python
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is None or _STDLIB in Path(file).parents
