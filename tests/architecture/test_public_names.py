"""What is public resolves, is documented, and is documented as it is."""

from __future__ import annotations

import ast
import importlib
import inspect
import re

import pytest

from tests.architecture._tree import (
    FILES,
    module_name,
    modules,
    name_of,
    parsed,
    public_objects,
)

MAX_OWN_ANCESTORS = 2


def described(thing):
    """Return the docstring that was written for an object, not one that was made for it."""
    if not inspect.isclass(thing):
        return inspect.getdoc(thing) or ""
    text = inspect.cleandoc(vars(thing).get("__doc__") or "")
    return "" if text.startswith(f"{thing.__name__}(") else text  # made by `dataclass`


def own_public_methods(cls):
    """Yield the public methods and properties that a class defines itself."""
    for name, member in vars(cls).items():
        if name.startswith("_"):
            continue
        if inspect.isroutine(member) or isinstance(member, property | classmethod | staticmethod):
            yield name, getattr(member, "__func__", member)


def documented_parameters(text):
    """Return the names in the section `Parameters` of a numpydoc docstring, in order."""
    section = re.search(r"(?m)^Parameters\n-{3,}\n((?:.*\n?)*?)(?=^\S[^\n]*\n-{3,}$|\Z)", text)
    if section is None:
        return None
    heads = re.findall(r"(?m)^([*\w][*\w, ]*?)(?: :.*)?$", section[1])
    return [name.strip().lstrip("*") for head in heads for name in head.split(",")]


def signature_parameters(thing):
    """Return the names that a caller may pass, in order."""
    names = [name for name in inspect.signature(thing).parameters if name not in {"self", "cls"}]
    return [name for name in names if not name.startswith("_")]


def documented_callables():
    """Return every public function, class and method whose docstring lists parameters."""
    found = {}
    for _, name, thing in public_objects():
        if inspect.isclass(thing):
            found[f"{thing.__module__}.{name}"] = thing
            for method, function in own_public_methods(thing):
                if callable(function):
                    found[f"{thing.__module__}.{name}.{method}"] = function
        elif inspect.isfunction(thing):
            found[f"{thing.__module__}.{name}"] = thing
    return {
        name: thing
        for name, thing in found.items()
        if documented_parameters(described(thing)) is not None
    }


@pytest.mark.parametrize("name", [module_name(path) for path in FILES])
def test_all_resolves(name):
    """Every name in `__all__` is there, and stands there once."""
    module = importlib.import_module(name)
    names = list(getattr(module, "__all__", ()))

    assert [name for name in names if not hasattr(module, name)] == []
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_module_goes_through_the_door_of_its_own_package(path):
    """`__init__` lists names for others; inside the package they come from where they are."""
    package = module_name(path.with_name("__init__.py"))
    through_the_door = {
        alias.name
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom) and node.module == package and path.stem != "__init__"
        for alias in node.names
    }

    assert through_the_door & set(getattr(importlib.import_module(package), "__all__", ())) == set()


def test_everything_public_is_documented():
    """A public name without a docstring is not public yet."""
    silent = []
    for module, name, thing in public_objects():
        if not (inspect.isclass(thing) or inspect.isfunction(thing)):
            continue  # constants are documented in the source, types alone by their name
        if not described(thing):
            silent.append(f"{module}.{name}")
        if inspect.isclass(thing) and thing.__module__.startswith("prodml"):
            silent += [
                f"{module}.{name}.{method}"
                for method, function in own_public_methods(thing)
                if not described(function)
            ]

    assert silent == []


def test_documented_parameters_are_those_of_the_signature():
    """A docstring that lists parameters lists all of them, in order, and no other."""
    told = {
        name: (documented_parameters(described(thing)), signature_parameters(thing))
        for name, thing in documented_callables().items()
    }

    assert {name: pair for name, pair in told.items() if pair[0] != pair[1]} == {}


def test_inheritance_is_shallow():
    """At most two of prodml's own classes stand above any of them."""

    def own_ancestors(cls):
        bases = [base for base in cls.__bases__ if base.__module__.startswith("prodml")]
        return 1 + max(map(own_ancestors, bases)) if bases else 0

    classes = {
        thing
        for module in modules()
        for thing in vars(module).values()
        if inspect.isclass(thing) and thing.__module__.startswith("prodml")
    }
    deep = sorted(cls.__qualname__ for cls in classes if own_ancestors(cls) > MAX_OWN_ANCESTORS)

    assert deep == []
