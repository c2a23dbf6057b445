"""Summaries of validations obey the laws of Mergeable, over any partition of any frame."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from prodml.contracts import Contract, Freshness, NullFraction, RowCount, Unique
from prodml.testing import FakeClock, check_evidence_source, check_mergeable


class Order(BaseModel):
    id: int
    quantity: int | None = Field(default=None, ge=1)
    ordered: datetime | None = None


START = datetime(2026, 1, 1, tzinfo=UTC)
CONTRACT = Contract(
    Order,
    name="order",
    checks=[
        Unique("id"),
        RowCount(minimum=3),
        NullFraction("quantity", 0.3),
        Freshness("ordered", timedelta(days=2)),
    ],
    clock=FakeClock(START),
)

_rows = st.fixed_dictionaries(
    {"id": st.sampled_from([1, 2, 3, "x", None]), "quantity": st.sampled_from([1, 0, "y", None])},
    optional={
        "ordered": st.sampled_from([START, START - timedelta(days=3), "never", None]),
        "extra": st.just(1),
    },
)


def _frame(rows):
    return pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in rows.items()})


@st.composite
def _streams(draw):
    """Draw a frame, and the places at which it is cut into chunks, empty ones included."""
    n_rows = draw(st.integers(0, 12))
    labels = ["id", "quantity", *draw(st.sets(st.sampled_from(["ordered", "extra"])))]
    columns = {label: [draw(_rows).get(label) for _ in range(n_rows)] for label in labels}
    cuts = sorted(draw(st.lists(st.integers(0, n_rows), max_size=4)))
    return _frame(columns), [0, *cuts, n_rows]


@given(_streams())
def test_the_chunks_of_a_stream_add_up_to_one_pass(stream):
    """Rows, rejections, missing cells, broken rules, newest moments and schema changes."""
    frame, cuts = stream
    chunks = [frame.iloc[low:high] for low, high in itertools.pairwise(cuts)]
    parts = [result.summary for result in CONTRACT.validate_chunks(chunks)]
    other = Contract(Order, name="order", version="2").empty_summary

    check_mergeable(
        [*parts, CONTRACT.empty_summary],
        whole=CONTRACT.validate_frame(frame).summary,
        foreign=[other],
        n_orders=3,
    )


@given(_streams())
def test_a_stream_gives_the_rows_and_reasons_of_one_pass(stream):
    """Chunk by chunk is all at once: accepted rows, violations, and verdicts on the delivery."""
    frame, cuts = stream
    chunks = [frame.iloc[low:high] for low, high in itertools.pairwise(cuts)]
    results = list(CONTRACT.validate_chunks(chunks))
    whole = CONTRACT.validate_frame(frame)
    positions = [
        row + result.first_row for result in results for row in result.accepted_positions.tolist()
    ]
    reasons = [str(one) for result in results for one in result.iter_violations()]

    assert positions == whole.accepted_positions.tolist()
    assert reasons == [str(one) for one in whole.iter_violations()]
    total = sum((result.summary for result in results), CONTRACT.empty_summary)
    assert CONTRACT.judge_delivery(total) == whole.checks


@given(_streams())
def test_a_result_states_evidence(stream):
    """Whatever came: evidence that contradicts nothing, also for no rows."""
    frame, _ = stream
    result = CONTRACT.validate_frame(frame)

    check_evidence_source(result)
    check_evidence_source(result.summary)
