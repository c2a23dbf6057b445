"""Whose code it is: the user's own, which is read, or a library's, which is known by its name."""

from __future__ import annotations

import importlib.util
import os
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from types import FunctionType, ModuleType

__all__ = [
    "distributions_of",
    "is_library",
    "is_library_class",
    "is_library_function",
    "library_name",
    "module_title",
    "qualified_name",
]

_STDLIB: Final = Path(os.__file__).resolve().parent
_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
_MADE_AT_RUN_TIME: Final = 1 << 9  # Py_TPFLAGS_HEAPTYPE
#: The module of paths has another name on each system.
_TITLES: Final = {"posixpath": "os.path", "ntpath": "os.path"}


def is_library(module: str, /) -> bool:
    """Say whether a module is Python's own, an installed one or prodml's.

    A module that is not loaded, or is no file (``__main__`` of a notebook), is the user's own.
    """
    root = module.partition(".")[0]
    if root in {"prodml", "__main__"}:
        return root == "prodml"
    loaded = sys.modules.get(module) or sys.modules.get(root)
    if loaded is None:
        return _is_installed(_place_of(root))
    file = getattr(loaded, "__file__", None)
    folders = list(getattr(loaded, "__path__", ()))  # of a package that has no file of its own
    if file is None and not folders:
        return root in sys.stdlib_module_names
    return _is_installed(file or folders[0])


def is_library_function(function: FunctionType, /) -> bool:
    """Say the same of a function. An example in a library's documentation is nobody's library."""
    if function.__code__.co_filename.startswith("<doctest "):
        return False
    return is_library(str(function.__globals__.get("__name__", "__main__")))


def is_library_class(cls: type, /) -> bool:
    """Say the same of a class. One that was executed from text calls itself a builtin."""
    if cls.__module__ == "builtins":
        return not cls.__flags__ & _MADE_AT_RUN_TIME
    return is_library(cls.__module__)


def _place_of(root: str) -> str | None:
    """Return where a module that nobody has imported would come from."""
    found = importlib.util.find_spec(root)
    if found is None:
        return None
    folders = list(found.submodule_search_locations or ())
    return found.origin or (folders[0] if folders else None)


@cache
def _is_installed(file: str | None) -> bool:
    if file is None:
        return False
    if file in {"built-in", "frozen"}:
        return True
    if not _INSTALLED.isdisjoint(Path(file).parts):
        return True
    return _STDLIB in Path(file).resolve().parents


def module_title(module: ModuleType, /) -> str:
    """Return the name of a module, the same on each system."""
    return _TITLES.get(module.__name__, module.__name__)


def qualified_name(thing: Any, /) -> str:
    """Return how a library's function or class is known.

    Libraries move their modules from version to version, so only the first part of the name of
    the module stands before it.
    """
    root = library_name(thing).partition(".")[0]
    name = getattr(thing, "__qualname__", None) or type(thing).__qualname__
    return f"{root}.{name}" if root else str(name)


def library_name(thing: Any, /) -> str:
    """Return the name of the module in which a function or class, or the type of an object, is."""
    module = getattr(thing, "__module__", None) or getattr(type(thing), "__module__", None)
    return str(module or "")


def distributions_of(roots: set[str], /) -> dict[str, str]:
    """Return the installed versions of what top-level modules come from."""
    foreign = sorted(root for root in roots if root not in sys.stdlib_module_names)
    # a project that is installed where it is edited tells its name alone
    names = {name for root in foreign for name in _distributions().get(root, [root])}
    versions = {name: _version(name) for name in sorted(names)}
    return {name: version for name, version in versions.items() if version is not None}


@cache
def _version(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:  # removed since
        return None


@cache
def _distributions() -> dict[str, list[str]]:
    """Return which distributions bring each module. It takes a quarter of a second."""
    from importlib.metadata import packages_distributions

    return {root: sorted(set(names)) for root, names in packages_distributions().items()}
