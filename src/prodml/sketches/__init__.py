"""Mergeable summaries of a column: small, exact where that is possible, and made in parts.

- :class:`Moments`: count, mean, variance and range, without any rounding on the way.
- :class:`ValueGrid`: quantiles, exact for few distinct values, else within a stated error.
- :class:`CategoryCounts`: how often each value occurs; :class:`GroupSums`: what a target sums to
  in each category. :func:`code_categories` reads a column once for several of them.

All are :class:`~prodml.protocols.Mergeable`: the summaries of the parts of any partition of the
rows, merged in any order, equal the summary of one pass **bit for bit**. So state that is fitted
over chunks, processes or machines is the state that one pass over all rows gives.
"""

from prodml.sketches._category_keys import Category, code_categories
from prodml.sketches._quantiles import QuantileMethod
from prodml.sketches.categories import CategoryCounts
from prodml.sketches.group_sums import GroupSums
from prodml.sketches.moments import Moments
from prodml.sketches.value_grid import ValueGrid

__all__ = [
    "Category",
    "CategoryCounts",
    "GroupSums",
    "Moments",
    "QuantileMethod",
    "ValueGrid",
    "code_categories",
]
