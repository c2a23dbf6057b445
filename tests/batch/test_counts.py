"""The counts of runs add up, and nothing in them is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.batch import BatchCounts
from prodml.batch.counts import FATES
from prodml.errors import FormatError, MergeError
from prodml.testing import check_evidence_source, check_mergeable

COUNTS = st.dictionaries(st.sampled_from(FATES), st.integers(0, 10**20))


@given(
    parts=st.lists(
        st.builds(
            BatchCounts,
            namespace=st.just("n"),
            n_batches=COUNTS,
            n_records=COUNTS,
            n_output=st.integers(0, 10**20),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_they_obey_the_laws(parts):
    """Any partition gives the same sum, and whatever came in has a fate."""
    check_mergeable(parts)
    whole = sum(parts)
    assert whole.n_records_in == sum(sum(part.n_records.values()) for part in parts)
    assert whole.n_batches_in == sum(part.n_batches_in for part in parts)
    assert whole.is_settled == all(part.is_settled for part in parts)


def test_they_can_be_read():
    """In a line, as evidence, and as a sum."""
    one = BatchCounts(namespace="n", n_batches={"done": 2}, n_records={"done": 5}, n_output=4)
    two = BatchCounts(
        namespace="n",
        n_batches={"failed": 1, "skipped": 1},
        n_records={"failed": 3, "quarantined": 2},
    )
    check_evidence_source(one)
    assert sum([one, two]) == one + two
    assert str(one + two) == (
        "'n': 4 batches = 2 done + 1 skipped + 1 failed; "
        "10 records in = 5 done + 2 quarantined + 3 failed"
    )
    assert (one.is_settled, two.is_settled) == (True, False)


@pytest.mark.parametrize(
    ("fates", "n_records", "value", "verdict"),
    [
        ({"done": 1, "skipped": 1}, {"done": 4, "quarantined": 1}, 1.0, "pass"),
        ({"done": 1, "failed": 1}, {"done": 3, "failed": 1}, 0.75, "fail"),
        ({}, {}, None, "inconclusive"),
        ({"done": 2}, {}, None, "inconclusive"),
        ({"failed": 1}, {}, None, "fail"),
    ],
    ids=["settled", "failed", "nothing", "empty batches", "an empty batch that failed"],
)
def test_the_verdict_is_on_what_is_left(fates, n_records, value, verdict):
    """Nothing that was not measured passes."""
    counts = BatchCounts(namespace="n", n_batches=fates, n_records=n_records)
    share, *others = counts.to_evidence()

    check_evidence_source(counts)
    assert (share.metric, share.value, share.verdict) == ("settled_fraction", value, verdict)
    assert sum(one.value for one in others) == counts.n_records_in


@pytest.mark.parametrize(
    "facts",
    [
        {"n_batches": {"lst": 1}},
        {"n_records": {"done": -1}},
        {"n_records": {"done": 0.5}},
        {"n_output": -1},
        {"n_output": "1"},
    ],
    ids=["fate", "negative", "fraction", "negative output", "text"],
)
def test_nonsense_is_refused(facts):
    """A count is a whole number of something known."""
    with pytest.raises(ValueError, match=r"must (hold|be)|knows the fates"):
        BatchCounts(namespace="n", **facts)


def test_jobs_are_not_mixed():
    """Nor are other bytes read as counts."""
    with pytest.raises(MergeError):
        BatchCounts(namespace="a") + BatchCounts(namespace="b")
    for data in (
        b"",
        b"{}",
        b"[]",
        BatchCounts(namespace="a").to_bytes().replace(b"/1", b"/9"),
    ):
        with pytest.raises(FormatError):
            BatchCounts.from_bytes(data)
