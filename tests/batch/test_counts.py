"""The counts of runs add up, and nothing in them is lost."""

from __future__ import annotations

import pytest

from prodml.batch import BatchCounts
from prodml.errors import FormatError, MergeError
from prodml.testing import check_evidence_source, check_mergeable


def test_they_are_mergeable():
    """All laws."""
    one = BatchCounts(namespace="n", n_batches={"done": 2}, n_records={"done": 5}, n_output=4)
    two = BatchCounts(
        namespace="n",
        n_batches={"failed": 1, "skipped": 1},
        n_records={"failed": 3, "quarantined": 2},
    )
    check_mergeable([one, two, one + two])
    check_evidence_source(one)
    assert sum([one, two]) == one + two
    assert str(one + two) == (
        "'n': 4 batches = 2 done + 1 skipped + 1 failed; "
        "10 records in = 5 done + 2 quarantined + 3 failed"
    )
    assert (one.is_settled, two.is_settled) == (True, False)


@pytest.mark.parametrize(
    "facts",
    [{"n_batches": {"lst": 1}}, {"n_records": {"done": -1}}, {"n_records": {"done": 0.5}}],
    ids=["fate", "negative", "fraction"],
)
def test_nonsense_is_refused(facts):
    """A count is a whole number of something known."""
    with pytest.raises(ValueError, match=r"must hold|knows the fates"):
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
