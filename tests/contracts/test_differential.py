"""Random models over random frames, aimed at the edges, give the verdict of pydantic."""

from __future__ import annotations

import pytest

from .families import FAMILIES, hold

SEEDS = range(12)


@pytest.mark.parametrize("name", FAMILIES)
def test_both_doors_agree_with_pydantic(name: str) -> None:
    """Verdict, reasons and values are pydantic's, and rows of both kinds are common.

    The second half guards the first: among rows that are nearly all rejected, a rule that is not
    applied goes unnoticed.
    """
    accepted = rejected = 0
    for seed in SEEDS:
        n_accepted, n_rejected = hold(name, seed)
        accepted, rejected = accepted + n_accepted, rejected + n_rejected

    assert 0.2 < rejected / (accepted + rejected) < 0.8, (name, accepted, rejected)
