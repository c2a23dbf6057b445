"""What code says, as text that is the same in every Python version.

Layout, comments, docstrings and the annotations of functions don't count, nor do the name and the
decorators of the function itself: those of functions inside it do, since they change what it does.
Python's own ``ast.dump`` shows fields that come and go from version to version.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prodml._core.function_source import FunctionNode

__all__ = ["constant_text", "dump_class", "dump_function"]

#: How a name is used follows from where it stands; the rest says nothing that runs.
_SKIPPED: Final = frozenset({"ctx", "kind", "type_comment", "type_ignores"})


def dump_function(node: FunctionNode, /) -> str:
    r"""Return what a function says: its parameters, their defaults and its body.

    Examples
    --------
    >>> import ast
    >>> plain, dressed = (
    ...     ast.parse(text).body[0]
    ...     for text in ("def f(x): return x", "def g(x: int) -> int:\n '''Give x.'''\n return x")
    ... )
    >>> dump_function(plain) == dump_function(dressed)
    True
    """
    return _function(node, outermost=True)


def dump_class(node: ast.ClassDef, /) -> str:
    """Return what a class says. Its decorators count, and so do the annotations of its fields."""
    return _class(node, outermost=True)


def constant_text(value: Any, /) -> str:
    """Return a literal so that no two of different types or values are alike.

    Examples
    --------
    >>> constant_text(1), constant_text(1.0), constant_text(True)
    ('int:0x1', 'float:0x1.0000000000000p+0', 'True')
    """
    if value is None or isinstance(value, bool) or value is Ellipsis:
        return str(value)
    if isinstance(value, int):
        return f"int:{value:#x}"  # decimal digits have a limit
    if isinstance(value, float):
        return f"float:{value.hex()}"
    if isinstance(value, complex):
        return f"complex:{value.real.hex()},{value.imag.hex()}"
    # repr() would follow the Unicode tables of the Python version
    return f"{type(value).__name__}:{value!a}"


def _dump(node: Any, *, of_class: bool = False) -> str:
    """Return a node, a name or a number; `of_class`, where annotations declare fields."""
    if isinstance(node, list):
        return _items(node, of_class=of_class)
    if isinstance(node, ast.Constant):
        return f"<{constant_text(node.value)}>"
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return _function(node)
    if isinstance(node, ast.ClassDef):
        return _class(node)
    if isinstance(node, ast.JoinedStr):
        return f"(JoinedStr {_items(_joined(node.values))})"
    if isinstance(node, ast.MatchSingleton):
        return f"(MatchSingleton {constant_text(node.value)})"
    if isinstance(node, ast.AnnAssign) and not of_class:
        return f"(Assign targets=[{_dump(node.target)}] value={_dump(node.value)})"
    return _fields(node, of_class=of_class) if isinstance(node, ast.AST) else ascii(node)


def _fields(node: ast.AST, *, of_class: bool) -> str:
    """Return a node; what is empty is left out, as fields of later versions mostly are."""
    fields = "".join(
        f" {name}={_dump(value, of_class=of_class)}"
        for name, value in ast.iter_fields(node)
        if value and name not in _SKIPPED and not _is_empty_format(value)
    )
    return f"({type(node).__name__}{fields})"


def _items(nodes: Sequence[Any], *, of_class: bool = False) -> str:
    kept = nodes if of_class else [node for node in nodes if not _is_declaration(node)]
    return f"[{' '.join(_dump(node, of_class=of_class) for node in kept)}]"


def _is_declaration(node: Any) -> bool:
    return isinstance(node, ast.AnnAssign) and node.value is None


def _function(node: FunctionNode, *, outermost: bool = False) -> str:
    parameters = _parameters(node.args)
    if isinstance(node, ast.Lambda):
        return f"(Lambda {parameters} {_dump(node.body)})"
    body = _items(_code_of(node.body))
    head = "" if outermost else f" {node.name!a} {_items(node.decorator_list)}"
    return f"({type(node).__name__}{head} {parameters} {body})"


def _parameters(given: ast.arguments) -> str:
    kinds = {
        "/": [one.arg for one in given.posonlyargs],
        "": [one.arg for one in given.args],
        "*": [given.vararg.arg] if given.vararg else [],
        "=": [one.arg for one in given.kwonlyargs],
        "**": [given.kwarg.arg] if given.kwarg else [],
    }
    names = " ".join(f"{kind}{name!a}" for kind, names in kinds.items() for name in names)
    return f"({names} {_items(given.defaults)} {_items(given.kw_defaults)})"


def _class(node: ast.ClassDef, *, outermost: bool = False) -> str:
    head = "" if outermost else f" {node.name!a}"
    outside = [node.decorator_list, node.bases, node.keywords, getattr(node, "type_params", [])]
    body = _items(_code_of(node.body), of_class=True)
    return f"(ClassDef{head} {' '.join(map(_items, outside))} {body})"


def _code_of(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return a body without its docstring."""
    first = body[0] if body else None
    has_docstring = (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )
    return body[1:] if has_docstring else body


def _joined(values: list[ast.expr]) -> list[ast.expr]:
    """Return the pieces of an f-string, of which older versions split the text otherwise."""
    joined: list[ast.expr] = []
    for value in values:
        text = value.value if isinstance(value, ast.Constant) else None
        if text == "":
            continue
        before = joined[-1] if joined else None
        if isinstance(text, str) and isinstance(before, ast.Constant):
            joined[-1] = ast.Constant(str(before.value) + text)
        else:
            joined.append(value)
    return joined


def _is_empty_format(value: Any) -> bool:
    return isinstance(value, ast.JoinedStr) and not _joined(value.values)
