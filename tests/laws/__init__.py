"""Laws that many parts obey, and what it takes to test them: ways to cut rows into parts.

A new mergeable summary is shown to be one in a few lines: draw rows, draw a way to cut them, and
hand the summaries of the parts to :func:`prodml.testing.check_mergeable` with that of the whole.
"""

from __future__ import annotations

from hypothesis import strategies as st

__all__ = ["stretches", "subsets"]


@st.composite
def stretches(draw, n_rows):
    """Draw slices that cover `n_rows` rows in order, as chunks of a stream do; some are empty."""
    cuts = sorted(draw(st.lists(st.integers(0, n_rows), max_size=5)))
    return [slice(start, end) for start, end in zip([0, *cuts], [*cuts, n_rows], strict=True)]


@st.composite
def subsets(draw, n_rows):
    """Draw lists of rows that cover `n_rows` rows in no order, as a cluster deals them out."""
    n_parts = draw(st.integers(1, 5))
    homes = draw(st.lists(st.integers(0, n_parts - 1), min_size=n_rows, max_size=n_rows))
    return [[row for row, home in enumerate(homes) if home == part] for part in range(n_parts)]
