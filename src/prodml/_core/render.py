"""Showing results in a notebook or a page. Whatever came from data is escaped."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["html_code", "html_table"]

_TABLE = "border-collapse:collapse;font:13px sans-serif"
_CAPTION = "text-align:left;font-weight:600;white-space:nowrap;padding:2px 10px"
_CELL = "padding:2px 10px;text-align:left;border-bottom:1px solid rgba(128,128,128,.25)"


def html_table(header: Sequence[str], rows: Iterable[Sequence[Any]], *, caption: str = "") -> str:
    """Return a plain HTML table.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    rows : iterable of sequences
        Cells; numbers are set to the right.
    caption : str, optional
        A line above the table.

    Examples
    --------
    >>> "<script>" in html_table(["a"], [["<script>"]])
    False
    """
    head = "".join(f'<th style="{_CELL}">{_escape(name)}</th>' for name in header)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    title = f'<caption style="{_CAPTION}">{_escape(caption)}</caption>' if caption else ""
    return (
        f'<table style="{_TABLE}">{title}<thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def html_code(text: str, /) -> str:
    """Return source code as HTML that keeps its lines.

    Parameters
    ----------
    text : str
        The code.

    Examples
    --------
    >>> html_code("a < b")
    '<pre style="font:12px monospace">a &lt; b</pre>'
    """
    return f'<pre style="font:12px monospace">{_escape(text)}</pre>'


def _cell(content: Any) -> str:
    number = isinstance(content, int | float) and not isinstance(content, bool)
    style = f"{_CELL};text-align:right" if number else _CELL
    return f'<td style="{style}">{_escape(content)}</td>'


def _escape(content: Any) -> str:
    # A lone surrogate has no UTF-8, and would fail when the page is written.
    text = str(content).encode("utf-8", "backslashreplace").decode("utf-8")
    return html.escape(text)
