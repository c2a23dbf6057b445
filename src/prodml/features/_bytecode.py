"""The compiled form of a function: whether it is that of a source, and what it is without one."""

from __future__ import annotations
import __future__

import ast
import dis
import inspect
import sys
import warnings
from functools import lru_cache, reduce
from operator import or_
from types import CodeType
from typing import TYPE_CHECKING, Any, Final

from prodml.features._global_reads import Reads
from prodml.features._syntax_dump import constant_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prodml._core.function_source import FunctionNode

__all__ = ["bytecode_reads", "bytecode_text", "is_compiled_from"]

_FUTURE: Final = reduce(
    or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
)
_COUNTS: Final = ("co_argcount", "co_posonlyargcount", "co_kwonlyargcount")
_NESTED: Final = inspect.CO_NESTED  # it says where code stands, and not what it does
_NAMES: Final = ("co_names", "co_varnames", "co_freevars", "co_cellvars")


def is_compiled_from(code: CodeType, node: FunctionNode, file_text: str, /) -> bool:
    """Say whether code that runs is what this source compiles to.

    It is not where the file was edited after it was imported, or where something rewrites code
    on import.

    Parameters
    ----------
    code : code
        What runs.
    node : ast.FunctionDef, ast.AsyncFunctionDef or ast.Lambda
        What it may come from.
    file_text : str
        The file in which that stands.
    """
    in_file = _compiled(file_text).get((code.co_qualname, code.co_firstlineno), ())
    if any(_alike(inner, code) for inner in in_file):
        return True
    # a notebook compiles each statement of a cell for itself, with other instructions for imports
    alone = _compiled_alone(code, node)
    return alone is not None and any(
        inner.co_name == code.co_name and _alike(inner, code) for inner in _inner(alone)
    )


@lru_cache(maxsize=16)
def _compiled(text: str) -> dict[tuple[str, int], list[CodeType]]:
    """Return all functions of a file, by their names and first lines."""
    found: dict[tuple[str, int], list[CodeType]] = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # given when the file was imported
            module = compile(text, "<comparison>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return found
    for inner in _inner(module):
        found.setdefault((inner.co_qualname, inner.co_firstlineno), []).append(inner)
    return found


def _compiled_alone(code: CodeType, node: FunctionNode) -> CodeType | None:
    """Return a module with the function alone, in a function that has the names it closes over."""
    if isinstance(node, ast.Lambda):
        statement: ast.stmt = ast.copy_location(ast.Return(node), node)
    else:
        fields = dict(ast.iter_fields(node)) | {"decorator_list": []}
        statement = ast.copy_location(type(node)(**fields), node)
    owner = code.co_qualname.split(".")[-2:-1]
    around = code.co_freevars
    if owner and owner != ["<locals>"]:  # names with two underscores are spelled by the class
        around = tuple(name for name in around if name != "__class__")
        statement = _holding(f"class {owner[0]}: pass", statement).body[0]
    try:
        module = _holding(f"def around({', '.join(around)}): pass", statement)
        compiled: CodeType = compile(
            module, "<comparison>", "exec", flags=code.co_flags & _FUTURE, dont_inherit=True
        )
    except (SyntaxError, ValueError):  # the compiler's own names for scopes are no parameters
        return None
    return compiled


def _holding(shell: str, statement: ast.stmt) -> ast.Module:
    module = ast.parse(shell)
    module.body[0].body = [statement]  # type: ignore[attr-defined]  # a class or a function
    return module


def _inner(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _inner(constant)


def _alike(first: CodeType, second: CodeType) -> bool:
    return (
        first.co_code == second.co_code
        and first.co_flags | _NESTED == second.co_flags | _NESTED
        and all(getattr(first, name) == getattr(second, name) for name in _COUNTS + _NAMES)
        and len(first.co_consts) == len(second.co_consts)
        and all(map(_same_constant, first.co_consts, second.co_consts))
    )


def _same_constant(first: Any, second: Any) -> bool:
    if isinstance(first, CodeType):
        return isinstance(second, CodeType) and _alike(first, second)
    return _constant(first) == _constant(second)


def bytecode_text(code: CodeType, /) -> str:
    """Return what compiled code says. It is good for one version of Python alone."""
    fields = [repr(getattr(code, name)) for name in (*_COUNTS, *_NAMES)]
    constants = [_constant(value) for value in code.co_consts]
    instructions = code.co_code.hex()
    flags = str(code.co_flags | _NESTED)
    return " ".join([str(sys.implementation.cache_tag), instructions, flags, *fields, *constants])


def _constant(value: Any) -> str:
    if isinstance(value, CodeType):
        return f"({bytecode_text(value)})"
    if isinstance(value, tuple):
        return f"({' '.join(map(_constant, value))})"
    if isinstance(value, frozenset):
        return f"{{{' '.join(sorted(map(_constant, value)))}}}"
    return constant_text(value)


def bytecode_reads(code: CodeType, /) -> Reads:
    """Return what compiled code reads from around itself."""
    reads = Reads()
    for one in (code, *_inner(code)):
        name = ""
        chain: tuple[str, ...] = ()
        for step in dis.get_instructions(one):
            if step.opname in {"LOAD_ATTR", "LOAD_METHOD"} and name:
                chain = (*chain, str(step.argval))
                continue
            if name:
                reads.names[name].add(chain)
            name, chain = "", ()
            if step.opname in {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF"}:
                name = str(step.argval)
    return reads
