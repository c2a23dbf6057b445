"""Portable patterns: whatever Arrow's engine finds, pydantic's finds too."""

from __future__ import annotations

from typing import Annotated, Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError, create_model
from pydantic_core import SchemaError

from prodml.contracts import Contract
from prodml.contracts._patterns import is_portable

PORTABLE = [
    "", "abc", "a b_c-d", "^a$", r"\Aa\z", "a|b", "(a)", "(?:a|b)+", "a*", "a+?", "a{2}", "a{2,}",
    "a{2,3}?", "[a-z]", "[^a-z]", "[a-zA-Z0-9._-]", r"[\w.-]", r"\d+", r"\w\s\d", r"\.\+\*\?\(\)",
    r"[\]\[]", r"\t\n\r", ".", "()", "(a|)", r"^[a-z0-9._]+@[a-z0-9]+\.[a-z]{2,4}$", r"\$", "[$]",
    "a{999}", "[a-]", "#", "~&",
]  # fmt: skip
NOT_PORTABLE = [
    r"\D", r"\W", r"\S", r"\b", r"\B", r"[^\d]", r"[^\w]", r"[\D]", "(?i)a", "(?s).", "(?m)^a$",
    "(?i:a)", "(?P<n>a)", "(?<n>a)", "(?=a)", "(?!a)", "[[:alpha:]]", "[a&&b]", "[a--b]", "[a~~b]",
    r"\x41", r"\u0041", r"\p{L}", r"\pL", r"\1", r"\Z", r"\h", "é", "[é]", "[a-Z]", "[z-a]",
    "[a-z-9]", "[]a]", "[-a]", "[^]a]", "[^-a]", "[", "[a", "(", "(a", ")", "a)", "*", "a**", "+a",
    "^*", "$+", "|*", "(*a)", "a{1000}", "a{2,1000}", "a{,3}", "a{", "a{x}", "{2}", "a++",
    "a{2}{3}", r"\ ", r"\-" + "\\", "\\", r"[\w-z]", r"[a-\w]", r"\a", "a\x00b",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PORTABLE)
def test_common_patterns_are_portable(pattern: str) -> None:
    """They stay on the fast path."""
    assert is_portable(pattern)


@pytest.mark.parametrize("pattern", NOT_PORTABLE)
def test_what_engines_read_differently_is_not(pattern: str) -> None:
    """Nor is anything that is not known to be the same."""
    assert not is_portable(pattern)


PIECES = st.sampled_from(
    [
        *"abkK1 @.-^$|()[]{}*+?\\,&~_é", r"\d", r"\w", r"\s", r"\D", r"\W", r"\b", r"[a-z]",
        r"[^\d]", r"[^a]", "(?:", "(?i)", "{2}", "{1,2}", r"\.", r"[\w.-]", "[^a-z0-9]", r"\n",
        "(a|b)", "[é]",
    ]
)  # fmt: skip
TEXT = st.text(alphabet="abkK1 @.-\n\t\u00a0\u0131\u212a٣é_\u017f\x0b", max_size=5)


def pydantic_accepts(pattern: str) -> Any:
    """Return what pydantic says of text, or None if it does not take the pattern."""
    try:
        adapter: Any = TypeAdapter(Annotated[str, Field(pattern=pattern)])
    except SchemaError:
        return None

    def accepts(text: str) -> bool:
        try:
            adapter.validate_python(text)
        except ValidationError:
            return False
        return True

    return accepts


@pytest.mark.needs_arrow
@given(st.lists(PIECES, max_size=6).map("".join), st.lists(TEXT, min_size=1, max_size=12))
def test_a_match_by_arrow_is_an_acceptance(pattern: str, texts: list[str]) -> None:
    """For patterns put together at random, over text on which the engines differ."""
    import pyarrow as pa

    from prodml._core.arrow_text import match_pattern

    accepts = pydantic_accepts(pattern)
    if accepts is None or not is_portable(pattern):
        return
    matched = match_pattern(pa.array(texts, type=pa.large_string()), pattern)
    if matched is not None:
        found = [text for text, match in zip(texts, matched, strict=True) if match]
        assert [text for text in found if not accepts(text)] == []


@pytest.mark.needs_arrow
def test_a_pattern_that_arrow_does_not_take_is_left_to_pydantic() -> None:
    """RE2 has limits of its own."""
    import pyarrow as pa

    from prodml._core.arrow_text import match_pattern

    assert is_portable("((a{999}){999})")
    assert match_pattern(pa.array(["a"]), "((a{999}){999})") is None
    model = create_model("Row", a=(Annotated[str, Field(pattern="^(a{40}){40}$")], ...))
    frame = pd.DataFrame({"a": ["a" * 1600, "a" * 1599]})
    assert Contract(model).validate_frame(frame).accepted_positions.tolist() == [0]
