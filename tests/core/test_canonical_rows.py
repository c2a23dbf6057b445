"""Digests and checksums of rows: a row is known again, wherever and however it comes."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from hashlib import blake2b

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml._core.canonical_checksums import record_checksums
from prodml._core.canonical_rows import record_digests, tuple_digests, value_digests
from prodml._core.canonical_text import hash_texts, utf8_parts
from prodml.errors import UnkeyableError
from tests.core.column_forms import FORMS, VALUES
from tests.core.test_canonical import golden_table, oracle

NOON = datetime(2024, 5, 17, 12, tzinfo=UTC)


def pairs(digests):
    """Return digests as plain pairs, which compare."""
    assert digests.high.dtype == digests.low.dtype == np.int64
    return list(zip(digests.high.tolist(), digests.low.tolist(), strict=True))


_FAMILY = st.sampled_from(sorted(FORMS))


@given(st.data(), _FAMILY)
def test_a_row_of_any_form_is_a_dict_of_its_cells(data, family):
    """A record is known again, whether it comes in a frame of any dtype or by itself."""
    cells = data.draw(st.lists(st.one_of(st.none(), VALUES[family]), max_size=5))
    records = [{"b": 1, "a": cell, "": "x"} for cell in cells]
    expected = pairs(value_digests(records))

    for name, build in FORMS[family]:
        column = build(cells)
        if column is not None:
            table = [
                ("b", np.ones(len(cells), dtype="i2")),
                ("a", column),
                ("", ["x"] * len(cells)),
            ]
            assert pairs(record_digests(table)) == expected, name
            assert pairs(tuple_digests([("a", column), ("b", cells)])) == pairs(
                value_digests([(cell, cell) for cell in cells])
            )


@given(st.data(), _FAMILY)
def test_a_checksum_does_not_depend_on_the_form(data, family):
    """Nor does it on the rows above and below, or on the order of columns."""
    cells = data.draw(st.lists(st.one_of(st.none(), VALUES[family]), max_size=5))
    one_by_one = [int(record_checksums([("b", [1]), ("a", [cell])])[0]) for cell in cells]

    for name, build in FORMS[family]:
        column = build(cells)
        if column is not None:
            table = [("a", column), ("b", np.ones(len(cells), dtype="u1"))]
            assert record_checksums(table).tolist() == one_by_one, name


_mixed = st.one_of(st.none(), *VALUES.values(), st.lists(st.integers(0, 3), max_size=2))


@given(st.lists(_mixed, max_size=6))
def test_cells_of_several_types_are_read_one_by_one(cells):
    """What else stands in its column does not change what a record is."""
    together = record_digests([("a", cells)])
    assert pairs(together) == pairs(value_digests([{"a": cell} for cell in cells]))
    assert pairs(together) == [p for cell in cells for p in pairs(record_digests([("a", [cell])]))]
    checksums = record_checksums([("a", cells)]).tolist()
    assert checksums == [int(record_checksums([("a", [cell])])[0]) for cell in cells]


def _same_for_checksums(value):
    """Return an oracle in which whole floats are ints."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return oracle(int(value))
    return oracle(value)


@given(st.lists(st.tuples(_mixed, _mixed), max_size=8))
def test_rows_are_told_apart(rows):
    """Two rows have one digest, or one checksum, if and only if they are the same."""
    columns = [("a", [a for a, _ in rows]), ("b", [b for _, b in rows])]

    assert len(set(pairs(record_digests(columns)))) == len({oracle(row) for row in rows})
    expected = {tuple(map(_same_for_checksums, row)) for row in rows}
    assert len(set(record_checksums(columns).tolist())) == len(expected)


@pytest.mark.parametrize(
    "tables",
    [
        [{"a": [1], "b": [2]}, {"a": [2], "b": [1]}, {"a": [1], "c": [2]}],
        [{"a": ["x"]}, {"a": ["y"]}, {"a": [b"x"]}, {"b": ["x"]}],
        [{"a": [1.5]}, {"a": [2.5]}, {"a": [-1.5]}, {"a": [math.inf]}, {"a": [-math.inf]}],
        [{"a": [1], "b": [1]}, {"a": [0], "b": [2]}, {"a": [2], "b": [0]}],
        [{"a": [True]}, {"a": [1]}, {"a": ["1"]}, {"a": [0]}, {"a": [False]}, {"a": [None]}],
        [{"a": [2**70]}, {"a": [2**71]}, {"a": [2**63]}, {"a": [-(2**63)]}],
    ],
    ids=range(6),
)
def test_checksums_of_near_misses_differ(tables):
    """Labels, types and places count."""
    found = {int(record_checksums(list(table.items()))[0]) for table in tables}

    assert len(found) == len(tables)


def test_a_whole_float_is_an_integer_to_a_checksum():
    """A value that is missing in another row turns the integers of a chunk into floats."""
    whole = pd.DataFrame({"n": [1, -2, 2**53]})
    with_gap = pd.DataFrame({"n": [1, -2, 2**53, None]})
    assert with_gap["n"].dtype == float

    left = record_checksums([("n", whole["n"])]).tolist()
    assert record_checksums([("n", with_gap["n"])]).tolist()[:3] == left
    above = np.array([2.0**53 + 2, 2.0**63, -(2.0**63), 1e300])
    assert len(set(record_checksums([("n", above)]).tolist())) == 4


def test_a_missing_value_is_an_absent_column_to_a_checksum():
    """A record that lacks a field and one that has none in it are the same payload."""
    with_none = record_checksums([("a", [1]), ("b", [None])])

    assert with_none.tolist() == record_checksums([("a", [1])]).tolist()


def test_columns_of_one_label_count_by_their_order():
    """Labels may repeat, and their columns are not swapped unnoticed."""
    one, other = [("a", [1]), ("a", [2])], [("a", [2]), ("a", [1])]

    assert record_checksums(one).tolist() != record_checksums(other).tolist()
    assert pairs(record_digests(one)) != pairs(record_digests(other))


def test_rows_beyond_one_block_are_like_the_first():
    """Long tables are worked on in blocks, which does not show."""
    n = 70_001
    table = [
        ("a", np.arange(n) % 7),
        ("t", [f"t{row % 7}" for row in range(n)]),
        ("f", np.where(np.arange(n) % 7 == 3, np.nan, 0.5)),
    ]
    digests, checksums = record_digests(table), record_checksums(table)

    assert len(set(pairs(digests))) == len(set(checksums.tolist())) == 7
    assert pairs(digests)[-7:] == pairs(digests)[(n - 7) % 7 :][:7]
    assert checksums[:7].tolist() == checksums[n - n % 7 - 7 :][:7].tolist()


def test_nothing_has_digests_of_nothing():
    """No rows, no columns, or neither."""
    assert pairs(record_digests([])) == pairs(value_digests([])) == []
    assert record_checksums([("a", [])]).tolist() == []
    assert record_checksums([], n_rows=2).tolist() == [0, 0]
    assert pairs(record_digests([], n_rows=2)) == pairs(value_digests([{}, {}]))


@pytest.mark.parametrize(
    ("function", "argument", "message", "column"),
    [
        (record_digests, [("a", [1, object()])], "column 'a' .*'object', first in row 1", "a"),
        (record_checksums, [("a", [datetime(2024, 1, 1)])], "time zone.*, first in row 0", "a"),
        (tuple_digests, [("a", [1]), ("b", [1, 2])], "column 'b' has 2 rows", "b"),
        (record_checksums, [("a", np.zeros((1, 1)))], "2 dimensions", "a"),
        (value_digests, [{"a": 1}, {"a": len}], r"\[1\]\['a'\]", "a"),
    ],
    ids=range(5),
)
def test_what_has_no_bytes_is_refused(function, argument, message, column):
    """The message says where it stands."""
    with pytest.raises(UnkeyableError, match=message) as caught:
        function(argument)

    assert caught.value.column == column


def test_rows_of_this_version_never_change():
    """Stored keys of records stay valid, whatever libraries are installed."""
    table = golden_table()

    assert pairs(record_digests(table)) == GOLDEN_DIGESTS
    assert record_checksums(table).tolist() == GOLDEN_CHECKSUMS


GOLDEN_DIGESTS = [
    (5177476696686182619, 2710876860827220342),
    (8944874589823546516, -8992139697680624444),
    (5269725764034979250, -813898496393647062),
]
GOLDEN_CHECKSUMS = [-3399323801109509232, 1869799915351757221, 6208940722542634135]


_MASK = 2**64 - 1


def _mixed(word):
    """Return the finaliser of SplitMix64, in Python's own integers."""
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    word = (word ^ word >> 27) * 0x94D049BB133111EB & _MASK
    return word ^ word >> 31


def _hashed(text):
    """Return the hash of a text as its definition says, one word after the other."""
    content = text.encode("utf-8", "surrogatepass")
    if len(content) > 256:
        return int.from_bytes(blake2b(content, digest_size=8).digest(), "little")
    state = _mixed(len(content))
    for at in range(0, len(content), 8):
        word = int.from_bytes(content[at : at + 8], "little")
        state = _mixed((state ^ word) + 0x9E3779B97F4A7C15 & _MASK)
    return state


_lengths = st.sampled_from([0, 1, 7, 8, 9, 16, 255, 256, 257, 300])


@given(st.lists(st.tuples(st.text("a\x00é\ud800", max_size=9), _lengths), max_size=6))
def test_texts_are_hashed_word_by_word(parts):
    """Zeros, empty texts, and lengths around a word and around the longest count."""
    texts = [(text * length)[:length] for text, length in parts]
    lengths, contents = utf8_parts(np.array([*texts, None], dtype=object)[:-1])

    assert hash_texts(lengths, b"".join(contents)).tolist() == list(map(_hashed, texts))
