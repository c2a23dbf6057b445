"""What holds for every ready-made feature, with every option and every type that it reads."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import pytest

from tests.features.ops.catalogue import (
    bits,
    catalogue,
    frame_of_rows,
    records_of,
    set_of,
    target_of_rows,
)

#: Rows of the training frame, and others that have unknown categories.
FRAME, OTHER = frame_of_rows(), frame_of_rows(seed=7)
TARGET = target_of_rows()
OTHER.loc[OTHER.index[3:6], ["s", "sn"]] = "never seen"
OTHER.loc[OTHER.index[3:6], ["i", "in_"]] = 1234
RECORDS = records_of(OTHER)


@pytest.mark.parametrize(
    ("label", "feature"), [pytest.param(*one, id=one[0]) for one in catalogue()]
)
def test_a_ready_made_feature_is_the_same_in_every_way(label, feature):
    """In a batch, alone, in many, from chunks, from JSON and from a pickle; and without fallback.

    Nothing that is given is changed.
    """
    fs = set_of(feature)
    before = FRAME.copy()
    fitted = fs.fit(FRAME, TARGET)
    expected = bits(fitted.transform(OTHER))
    assert fitted.explain(feature.name).single_record in {"traced", "elementwise"}
    assert bits(fitted.transform_many(RECORDS)) == expected
    few = [fitted.transform_many(RECORDS[at : at + 15]) for at in range(0, len(RECORDS), 15)]
    assert [row for part in few for row in bits(part)[1]] == expected[1]
    assert [bits(fitted.transform_one(one)[None])[1][0] for one in RECORDS] == expected[1]
    chunks = [(FRAME[at : at + 40], TARGET[at : at + 40]) for at in (80, 0, 40)]
    again = [fs.fit_chunks(chunks), set_of(feature).restore(fitted.to_json())]
    again.append(pickle.loads(pickle.dumps(fitted)))
    for one in again:
        assert one.fingerprint == fitted.fingerprint
        assert one.columns == fitted.columns
        assert bits(one.transform(OTHER)) == expected
    assert fitted.check(OTHER).passed
    assert before.equals(FRAME)


def definitions():
    """Return the fingerprint of each definition in the catalogue."""
    return [set_of(one).definition()[one.name].digest for _, one in catalogue()]


def test_other_options_have_other_fingerprints():
    """An option that changes what comes out changes what it is called by."""
    found = definitions()
    names = [name for name, _ in catalogue()]
    twice = [(names[found.index(one)], names[at]) for at, one in enumerate(found)]
    assert [pair for pair in twice if pair[0] != pair[1]] == []


@pytest.mark.parametrize("seed", ["0", "1"])
def test_fingerprints_are_the_same_in_every_process(seed):
    """However the process hashes text."""
    code = "from tests.features.ops.test_laws import definitions; print(*definitions())"
    told = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )
    assert told.stdout.split() == definitions()
