"""Text in Arrow: a million strings are asked at once, and answer as each would."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml._core import arrow_text
from prodml._core.columns import python_values

pa = pytest.importorskip("pyarrow", reason="not installed: pyarrow")
pytestmark = pytest.mark.needs_arrow

#: What Rust strips: Unicode's White_Space, and nothing else.
WHITE_SPACE = "\t\n\x0b\x0c\r \x85\u00a0\u1680\u2000\u2003\u2028\u2029\u202f\u205f\u3000"
TEXT = st.text(alphabet="ab é日\U0001f600\x1c\x1f" + WHITE_SPACE, max_size=6)
TEXTS = st.lists(TEXT | st.none(), max_size=8)
KINDS = st.sampled_from([pa.string(), pa.large_string()])


@st.composite
def arrays(draw):
    """Draw texts, and them as an Arrow array that may be a piece of a larger one."""
    texts = draw(TEXTS)
    start = draw(st.integers(0, len(texts)))
    return texts[start:], pa.array(texts, type=draw(KINDS))[start:]


@given(arrays(), st.integers(0, 5), st.none() | st.integers(0, 5))
def test_lengths_are_counted_in_characters(drawn, low, high):
    """A missing text is neither too short nor too long."""
    texts, array = drawn

    short, long = arrow_text.break_lengths(array, low, high)

    wanted_short = [text is not None and len(text) < low for text in texts]
    wanted_long = [text is not None and high is not None and len(text) > high for text in texts]
    assert (short.tolist() if short is not None else [False] * len(texts)) == wanted_short
    assert (long.tolist() if long is not None else [False] * len(texts)) == wanted_long


@given(arrays())
def test_white_space_is_stripped_where_that_is_certain(drawn):
    """Certain rows are as Rust would leave them; of the others nothing is claimed."""
    texts, array = drawn

    stripped, certain = arrow_text.strip_white_space(array)

    found = (array if stripped is None else stripped).to_pylist()
    assert len(certain) == len(texts)
    for text, got, sure in zip(texts, found, certain.tolist(), strict=True):
        if text is not None and sure:
            assert got == text.strip(WHITE_SPACE)
    if stripped is None:
        assert found == texts


def test_plain_ascii_is_certain():
    """Which is most of the text in the world's tables."""
    stripped, certain = arrow_text.strip_white_space(pa.array(["a", " b ", "", "  ", "c d"]))

    assert stripped.to_pylist() == ["a", "b", "", "", "c d"]
    assert certain.all()
    assert arrow_text.strip_white_space(pa.array(["a", None]))[0] is None


@given(arrays())
def test_distinct_texts_and_their_codes(drawn):
    """Each text finds itself."""
    texts, array = drawn
    values = arrow_text.distinct_of(array)
    codes = arrow_text.codes_of(array, values)

    assert [values[code] for code in codes] == texts
    assert len(set(values)) == len(values)
    for value in {*values, None, "not there"}:
        wanted = [at for at, text in enumerate(texts) if text == value]
        assert arrow_text.rows_of(array, value).tolist() == wanted


@given(TEXTS)
def test_a_mask_only_where_something_is_missing(texts):
    """Most columns have none."""
    mask = arrow_text.null_mask(pa.array(texts, type=pa.string()))

    absent = [text is None for text in texts]
    assert (mask is None) == (not any(absent))
    assert mask is None or mask.tolist() == absent


class Word(str):
    """A text that may mean something else."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("cells", "dtype"),
    [
        (["a", None], "string[pyarrow]"),
        (["a", None], None),
        (["a", None, np.nan, pd.NA, pd.NaT], object),
        (["a", None], pd.ArrowDtype(pa.large_string())),
        (["a", None], pd.StringDtype("python")),
        ([], "string[pyarrow]"),
        ([], object),
    ],
)
def test_columns_of_text_are_read(cells, dtype):
    """Whatever holds them."""
    column = pd.Series(cells, dtype=dtype).array

    assert arrow_text.arrow_text(column).to_pylist() == python_values(column)


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["a", 1], dtype=object).array,
        pd.Series(["a", 1.5], dtype=object).array,
        pd.Series([Word("a")], dtype=object).array,
        pd.Series(["\ud800"], dtype=object).array,
        pd.Series([1]).array,
        pd.Series([1], dtype=pd.ArrowDtype(pa.int64())).array,
        pd.Series([b"a"], dtype=pd.ArrowDtype(pa.binary())).array,
        pd.Series(["a"], dtype="category").array,
    ],
    ids=["mixed", "float", "subclass", "surrogate", "ints", "arrow ints", "bytes", "category"],
)
def test_what_is_not_all_text_is_left(column):
    """For pydantic to look at."""
    assert arrow_text.arrow_text(column) is None


@pytest.mark.parametrize("chunks", [[["a"], [], ["b", None]], [[]], []])
def test_pieces_are_put_together(chunks):
    """A column read from Parquet comes in several."""
    array = pa.chunked_array(chunks, type=pa.string())
    column = pd.arrays.ArrowExtensionArray(array)

    assert arrow_text.arrow_text(column).to_pylist() == [one for chunk in chunks for one in chunk]


@pytest.mark.parametrize("dtype", ["string[pyarrow]", None, object, pd.StringDtype("python")])
def test_a_text_becomes_a_column_like_another(dtype):
    """In its dtype; objects become text."""
    like = pd.Series(["x"], dtype=dtype).array

    column = arrow_text.text_column(pa.array(["a", None]), like=like)

    own = pd.Series(["a"]).dtype
    assert pd.Series(column).dtype == (own if dtype in {None, object} else dtype)
    assert python_values(column) == ["a", None]


def test_more_text_than_an_array_holds_is_left():
    """Arrow keeps it in pieces, which the kernels do not know."""
    pieces = pa.chunked_array([["a"], ["b"]])
    array = SimpleNamespace(type=pa.string(), combine_chunks=lambda: pieces)
    library = SimpleNamespace(types=pa.types, ChunkedArray=SimpleNamespace | pa.ChunkedArray)

    assert arrow_text._one_array(array, library) is None


def test_without_pyarrow_there_is_no_text(monkeypatch):
    """It is looked for once."""
    arrow_text.has_arrow.cache_clear()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.compute", None)
    try:
        assert not arrow_text.has_arrow()
        assert arrow_text.arrow_text(pd.Series(["a"]).array) is None
    finally:
        arrow_text.has_arrow.cache_clear()
