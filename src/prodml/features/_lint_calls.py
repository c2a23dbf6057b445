"""The user's own functions that a function uses, as its fingerprint finds them."""

from __future__ import annotations

import ast
import functools
import inspect
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final

from prodml._core.function_source import find_function
from prodml.features._bytecode import bytecode_reads
from prodml.features._code_origin import is_library_class, is_library_function
from prodml.features._global_reads import reads_of_function
from prodml.features._name_lookup import Surroundings
from prodml.features.feature import Feature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prodml._core.function_source import FunctionNode
    from prodml.features._global_reads import Chain

__all__ = ["OwnFunction", "own_functions", "used_by"]

#: What a class runs when it is called.
_MAKING: Final = ("__new__", "__init__", "__post_init__")
#: Where decorators and vectorisers keep the function that they were given.
_INNER: Final = ("__wrapped__", "py_func", "pyfunc")
#: Tables of functions are short; what is longer is data.
_TABLE: Final = 100
_TABLE_DEPTH: Final = 2
_DEPTH: Final = 10


@dataclass(frozen=True, slots=True)
class OwnFunction:
    """A function that the user wrote.

    Attributes
    ----------
    function : function
        The function.
    owner : type or None
        The class whose method it is.
    """

    function: FunctionType
    owner: type | None

    @property
    def node(self) -> FunctionNode | None:
        """Its syntax, or None where it has no source."""
        found = find_function(self.function.__code__)
        return None if found is None else found.node


def used_by(one: OwnFunction, /) -> Iterator[OwnFunction]:
    """Yield the user's own functions that a function reads; some may come twice."""
    node = one.node
    reads = bytecode_reads(one.function.__code__) if node is None else reads_of_function(node)
    around = Surroundings(one.function)
    for name, chains in sorted(reads.names.items()):
        for chain in sorted(chains):
            for label, value in around.look_up(name, [chain]).items():
                yield from own_functions(value, chain[label.count(".") :])
    for imported, chains in reads.imports.items():
        before = imported.level + imported.module.count(".")
        for chain in sorted(chains):
            for label, value in around.import_for(imported, [chain]).items():
                yield from own_functions(value, chain[label.count(".") - before :])
    for value in [*around.defaults().values(), getattr(one.function, "__wrapped__", None)]:
        yield from own_functions(value)
    if one.owner is not None and node is not None and one.function.__code__.co_argcount:
        for name in sorted(_read_from(node, one.function.__code__.co_varnames[0])):
            yield from _method(one.owner, name)


def own_functions(value: Any, chain: Chain = (), depth: int = _DEPTH, /) -> Iterator[OwnFunction]:
    """Yield the user's own functions in what code reads.

    Parameters
    ----------
    value : object
        A function, a class, an object, or a table of them.
    chain : tuple of str, default ()
        The attributes that are read of it.
    depth : int, default 10
        How far to look into partials, decorated functions and tables.
    """
    if isinstance(value, FunctionType) and not is_library_function(value):
        yield OwnFunction(value, None)
    elif depth == 0 or value is None:
        return
    elif isinstance(value, MethodType):
        for one in own_functions(value.__func__, (), depth - 1):
            owner = value.__self__
            yield OwnFunction(one.function, owner if isinstance(owner, type) else type(owner))
    elif isinstance(value, functools.partial):
        for inner in (value.func, *value.args, *value.keywords.values()):
            yield from own_functions(inner, (), depth - 1)
    elif isinstance(value, Feature):
        yield from own_functions(value.function, (), depth - 1)
    elif isinstance(value, dict | list | tuple | set | frozenset):
        held = value.values() if isinstance(value, dict) else value
        for inner in held if len(value) <= _TABLE else ():
            yield from own_functions(inner, (), min(depth, _TABLE_DEPTH) - 1)
    else:
        yield from _of_object(value, chain, depth)


def _of_object(value: Any, chain: Chain, depth: int) -> Iterator[OwnFunction]:
    kind = value if isinstance(value, type) else type(value)
    if hasattr(kind, "__fingerprint__"):
        return  # it says itself what it does
    if is_library_class(kind):
        for name in _INNER if callable(value) else ():
            yield from own_functions(getattr(value, name, None), (), depth - 1)
        return
    called = _MAKING if isinstance(value, type) else ("__call__",)
    for name in chain[:1] or called:
        yield from _method(kind, name)


def _method(owner: type, name: str) -> Iterator[OwnFunction]:
    """Yield what a class runs under a name, if the user wrote it."""
    member = inspect.getattr_static(owner, name, None)
    for place in ("__func__", "fget", "func"):  # of a classmethod, property, cached property
        member = getattr(member, place, member)
    for one in own_functions(member, (), 1):
        yield OwnFunction(one.function, owner)


def _read_from(node: FunctionNode, name: str) -> set[str]:
    return {
        one.attr
        for one in ast.walk(node)
        if isinstance(one, ast.Attribute)
        and isinstance(one.value, ast.Name)
        and one.value.id == name
    }
