"""Pure statistics: numbers in, an immutable result out.

- :func:`clopper_pearson`: the exact confidence interval of a proportion.
"""

from prodml.stats.proportions import clopper_pearson

__all__ = ["clopper_pearson"]
