"""What the tests of all summaries share: values, forms of columns, and parts of them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

__all__ = ["AWKWARD", "FLOATS", "pieces"]

#: Floats at the edges of everything.
AWKWARD = [
    0.0,
    -0.0,
    5e-324,
    -5e-324,
    2.2250738585072014e-308,
    1.7976931348623157e308,
    -1.7976931348623157e308,
    1e16,
    1.0,
    -1e16,
    0.1,
    float("nan"),
    float("inf"),
    float("-inf"),
]

#: Any float, and often one that was there before.
FLOATS = st.one_of(st.sampled_from(AWKWARD), st.integers(-3, 3).map(float), st.floats())


def pieces(values, parts):
    """Return the arrays that some rows make."""
    array = np.array(values, dtype=np.float64)
    return [array[np.array(rows, dtype=np.intp)] for rows in parts]
