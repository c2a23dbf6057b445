"""Both doors of a contract give the verdict, the reasons and the values of pydantic."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from pydantic import create_model

from prodml._core.arrow_text import has_arrow
from prodml.contracts import Contract

from .corpus import FIELDS, ODD_BOUNDS, columns
from .oracle import assert_same_verdict


@pytest.mark.parametrize("name", FIELDS | ODD_BOUNDS)
def test_every_field_over_every_column(name: str) -> None:
    """One field of each type, over columns of every dtype with the values at its edges."""
    model: Any = create_model("Row", value=((FIELDS | ODD_BOUNDS)[name], ...))
    contract = Contract(model)
    for label, column in columns(arrow=has_arrow()):
        frame = pd.DataFrame({"value": column})
        frame.index = pd.Index([0] * len(frame))
        try:
            assert_same_verdict(contract, frame)
        except AssertionError as error:
            message = f"field {name} over column {label}: {ascii(str(error))[:600]}"
            raise AssertionError(message) from None
