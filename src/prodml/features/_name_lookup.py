"""What the names in code stand for: in its closure, its module, and modules that it names."""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import sys
from contextlib import suppress
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from prodml.features._code_origin import is_library, is_library_function, module_title

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prodml.features._global_reads import Chain, Imported

__all__ = ["UNDEFINED", "LibraryName", "Surroundings", "methods_of"]


@dataclass(frozen=True, slots=True)
class LibraryName:
    """Something in a library, as the code spells it.

    Attributes
    ----------
    name : str
        The module and the name in it.
    """

    name: str


class _Undefined:
    """What a name stands for that is not defined, or not yet."""


UNDEFINED: Final = _Undefined()

#: Where code stands, which is not what it does.
_OF_PLACE: Final = frozenset(
    f"__{name}__"
    for name in ("builtins", "cached", "doc", "file", "loader", "name", "package", "path", "spec")
)


class Surroundings:
    """The names that the code of a function can see.

    Parameters
    ----------
    function : function
        Any function that is written in Python.
    """

    def __init__(self, function: FunctionType) -> None:
        self._function: FunctionType | None = function
        self._globals = function.__globals__
        self._cells = _cells(function)

    @classmethod
    def of_class(cls, owner: type, /) -> Surroundings:
        """Return what the methods of a class can see."""
        return _ClassSurroundings(owner)

    def defaults(self) -> dict[str, Any]:
        """Return the values of parameters that need not be given."""
        if self._function is None:
            return {}
        code = self._function.__code__
        given = self._function.__defaults__ or ()
        names = code.co_varnames[code.co_argcount - len(given) : code.co_argcount]
        by_name = self._function.__kwdefaults__ or {}
        return dict(zip(names, given, strict=True)) | dict(sorted(by_name.items()))

    def closure(self) -> dict[str, Any]:
        """Return the names of enclosing functions that it reads."""
        return self._cells

    def look_up(self, name: str, chains: Iterable[Chain], /) -> dict[str, Any]:
        """Return what a name stands for, or of a module each thing that is read from it."""
        if name in self._cells:
            value, where = self._cells[name], "around"
        elif name in _OF_PLACE:
            return {}
        elif name in self._globals:
            value, where = self._globals[name], "global"
        elif hasattr(builtins, name):
            return {}
        else:
            value, where = UNDEFINED, "global"
        if not isinstance(value, ModuleType):
            return {f"{where} {name}": value}
        return _from_module(f"{where} {name}", value, chains)

    def import_for(self, imported: Imported, chains: Iterable[Chain], /) -> dict[str, Any]:
        """Return what is read from a module that the code imports when it runs."""
        name = f"import {'.' * imported.level}{imported.module}"
        loaded, module = imported.loaded, imported.module
        if imported.level:
            package = str(self._globals.get("__package__") or "")
            relative = "." * imported.level + module
            try:
                loaded = module = importlib.util.resolve_name(relative, package)
            except ImportError:
                return {name: UNDEFINED}
        if is_library(loaded):  # its spelling says enough, and nothing need be imported
            return {
                ".".join((name, *chain)): LibraryName(".".join((module, *chain)))
                for chain in chains
            }
        try:
            importlib.import_module(loaded)
        except ImportError:
            return {name: UNDEFINED}
        found = sys.modules[module]
        for first in {chain[0] for chain in chains if chain and not hasattr(found, chain[0])}:
            with suppress(ImportError):  # `from package import module`
                importlib.import_module(f"{module}.{first}")
        return _from_module(name, found, chains)


class _ClassSurroundings(Surroundings):
    def __init__(self, owner: type) -> None:
        self._function = None
        self._globals = vars(sys.modules.get(owner.__module__, builtins))
        self._cells = {}
        for function in methods_of(owner).values():
            self._globals = function.__globals__
            self._cells |= _cells(function)
        self._cells.pop("__class__", None)


def methods_of(owner: type, /) -> dict[str, FunctionType]:
    """Return the functions that the user wrote in a class, also those of properties."""
    found = {}
    for name, member in vars(owner).items():
        function = getattr(member, "__func__", getattr(member, "fget", member))
        if isinstance(function, FunctionType) and not is_library_function(function):
            found[name] = function
    return found


def _cells(function: FunctionType) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not set yet
            found[name] = UNDEFINED
    return found


def _from_module(name: str, module: ModuleType, chains: Iterable[Chain]) -> dict[str, Any]:
    """Return what is read from a module; of a library, by its name alone."""
    found: dict[str, Any] = {}
    for chain in chains:
        value: Any = module
        label, rest = name, list(chain)
        while rest and isinstance(value, ModuleType):
            inner = getattr(value, rest[0], UNDEFINED)
            if is_library(value.__name__) and not isinstance(inner, ModuleType):
                value = LibraryName(f"{module_title(value)}.{rest[0]}")
            else:
                value = inner
            label = f"{label}.{rest.pop(0)}"
        found[label] = value
    return found
