"""Freshness: how old the newest accepted value is, by the clock of the contract."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel, Field

from prodml.contracts import Contract, Freshness
from prodml.testing import FakeClock, check_evidence_source

NOON = datetime(2026, 1, 1, 12)
NOW = NOON.replace(tzinfo=UTC)
BEFORE = [datetime(2025, 6, 1), NOON, None, datetime(1960, 1, 1)]


class Reading(BaseModel):
    """What a station sends."""

    at: datetime | None
    level: int = Field(default=0, ge=0)


class Day(BaseModel):
    """What a shop sends."""

    at: date | None


def judged(frame: Any, now: datetime = NOW, model: Any = Reading) -> Any:
    """Return what Freshness says, with an hour allowed."""
    contract = Contract(model, checks=[Freshness("at", timedelta(hours=1))], clock=FakeClock(now))
    result = contract.validate_frame(pd.DataFrame(frame))
    (found,) = result.checks
    (stated,) = (one for one in check_evidence_source(result) if one.metric == "freshness")
    assert (stated.value, stated.verdict, stated.labels["column"]) == (
        found.value, found.verdict, "at",
    )  # fmt: skip
    return found


@pytest.mark.parametrize(
    ("age", "verdict"),
    [(0, "pass"), (3600, "pass"), (3601, "fail"), (-1, "warn")],
)
def test_the_newest_value_decides(age: int, verdict: str) -> None:
    """As old as allowed is fresh; what lies ahead means that a clock is wrong somewhere."""
    found = judged({"at": BEFORE}, now=NOW + timedelta(seconds=age))

    assert (found.verdict, found.value, found.threshold) == (verdict, age, 3600)


@pytest.mark.parametrize("dtype", ["M8[s]", "M8[us]", "M8[ns]", object])
def test_any_dtype_of_moments(dtype: Any) -> None:
    """Naive moments are taken as UTC."""
    column = (
        np.array(BEFORE, dtype=dtype) if dtype is not object else pd.Series(BEFORE, dtype=object)
    )

    assert judged({"at": column}).value == 0


def test_moments_of_other_zones() -> None:
    """The instant counts."""
    column = pd.Series(np.array(BEFORE, dtype="M8[us]")).dt.tz_localize("UTC")

    assert judged({"at": column.dt.tz_convert("Asia/Tokyo")}).value == 0
    assert judged({"at": column.astype(object)}).value == 0


@pytest.mark.needs_arrow
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_moments_that_lie_in_arrow(zone: Any) -> None:
    """In a column that pandas only wraps."""
    import pyarrow as pa

    moments = [one and one.replace(tzinfo=UTC if zone else None) for one in BEFORE]
    column = pd.Series(moments, dtype=pd.ArrowDtype(pa.timestamp("us", tz=zone)))

    assert judged({"at": column}).value == 0


def test_dates_begin_at_midnight() -> None:
    """The day is as old as its first second."""
    found = judged({"at": [date(2025, 12, 31), date(2026, 1, 1), None]}, model=Day)

    assert found.value == 12 * 3600
    assert found.message == "the newest value is 43200 s old, at most 3600 s are allowed"


def test_rejected_rows_do_not_refresh() -> None:
    """A row that does not fit proves nothing."""
    frame = {"at": [datetime(2025, 1, 1), NOON], "level": [1, -1]}

    assert judged(frame).verdict == "fail"


@pytest.mark.parametrize("moments", [[], [None, None], ["x"]])
def test_without_a_time_nothing_is_known(moments: Any) -> None:
    """Inconclusive, which is neither fresh nor stale."""
    found = judged({"at": moments})

    assert (found.verdict, found.value) == ("inconclusive", None)
    assert found.message == "no accepted row has a time"


def test_a_field_that_is_read_row_by_row() -> None:
    """Values that no column of moments holds are looked at one by one."""

    class Either(BaseModel):
        at: datetime | date | str

    found = judged({"at": [date(2026, 1, 1), NOON, "yesterday"]}, model=Either)

    assert found.value == 0
