"""Small things: how long a file and a function may be, and what they may be called."""

from __future__ import annotations

import ast
import io
import tokenize

import pytest

from tests.architecture._tree import FILES, name_of, parsed

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
EMPTY_WORDS = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}
NO_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def code_lines(text):
    """Return the numbers of the lines that hold more than a comment."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {
        line
        for token in tokens
        if token.type not in NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }


def docstring_lines(function):
    """Return the numbers of the lines of a function's docstring."""
    if ast.get_docstring(function) is None:
        return set()
    return set(range(function.body[0].lineno, function.body[0].end_lineno + 1))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_is_short(path):
    """A reader finds any answer in one file."""
    n_lines = len(path.read_text(encoding="utf-8").splitlines())

    assert n_lines <= MAX_FILE_LINES, f"{name_of(path)} has {n_lines} lines"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_function_is_short(path):
    """A function fits on a screen, its docstring and comments aside."""
    lines = code_lines(path.read_text(encoding="utf-8"))
    too_long = {}
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            own = set(range(node.lineno, node.end_lineno + 1)) - docstring_lines(node)
            if len(own & lines) > MAX_FUNCTION_LINES:
                too_long[node.name] = len(own & lines)

    assert too_long == {}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_module_is_named_after_the_thing_in_it(path):
    """A name that fits anything tells nothing."""
    words = set(path.stem.strip("_").split("_"))

    assert words & EMPTY_WORDS == set()
