"""Progress is shown when it is asked for, and costs nothing otherwise."""

from __future__ import annotations

import sys

import pandas as pd
import pytest
from pydantic import BaseModel

from prodml._core.progress import follow_progress
from prodml.contracts import Contract
from prodml.errors import MissingDependencyError


class Row(BaseModel):
    a: int


CHUNKS = [pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": ["x"]}), pd.DataFrame({"a": []})]


def test_nothing_is_shown_unless_asked_for(capsys):
    """A library is silent by default."""
    list(Contract(Row).validate_chunks(CHUNKS))

    assert capsys.readouterr() == ("", "")


def test_a_function_is_told_what_was_done():
    """Rows so far, after each chunk was used; how many there will be is not known."""
    told = []
    list(Contract(Row).validate_chunks(CHUNKS, progress=lambda *amounts: told.append(amounts)))

    assert told == [(2, None), (3, None), (3, None)]


@pytest.mark.needs_progress
def test_a_bar_is_drawn_for_people(capsys):
    """On the standard error output, with the name of the contract and the number of rows."""
    list(Contract(Row, name="orders").validate_chunks(CHUNKS, progress=True))

    out, err = capsys.readouterr()
    assert out == ""
    assert "orders" in err
    assert "3.00 rows" in err


def test_a_bar_needs_its_extra(monkeypatch):
    """The error is the command to run."""
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)

    with (
        pytest.raises(MissingDependencyError, match=r'pip install "prodml\[progress\]"'),
        follow_progress(True, label="x"),
    ):
        pass
