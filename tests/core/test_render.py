"""Tables for people: whatever came from data is text, and nothing but text."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml._core.render import html_table

HOSTILE = st.text(alphabet="<>&\"'/ =scriptonload\n\x00é\ud800", max_size=30)


class Reader(HTMLParser):
    """Notes tags, and the text of each cell."""

    def __init__(self):
        super().__init__()
        self.tags, self.cells = [], []

    def handle_starttag(self, tag, attrs):
        """Note a tag; a cell begins."""
        self.tags.append(tag)
        assert {name for name, _ in attrs} <= {"style"}
        if tag in {"th", "td", "caption"}:
            self.cells.append("")

    def handle_data(self, data):
        """Add to the cell."""
        self.cells[-1] += data


def read(page):
    """Return the tags and cells of a page."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader.tags, reader.cells


@given(st.lists(HOSTILE, min_size=1, max_size=3), HOSTILE)
def test_no_text_becomes_a_tag(texts, caption):
    """In the header, the cells and the caption."""
    page = html_table(texts, [texts, texts], caption=caption)

    tags, cells = read(page)
    width = len(texts)
    assert tags == [
        "table", *(["caption"] if caption else []), "thead", "tr", *["th"] * width,
        "tbody", *["tr", *["td"] * width] * 2,
    ]  # fmt: skip
    shown = [text.encode("utf-8", "backslashreplace").decode() for text in texts]
    clean = [text.replace("\x00", "\ufffd") for text in shown]
    assert [cell.replace("\x00", "\ufffd") for cell in cells[-2 * width :]] == clean * 2


@given(HOSTILE)
def test_a_page_can_be_written(text):
    """Lone surrogates have no UTF-8."""
    html_table([text], [[text]], caption=text).encode("utf-8")


@pytest.mark.parametrize(
    ("cell", "right"), [(1, True), (1.5, True), (True, False), ("1", False), (None, False)]
)
def test_numbers_are_set_to_the_right(cell, right):
    """Booleans are words."""
    page = html_table(["a"], [[cell]])

    assert ("text-align:right" in page) == right
    assert f">{cell}</td>" in page
