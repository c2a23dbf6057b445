"""Vectorised judgement of text: lengths, white space and patterns, by Arrow where it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from prodml._core.arrow_text import (
    arrow_text,
    break_lengths,
    match_pattern,
    null_mask,
    strip_white_space,
    text_column,
)
from prodml._core.column_building import text_dtype
from prodml._core.columns import numpy_dtype
from prodml.contracts._judgement import Judgement, add_group

if TYPE_CHECKING:
    import numpy.typing as npt

    from prodml.contracts._plan import FieldPlan

__all__ = ["judge_text"]


def judge_text(plan: FieldPlan, column: Any) -> Judgement | None:
    """Judge a str field over a column of text.

    White space is stripped by Rust's rules, which are Unicode's; rows for which Arrow's are not
    known to be the same are left open.
    """
    text = arrow_text(column)
    if text is None:
        return None
    judgement = Judgement()
    settled = null_mask(text)
    if settled is not None and not plan.nullable:
        add_group(judgement, settled)
    certain: npt.NDArray[np.bool_] | None = None
    if plan.node["strip_whitespace"]:
        stripped, certain = strip_white_space(text)
        if stripped is not None:
            judgement.values = text_column(stripped, like=column)
            text = stripped
    for outside in break_lengths(text, plan.node.get("min_length"), plan.node.get("max_length")):
        if outside is None:
            continue
        broken = _both(certain, outside)
        add_group(judgement, broken)
        certain = _both(certain, ~broken)
        settled = broken if settled is None else settled | broken
    if judgement.values is None and numpy_dtype(column) is not None and text_dtype() is not object:
        judgement.values = text_column(text, like=column)
    if (pattern := plan.node.get("pattern")) is not None:
        matched = match_pattern(text, pattern)
        if matched is None:
            return None
        certain = _both(certain, matched)
    if certain is not None:
        judgement.open = np.flatnonzero(~(certain if settled is None else certain | settled))
    return judgement


def _both(
    certain: npt.NDArray[np.bool_] | None, mask: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    return mask if certain is None else mask & certain
