"""The source of a function: its syntax, or its tokens, which say the same however it is laid out.

Of tokens, comments, layout, the style of quotes, decorators and the docstring don't count. They
are the same in every Python version, which those of :mod:`tokenize` alone are not.
"""

from __future__ import annotations

import ast
import inspect
import io
import textwrap
import tokenize
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

__all__ = [
    "Definition",
    "FunctionNode",
    "FunctionSource",
    "class_tokens",
    "find_class",
    "find_function",
    "source_of",
]

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
NodeT_co = TypeVar("NodeT_co", bound=FunctionNode | ast.ClassDef, covariant=True)

#: What goes wrong where there is no source, or not that of the code.
_NO_SOURCE: Final = (OSError, SyntaxError, TypeError, ValueError, tokenize.TokenError)

_NO_TOKENS: Final = frozenset(
    {tokenize.COMMENT, tokenize.ENCODING, tokenize.ENDMARKER, tokenize.NL}
)
_LAYOUT: Final = {tokenize.NEWLINE: ";", tokenize.INDENT: "{", tokenize.DEDENT: "}"}
#: Since Python 3.12 an f-string comes in pieces, since 3.14 a t-string too.
_OPENING: Final = frozenset(
    number
    for name in ("FSTRING_START", "TSTRING_START")
    if (number := getattr(tokenize, name, None)) is not None
)
_CLOSING: Final = frozenset(
    number
    for name in ("FSTRING_END", "TSTRING_END")
    if (number := getattr(tokenize, name, None)) is not None
)


@dataclass(frozen=True, slots=True)
class FunctionSource:
    """What a function says.

    Attributes
    ----------
    tokens : str
        Its tokens.
    names : list of str
        The names that it reads without having set them itself.
    """

    tokens: str
    names: list[str]


@dataclass(frozen=True, slots=True)
class Definition(Generic[NodeT_co]):
    """Where a function or a class is written.

    Attributes
    ----------
    node : ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda or ast.ClassDef
        Its syntax, with its decorators.
    text : str
        Its source: the lines without their margin, and of a lambda no more than itself.
    file_text : str
        All of the file, or of the cell of a notebook.
    """

    node: NodeT_co
    text: str
    file_text: str


def find_function(code: CodeType) -> Definition[FunctionNode] | None:
    """Return where a function is written, or None where there is no source.

    Asked for the code and not for the function, since a function may name another that it wraps.
    """
    try:
        lines, first = inspect.findsource(code)
        file_text = "".join(lines)
        if code.co_name == "<lambda>":
            return _find_lambda(file_text, code)
        block, function = _statement(lines[first:])
    except _NO_SOURCE:
        return None
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    return Definition(function, block, file_text)


def find_class(cls: type) -> Definition[ast.ClassDef] | None:
    """Return where a class is written, or None where there is no source."""
    try:
        lines, first = inspect.findsource(cls)
        block, node = _statement(lines[first:])
    except _NO_SOURCE:
        return _find_class_of_methods(cls)  # a notebook has no file, but the lines of its cells
    return Definition(node, block, "".join(lines)) if isinstance(node, ast.ClassDef) else None


def _find_class_of_methods(cls: type) -> Definition[ast.ClassDef] | None:
    """Return where the methods of a class stand, if it is in a class of its name."""
    for member in vars(cls).values():
        code = getattr(inspect.unwrap(member) if callable(member) else member, "__code__", None)
        if code is None or code.co_qualname != f"{cls.__qualname__}.{code.co_name}":
            continue
        try:
            text = "".join(inspect.findsource(code)[0])
            nodes = [one for one in ast.walk(_parsed(text)) if isinstance(one, ast.ClassDef)]
        except _NO_SOURCE:
            continue
        for node in nodes:
            within = node.lineno <= code.co_firstlineno <= (node.end_lineno or 0)
            if within and node.name == cls.__name__:
                segment = "".join(text.splitlines(keepends=True)[node.lineno - 1 : node.end_lineno])
                return Definition(node, textwrap.dedent(segment), text)
    return None


def _statement(lines: list[str]) -> tuple[str, ast.stmt]:
    """Return the statement that lines begin with."""
    block = textwrap.dedent("".join(inspect.getblock(lines)))
    (node,) = _parsed(block).body
    return block, node


def _parsed(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # given when the code was first compiled
        return ast.parse(text)


def source_of(code: CodeType) -> FunctionSource | None:
    """Return what a function says, or None where there is no source."""
    found = find_function(code)
    if found is None:
        return None
    function = found.node
    if isinstance(function, ast.Lambda):
        # brackets, since it may span lines
        names = _free_names(function.args, function.body)
        return FunctionSource(_tokens(f"({found.text})"), names)
    rows = found.text.splitlines(keepends=True)
    kept = rows[function.lineno - 1 :]  # without decorators
    if ast.get_docstring(function, clean=False) is not None:
        start, *rest = function.body
        end = start.end_lineno or start.lineno
        if start.lineno > function.lineno and all(one.lineno > end for one in rest):
            kept = rows[function.lineno - 1 : start.lineno - 1] + rows[end:]
    return FunctionSource(_tokens("".join(kept)), _free_names(function.args, *function.body))


def class_tokens(cls: type) -> str | None:
    """Return what a class says, or None where there is no source."""
    try:
        return _tokens(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, SyntaxError, TypeError, tokenize.TokenError):
        return None


def _find_lambda(text: str, code: CodeType) -> Definition[FunctionNode] | None:
    """Return the lambda that holds every instruction of the code: several may share a line."""
    places = [
        (line, column)
        for line, _, column, _ in code.co_positions()
        if line is not None and column is not None and (line, column) != (code.co_firstlineno, 0)
    ]
    found = [
        node
        for node in ast.walk(_parsed(text))
        if isinstance(node, ast.Lambda)
        and node.lineno == code.co_firstlineno
        and all(_begin(node.body) <= place <= _end(node.body) for place in places)
    ]
    if not found:
        return None
    innermost = min(found, key=lambda node: (_end(node)[0] - _begin(node)[0], _width(node)))
    return Definition(innermost, ast.get_source_segment(text, innermost) or "", text)


def _begin(node: ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: ast.expr) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or node.col_offset


def _width(node: ast.expr) -> int:
    return _end(node)[1] - _begin(node)[1]


def _tokens(source: str) -> str:
    """Return what the tokens of a source say, the same in every Python version."""
    lines = source.splitlines(keepends=True)
    return " ".join(_spelled(tokenize.generate_tokens(io.StringIO(source).readline), lines))


def _spelled(tokens: Iterator[tokenize.TokenInfo], lines: list[str]) -> Iterator[str]:
    depth, start = 0, (0, 0)
    for token in tokens:
        if token.type in _OPENING:
            start = start if depth else token.start
            depth += 1
        elif token.type in _CLOSING:
            depth -= 1
            if not depth:
                yield _between(lines, start, token.end)
        elif depth or token.type in _NO_TOKENS:
            continue
        elif token.type == tokenize.STRING:
            yield _string(token.string)
        else:
            yield _LAYOUT.get(token.type, token.string)


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    part = lines[start[0] - 1 : end[0]]
    part[-1] = part[-1][: end[1]]
    part[0] = part[0][start[1] :]
    return "".join(part)


def _string(written: str) -> str:
    try:
        return repr(ast.literal_eval(written))
    except (SyntaxError, ValueError):  # an f-string, before Python 3.12
        return written


def _free_names(*nodes: ast.AST) -> list[str]:
    read: set[str] = set()
    own: set[str] = set()
    for node in (inner for outer in nodes for inner in ast.walk(outer)):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else own).add(node.id)
        elif isinstance(node, ast.arg):
            own.add(node.arg)
    return sorted(read - own)
