"""What validations count adds up: over chunks, over partitions, over processes, in any order."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from prodml.contracts import (
    Compare,
    Contract,
    ForeignKey,
    Freshness,
    NullFraction,
    RowCount,
    Unique,
    ValidationSummary,
)
from prodml.errors import FormatError, MergeError
from prodml.testing import FakeClock, check_evidence_source, check_mergeable
from tests.laws import stretches, subsets


class Order(BaseModel):
    """A row with an alias, a default, and rules that are often broken."""

    id: int = Field(ge=0)
    low: float | None = Field(alias="from")
    high: float = 5.0
    shop: str = Field(pattern="^[a-z]+$")
    at: datetime | None = None


CHECKS = (
    Compare("low", "<=", "high"),
    ForeignKey("shop", ["a", "b"], name="shops"),
    NullFraction("low", 0.1),
    Freshness("at", timedelta(days=1)),
    RowCount(minimum=3),
)
CONTRACT = Contract(Order, checks=CHECKS, clock=FakeClock())
UNIQUE = Contract(Order, checks=[*CHECKS, Unique("id"), Unique("shop", "id")], clock=FakeClock())

CELLS = {
    "id": st.sampled_from([-1, 0, 1, 2, "3", "x", None, 1.5]),
    "from": st.sampled_from([0.0, 1.0, 9.0, None, "2"]),
    "high": st.sampled_from([0.0, 1.0, 2.0]),
    "shop": st.sampled_from(["a", "b", "c", "A", None]),
    "at": st.sampled_from([datetime(2025, 12, 31), datetime(2025, 1, 1), "2026-01-01", None]),
    "other": st.integers(0, 1),
}


@st.composite
def frames(draw):
    """Draw a frame of a few rows, in which columns may be missing or too many."""
    n_rows = draw(st.integers(0, 12))
    names = draw(st.lists(st.sampled_from(sorted(CELLS)), unique=True, min_size=1))
    columns = {
        name: pd.Series(draw(st.lists(CELLS[name], min_size=n_rows, max_size=n_rows)), dtype=object)
        for name in names
    }
    return pd.DataFrame(columns)


NAMES = st.sampled_from(["a", "b", "\ud800", "é"])
COUNTS = st.integers(0, 5)
MOMENTS = st.datetimes(
    datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(timezone(timedelta(hours=3)))
)


@st.composite
def summaries(draw):
    """Draw any summary of one contract."""
    n_rows = draw(COUNTS)
    pairs = st.dictionaries(st.tuples(NAMES, NAMES), COUNTS, max_size=3)
    singles = st.dictionaries(NAMES, COUNTS, max_size=3)
    return ValidationSummary(
        contract="orders",
        version="1",
        fingerprint="f",
        columns=("a", "b"),
        unique=("a",),
        n_rows=n_rows,
        n_accepted=draw(st.integers(0, n_rows)),
        n_missing=draw(singles),
        n_failed=draw(singles),
        violations=draw(pairs),
        newest=draw(st.dictionaries(NAMES, MOMENTS, max_size=2)),
        changes=draw(pairs),
    )


def summary(**changes):
    """Return a summary, with changes."""
    fields = {"contract": "orders", "version": "1", "fingerprint": "f", "columns": ("a",)}
    return ValidationSummary(**{**fields, **changes})


class TestMonoid:
    """Summaries keep the laws of Mergeable."""

    @given(st.lists(summaries(), min_size=1, max_size=4))
    def test_any_summaries(self, parts):
        """Whatever was counted; and nothing is added to another contract's."""
        foreign = [summary(contract="bills"), summary(version="2"), summary(fingerprint="g")]

        check_mergeable(parts, foreign=foreign)

    @given(st.data())
    def test_any_partition_of_a_frame(self, data):
        """Rows dealt out to any number of places, in any order, count as in one pass."""
        frame = data.draw(frames())
        parts = data.draw(subsets(len(frame)))

        check_mergeable(
            [CONTRACT.validate_frame(frame.iloc[rows]).summary for rows in parts],
            whole=CONTRACT.validate_frame(frame).summary,
            foreign=[UNIQUE.empty_summary],
        )

    @given(st.data())
    def test_any_chunks_of_a_stream(self, data):
        """Uniqueness too, where the chunks are seen one after another."""
        frame = data.draw(frames())
        assume(len(frame.columns))
        chunks = [frame.iloc[piece] for piece in data.draw(stretches(len(frame)))]

        check_mergeable(
            [result.summary for result in UNIQUE.validate_chunks(chunks)],
            whole=UNIQUE.validate_frame(frame).summary,
        )

    def test_an_empty_frame_adds_nothing(self):
        """Not even what its columns lack, since no row arrived without them."""
        nothing = CONTRACT.validate_frame(pd.DataFrame({"other": []})).summary

        assert nothing == CONTRACT.empty_summary
        assert nothing.to_bytes() == CONTRACT.empty_summary.to_bytes()


class TestChunks:
    """A stream of chunks gives what one frame gives."""

    @given(st.data())
    def test_rows_reasons_and_verdicts_are_those_of_one_pass(self, data):
        """Positions count on, keys are remembered, and the delivery is judged at its end."""
        frame = data.draw(frames())
        chunks = [frame.iloc[piece] for piece in data.draw(stretches(len(frame)))]
        whole = UNIQUE.validate_frame(frame, first_row=7)

        parts = list(UNIQUE.validate_chunks(chunks, first_row=7))

        for name in ("accepted_positions", "rejected_positions"):
            found = [
                at + part.first_row - 7 for part in parts for at in getattr(part, name).tolist()
            ]
            assert found == getattr(whole, name).tolist()
        assert [one for part in parts for one in part.iter_violations()] == whole.iter_violations()
        total = sum(part.summary for part in parts)
        assert UNIQUE.judge_delivery(total) == whole.checks

    @given(st.data())
    def test_accepted_values_are_those_of_one_pass(self, data):
        """Put together again, the chunks hold what the frame holds."""
        frame = data.draw(frames())
        whole = UNIQUE.validate_frame(frame).accepted
        chunks = [frame.iloc[piece] for piece in data.draw(stretches(len(frame)))]

        parts = [result.accepted for result in UNIQUE.validate_chunks(chunks)]

        cells = {name: [repr(cell) for part in parts for cell in part[name]] for name in whole}
        assert cells == {name: [*map(repr, whole[name])] for name in whole}


class TestForm:
    """A summary has one form: in memory, as bytes, in every process."""

    def test_zero_is_not_counted(self):
        """Nothing of a kind is the same as no mention of it."""
        assert summary(n_missing={"a": 0}, violations={("a", "x"): 0}) == summary()

    def test_moments_are_in_utc(self):
        """The same instant has the same bytes."""
        there = datetime(2026, 1, 1, 3, tzinfo=timezone(timedelta(hours=3)))
        here = datetime(2026, 1, 1, tzinfo=UTC)

        assert summary(newest={"a": there}).to_bytes() == summary(newest={"a": here}).to_bytes()

    def test_it_cannot_be_changed(self):
        """Neither its fields nor its counts."""
        one = summary(n_missing={"a": 1})

        with pytest.raises(AttributeError):
            one.n_rows = 5
        with pytest.raises(TypeError):
            one.n_missing["a"] = 5

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"n_rows": -1}, "`n_rows` must hold whole numbers >= 0, got -1"),
            ({"n_rows": 1.0}, "`n_rows` must hold whole numbers"),
            ({"n_rows": True}, "`n_rows` must hold whole numbers"),
            ({"n_rows": 1, "n_accepted": 2}, "`n_accepted` is 2, of 1 rows"),
            ({"violations": {("a", "x"): -1}}, "`violations` must hold whole numbers"),
            ({"newest": {"a": datetime(2026, 1, 1)}}, r"`newest\['a'\]` must have a time zone"),
        ],
    )
    def test_nonsense_is_refused(self, changes, message):
        """A count is a whole number, and no more fits than came in."""
        with pytest.raises(ValueError, match=message):
            summary(**changes)

    @pytest.mark.parametrize(
        "data",
        [
            b"[]",
            b"{}",
            b'{"format": "prodml-validation-summary/2"}',
            summary().to_bytes().replace(b'"n_rows":0', b'"n_rows":"many"'),
            summary().to_bytes().replace(b'"n_rows":0', b'"rows":0'),
            summary().to_bytes().replace(b'"n_accepted":0', b'"n_accepted":3'),
            summary().to_bytes().replace(b'"violations":[]', b'"violations":[["a"]]'),
            summary().to_bytes().replace(b'"newest":{}', b'"newest":{"a":"noon"}'),
            summary().to_bytes().replace(b'"newest":{}', b'"newest":{"a":"2026-01-01"}'),
            summary().to_bytes().replace(b'"newest":{}', b'"newest":[]'),
            summary().to_bytes().replace(b'"n_missing":{}', b'"n_missing":[]'),
        ],
    )
    def test_damaged_bytes_are_refused(self, data):
        """Nothing is read in half."""
        assert data != summary().to_bytes()
        with pytest.raises(FormatError):
            ValidationSummary.from_bytes(data)

    def test_bytes_are_the_same_in_every_process(self):
        """Hash seeds change the order of sets, and of nothing that is written."""
        program = (
            "import pandas as pd\n"
            "from tests.laws.test_validation_summary import UNIQUE\n"
            "rows = {'id': [1, 1, -1], 'from': [9, 1, 'x'], 'shop': ['c', 'b', 'A']}\n"
            "print(UNIQUE.validate_frame(pd.DataFrame(rows)).summary.to_bytes().decode())\n"
        )
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("COV_", "COVERAGE_"))}
        environ["PYTHONPATH"] = os.pathsep.join(sys.path)
        written = {
            subprocess.run(
                [sys.executable, "-c", program],
                env={**environ, "PYTHONHASHSEED": seed},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for seed in ("1", "2", "3")
        }

        assert len(written) == 1
        assert '"violations":[["' in written.pop()

    def test_a_merge_error_names_both(self):
        """Its reader sees which contracts they were."""
        with pytest.raises(MergeError, match="different contracts") as caught:
            summary() + summary(version="2")
        assert caught.value.left == ("orders", "1", "f")
        assert caught.value.right == ("orders", "2", "f")

    def test_only_summaries_are_added(self):
        """Except by sum(), which starts from 0."""
        with pytest.raises(TypeError):
            summary() + 1
        with pytest.raises(TypeError):
            1 + summary()
        assert sum([summary(n_rows=1), summary(n_rows=2)]).n_rows == 3


@given(frames())
def test_summaries_and_results_are_evidence(frame):
    """Every count has an address of its own, and the shares add up."""
    result = UNIQUE.validate_frame(frame)

    stated = {one.series: one for one in check_evidence_source(result)}

    assert set(stated) >= {one.series for one in check_evidence_source(result.summary)}
    rejected = stated['data_quality_rejected_fraction{contract="Order"}']
    accepted = stated['data_quality_accepted_fraction{contract="Order"}']
    if len(frame):
        assert rejected.value + accepted.value == pytest.approx(1)
        assert rejected.n == len(frame)
    else:
        assert rejected.status == accepted.status == "insufficient_data"
    assert {one.subject for one in stated.values()} == {UNIQUE.fingerprint}
