"""Keys name work: the same for a retry, another for other work, and never a guess."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

import prodml.batch.keys as keys_module
from prodml._core.canonical_rows import RowDigests
from prodml.batch._business import repeated_rows
from prodml.batch.batch import Batch
from prodml.batch.key import KEY_VERSION, Key, key_from_text, key_text
from prodml.batch.keys import BusinessKey, ContentKey, FileChecksum
from prodml.errors import BatchError, DuplicateKeyError, MissingKeyError, UnkeyableError

ROOT = Path(__file__).parents[2]


def of(key, data, first_row=None, **more):
    """Return what a key makes of a batch with some data."""
    return key.of_batch(Batch(data=data, number=0, first_row=first_row, **more))


def triples(keys):
    """Return the keys of records as plain triples, which compare."""
    assert {part.dtype for part in keys} == {np.dtype(np.int64)}
    return list(zip(*(part.tolist() for part in keys), strict=True))


def names(keys):
    """Return the keys of records without their payloads."""
    return [(high, low) for high, low, _ in triples(keys)]


class Model(BaseModel):
    id: Any
    x: Any = None


@dataclass
class Line:
    id: Any
    x: Any = None


class Thing:
    def __init__(self, id, x=None):  # noqa: A002 - the field is called so
        self.id = id
        self.x = x
        self._cache = object()


class Slotted:
    __slots__ = ("id", "x")

    def __init__(self, id, x=None):  # noqa: A002 - the field is called so
        self.id = id
        self.x = x


Pair = namedtuple("Pair", "id x")  # noqa: PYI024 - untyped ones are in use too

KEYS = [
    ContentKey(),
    BusinessKey("id"),
    BusinessKey("id", "x", duplicates="keep_first"),
    FileChecksum(),
]


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_keys_are_values(key):
    """They fit the protocol, hash, pickle, copy, and cannot be changed."""
    assert isinstance(key, Key)
    for other in (pickle.loads(pickle.dumps(key)), copy.deepcopy(key)):
        assert other == key
        assert hash(other) == hash(key)
        assert repr(other) == repr(key)
    with pytest.raises((AttributeError, TypeError)):
        key.columns = ()
    assert [key == other for other in KEYS].count(True) == 1


def test_a_key_is_a_version_and_a_digest():
    """32 bytes behind the version; what is hashed for the payload has 32 too, or none."""
    content, business = of(ContentKey(), 1), of(BusinessKey("id"), {"id": 1})

    assert len(content.key) == len(business.key) == len(KEY_VERSION) + 32
    assert (len(content.payload_hash), len(business.payload_hash)) == (0, 32)
    assert key_from_text(key_text(content.key)) == content.key


def test_a_place_in_the_source_is_part_of_the_content():
    """Two equal chunks of one file are two pieces of work; its name and the number do not count."""
    key = ContentKey()
    for data in ([1, 2], pd.DataFrame({"a": [1, 2]}), 5):
        found = [of(key, data, place) for place in (None, 0, 1, 256, 2**40)]
        assert len({one.key for one in found}) == 5
        again = key.of_batch(Batch(data=data, number=9, first_row=0, source="moved.csv"))
        assert again == found[1]


def test_a_frame_is_its_columns():
    """Index, order of columns, dtypes and the kind of container do not count; rows do."""
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    arrays = {"b": np.array(["x", None], dtype=object), "a": np.array([1, 2], dtype="u1")}
    same = [
        frame,
        frame[["b", "a"]],
        frame.set_index(pd.Index([5, 5])),
        arrays,
        frame.astype({"a": "Int8"}),
    ]
    others = [frame[::-1], frame[:1], frame.rename(columns={"a": "c"}), frame.astype({"a": float})]

    assert len({of(ContentKey(), data).key for data in same}) == 1
    assert len({of(ContentKey(), data).key for data in [frame, *others]}) == 5


def test_an_empty_batch_has_a_key():
    """Nothing is work that is done once as well."""
    empty = [[], {}, None, pd.DataFrame(), pd.DataFrame({"id": []}), pd.DataFrame(index=range(2))]
    assert len({of(ContentKey(), data).key for data in empty}) == len(empty)
    for data in ([], None, pd.DataFrame(), pd.DataFrame({"id": []}), {"id": np.array([])}):
        assert len(of(BusinessKey("id"), data).key) == 35
        assert triples(BusinessKey("id").of_records(data)) == []
    assert triples(ContentKey().of_records([])) == []


_records = st.lists(
    st.fixed_dictionaries(
        {"id": st.integers(-3, 3), "x": st.one_of(st.none(), st.text("ab", max_size=2))}
    ),
    max_size=5,
)


@given(_records)
def test_content_keys_of_records_are_those_of_their_content(records):
    """Equal records have one key, alone, in a list and in a frame; there is no other payload."""
    key = ContentKey()
    found = triples(key.of_records(records))

    assert len(set(found)) == len({(one["id"], one["x"]) for one in records})
    assert {payload for _, _, payload in found} <= {0}
    assert found == [triple for one in records for triple in triples(key.of_records(one))]
    if records:
        assert triples(key.of_records(pd.DataFrame(records))) == found
    assert triples(key.of_records([Model(**one) for one in records])) == found


@given(st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, max_size=6))
def test_a_whole_number_is_its_own_key(numbers):
    """No digest is taken where none is needed, and nothing collides."""
    found = names(BusinessKey("id").of_records({"id": np.array(numbers, dtype="i8")}))

    assert found == [(number, 0) for number in numbers]


_idents = st.one_of(
    st.integers(-2, 2),
    st.sampled_from([2**63 - 1, 2**63, -(2**63), 2**70]),
    st.text("12a", max_size=2),
)


@given(st.lists(_idents, unique=True, max_size=6))
def test_the_key_of_a_record_does_not_depend_on_the_others(idents):
    """A huge number or a text beside them leaves small numbers what they are."""
    key = BusinessKey("id")
    records = [{"id": ident, "x": row} for row, ident in enumerate(idents)]
    found = triples(key.of_records(records))

    assert found == [triple for one in records for triple in triples(key.of_records([one]))]
    assert len({one[:2] for one in found}) == len(idents)
    for ident, (high, low, _) in zip(idents, found, strict=True):
        assert (high, low) == (ident, 0) or isinstance(ident, str) or not -(2**63) <= ident < 2**63


@pytest.mark.parametrize(
    "ids", [[1, 2], ["a", "b"], [datetime(2024, 1, d, tzinfo=UTC) for d in (1, 2)]]
)
@pytest.mark.parametrize(
    "make", [dict, Model, Line, Thing, Slotted, Pair], ids=lambda make: make.__name__
)
def test_a_record_of_any_class_has_the_same_key(make, ids):
    """Dicts, models, dataclasses, named tuples and objects are rows of a table."""
    records = [make(id=ident, x="v") for ident in ids]
    key = BusinessKey("id")
    table = pd.DataFrame({"x": ["v", "v"], "id": ids})

    assert triples(key.of_records(records)) == triples(key.of_records(table))
    assert of(key, records).key == of(key, table).key
    assert of(key, records) == of(key, [{"id": ident, "x": "v"} for ident in ids])
    changed = [make(id=ident, x="w") for ident in ids]
    assert names(key.of_records(changed)) == names(key.of_records(records))
    assert all(
        a != b
        for a, b in zip(
            key.of_records(changed).payloads, key.of_records(records).payloads, strict=True
        )
    )
    assert of(key, changed).key == of(key, records).key
    assert of(key, changed).payload_hash != of(key, records).payload_hash


def test_a_record_by_itself_is_a_batch_of_one():
    """One dict has the key of a list that holds it."""
    key = BusinessKey("id")

    assert of(key, {"id": 7, "x": 1}).key == of(key, [{"id": 7, "x": 1}]).key
    assert triples(key.of_records({"id": 7})) == triples(key.of_records([{"id": 7}]))


def test_names_of_columns_do_not_count_and_their_order_does():
    """A column may be renamed; two columns are not swapped."""
    frame = pd.DataFrame({"a": [1, 2], "b": [2, 1]})
    renamed = frame.rename(columns={"a": "c"})

    assert of(BusinessKey("a"), frame).key == of(BusinessKey("c"), renamed).key
    assert of(BusinessKey("a", "b"), frame).key != of(BusinessKey("b", "a"), frame).key
    assert names(BusinessKey("a", "b").of_records(frame)) != names(
        BusinessKey("b", "a").of_records(frame)
    )


def test_the_order_of_records_counts_in_the_key_of_a_batch():
    """Shuffled records are another batch, of the same records."""
    frame = pd.DataFrame({"id": [1, 2, 3]})
    key = BusinessKey("id")

    assert of(key, frame).key != of(key, frame[::-1]).key
    assert set(names(key.of_records(frame))) == set(names(key.of_records(frame[::-1])))


def test_keys_of_several_columns_are_not_glued():
    """("ab", "c") is not ("a", "bc")."""
    frame = pd.DataFrame({"a": ["ab", "a", "", "abc"], "b": ["c", "bc", "abc", ""]})

    assert len(set(names(BusinessKey("a", "b").of_records(frame)))) == 4
    found = [of(BusinessKey("a", "b"), frame[row : row + 1]).key for row in range(4)]
    assert len(set(found)) == 4


@pytest.mark.parametrize(
    "form", [pd.DataFrame, lambda columns: pd.DataFrame(columns).to_dict("records")]
)
@pytest.mark.parametrize(
    ("columns", "names_of_key", "column", "rows"),
    [
        ({"id": [1.0, None, None]}, ["id"], "id", (1, 2)),
        ({"id": [None, None]}, ["id"], "id", (0, 1)),
        ({"id": ["a", None, 5]}, ["id"], "id", (1,)),
        ({"id": [1, 2], "x": ["a", np.nan]}, ["id", "x"], "x", (1,)),
        ({"id": [None] * 9}, ["id"], "id", (0, 1, 2, 3, 4)),
    ],
    ids=range(5),
)
def test_a_record_without_a_key_is_an_error(form, columns, names_of_key, column, rows):
    """The message and the attributes name the column and the first rows."""
    key, data = BusinessKey(*names_of_key), form(columns)
    functions = [key.of_records]
    if "a" not in columns["id"]:  # a batch needs keys of one type
        functions.append(lambda data: of(key, data))

    for function in functions:
        with pytest.raises(
            MissingKeyError, match=f"no value in the key column '{column}', in rows"
        ) as at:
            function(data)
        assert (at.value.column, at.value.rows) == (column, rows)
        assert isinstance(at.value, KeyError)


def test_a_field_that_some_records_lack_is_an_error():
    """Absent in a few is a value that is missing."""
    with pytest.raises(MissingKeyError, match=r"1 records have no value.* in rows 1") as caught:
        BusinessKey("id").of_records([{"id": 1}, {"x": 1}])

    assert caught.value.rows == (1,)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pd.DataFrame({"order_ids": [1]}), r"'order_id' is not among .*Did you mean 'order_ids'\?"),
        ({"order-id": np.array([1])}, r"Did you mean 'order-id'\?"),
        ([{"orderid": 1}], r"among the columns \['orderid'\]\. Did you mean 'orderid'\?"),
        ([Line(1)], r"among the columns \['id', 'x'\]\.$"),
        ([(1, 2)], r"among the columns \[\]\.$"),
        (5, r"among the columns \[\]\.$"),
        (pd.DataFrame({1: [1]}), r"among the columns \[1\]\.$"),
        (pd.DataFrame(index=range(2)), r"among the columns \[\]\.$"),
        (pd.DataFrame({"x": []}), r"among the columns \['x'\]\.$"),
    ],
    ids=range(9),
)
def test_a_key_column_that_did_not_arrive_is_an_error(data, message):
    """The message says what did, and what is near."""
    for function in (
        BusinessKey("order_id").of_records,
        lambda data: of(BusinessKey("order_id"), data),
    ):
        with pytest.raises(MissingKeyError, match=message) as caught:
            function(data)
        assert (caught.value.column, caught.value.rows) == ("order_id", ())


@pytest.mark.parametrize(
    ("data", "columns", "keys", "rows"),
    [
        ({"id": np.array([7, 8, 7, 9, 8])}, ["id"], ("7", "8"), (0, 1, 2, 4)),
        ([{"id": "a"}, {"id": "a"}], ["id"], ("a",), (0, 1)),
        (pd.DataFrame({"a": [1, 1, 1], "b": ["x", "y", "x"]}), ["a", "b"], ("1, x",), (0, 2)),
        (pd.DataFrame({"id": [2**64, 1, 2**64]}, dtype=object), ["id"], (str(2**64),), (0, 2)),
    ],
    ids=range(4),
)
def test_records_that_share_a_key_are_an_error(data, columns, keys, rows):
    """All keys and rows are named; with keep_first the caller drops repeats of records itself."""
    for function in (
        BusinessKey(*columns).of_records,
        lambda data: of(BusinessKey(*columns), data),
    ):
        with pytest.raises(
            DuplicateKeyError, match=f"{len(rows)} records share {len(keys)} keys"
        ) as at:
            function(data)
        assert (at.value.keys, at.value.rows) == (keys, rows)

    kept = BusinessKey(*columns, duplicates="keep_first")
    assert len(set(names(kept.of_records(data)))) < len(kept.of_records(data).high)
    with pytest.raises(DuplicateKeyError):
        of(kept, data)


def test_rows_that_only_a_checksum_takes_for_one_are_no_duplicates():
    """1 and 1.0 have one checksum and are two keys."""
    data = [{"id": "a", "n": 1}, {"id": "a", "n": 1.0}]

    assert len(set(names(BusinessKey("id", "n").of_records(data)))) == 2


def test_half_of_a_digest_is_not_a_key():
    """Two keys with the same first half are two keys."""
    keys = RowDigests(np.array([1, 1, 1, 2]), np.array([5, 6, 5, 5]))

    assert repeated_rows([("id", ["a", "b", "c", "d"])], keys).tolist() == [0, 2]


def test_two_columns_of_the_name_are_no_key():
    """Which one is meant is not guessed."""
    frame = pd.DataFrame([[1, 2]], columns=["id", "id"])

    with pytest.raises(UnkeyableError, match="2 columns 'id'") as caught:
        of(BusinessKey("id"), frame)
    assert caught.value.column == "id"


@pytest.mark.parametrize(
    ("key", "data", "message", "column"),
    [
        (ContentKey(), pd.DataFrame({"at": pd.to_datetime(["2024-01-01"])}), "column 'at'", "at"),
        (ContentKey(), pd.DataFrame({"t": [[1]]}), "column 't' holds a value of type 'list'", "t"),
        (ContentKey(), [{"x": object()}], r"\[0\]\['x'\]", "x"),
        (BusinessKey("id"), pd.DataFrame({"id": [1, "a"]}), "column 'id' holds int in row 0", "id"),
        (BusinessKey("id"), [{"id": 1, "x": len}], r"\['x'\] holds", "x"),
        (BusinessKey("id"), {"id": np.array([1]), "x": np.array([1, 2])}, "column 'x' has 2", "x"),
    ],
    ids=range(6),
)
def test_what_has_no_canonical_bytes_is_an_error(key, data, message, column):
    """The column is named, and nothing is guessed."""
    with pytest.raises(UnkeyableError, match=message) as caught:
        of(key, data)

    assert caught.value.column == column


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((), {}, r"one or more columns, got \(\)"),
        ((1,), {}, r"one or more columns, got \(1,\)"),
        ((["a"],), {}, "one or more columns"),
        (("a", "a"), {}, "each column once"),
        (("a",), {"duplicates": "drop"}, "'raise' or 'keep_first', got 'drop'"),
    ],
    ids=range(5),
)
def test_nonsense_is_refused(arguments, options, message):
    """A key is complete when it is made."""
    with pytest.raises(BatchError, match=message):
        BusinessKey(*arguments, **options)


@pytest.fixture
def reads(monkeypatch):
    """Count how often a file is read."""
    seen = []
    whole = keys_module._checksum

    def counting(*state):
        seen.append(state)
        return whole(*state)

    monkeypatch.setattr(keys_module, "_checksum", counting)
    return seen


def test_a_file_is_named_by_its_bytes(tmp_path, reads):
    """Not by its name; place and number of records count, and it is read once."""
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    one.write_bytes(b"id\n1\n")
    other.write_bytes(b"id\n1\n")
    key = FileChecksum()
    rows = pd.DataFrame({"id": [1, 2]})
    first = of(key, rows, 0, source=str(one))

    assert first == of(key, rows, 0, source=str(other))
    assert len(reads) == 2
    others = [
        of(key, rows, 2, source=str(one)),
        of(key, rows, None, source=str(one)),
        of(key, rows[:1], 0, source=str(one)),
        of(key, one),
    ]
    assert of(key, one) == of(key, str(one))
    assert len({first.key, *(work.key for work in others)}) == 5
    assert first.payload_hash == b""
    assert len(reads) == 2


def test_a_file_that_changed_is_read_again(tmp_path, reads):
    """Its size, its time of change or its identity tell."""
    path = tmp_path / "today.csv"
    key = FileChecksum()
    path.write_bytes(b"id\n1\n")
    os.utime(path, ns=(0, 10**18))
    found = [of(key, path).key]
    path.write_bytes(b"id\n12\n")
    os.utime(path, ns=(0, 10**18))
    found.append(of(key, path).key)
    path.write_bytes(b"id\n34\n")
    os.utime(path, ns=(0, 10**18 + 1))
    found.append(of(key, path).key)

    assert len(set(found)) == 3
    assert len(reads) == 3
    pickle.loads(pickle.dumps(key)).of_batch(Batch(path, 0))
    assert len(reads) == 4


def test_checksums_are_kept_of_a_few_files_only(tmp_path, reads):
    """Memory is bounded: the file before the last 64 is read again."""
    key = FileChecksum()
    for number in range(66):
        (tmp_path / f"{number}").write_bytes(b"%d" % number)
        of(key, tmp_path / f"{number}")
    of(key, tmp_path / "65")
    assert len(reads) == 66
    of(key, tmp_path / "0")
    assert len(reads) == 67


def test_threads_agree_on_a_file(tmp_path):
    """Many may ask one object at once."""
    path = tmp_path / "today.csv"
    path.write_bytes(b"x" * 100_000)
    key = FileChecksum()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: of(key, path), range(64)))

    assert set(found) == {of(FileChecksum(), path)}


def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path, monkeypatch):
    """Half of the old and half of the new is no content."""
    path = tmp_path / "today.csv"
    path.write_bytes(b"id\n1\n")
    whole = keys_module.file_digest

    def slowly(file, digest):
        found = whole(file, digest)
        with path.open("ab") as writer:
            writer.write(b"2\n")
        return found

    monkeypatch.setattr(keys_module, "file_digest", slowly)
    with pytest.raises(UnkeyableError, match="changed while it was read"):
        of(FileChecksum(), path)


def test_a_batch_without_a_file_has_no_checksum(tmp_path):
    """The message names the keys that would do."""
    with pytest.raises(UnkeyableError, match=r"no path, but a value of type 'list'.* ContentKey"):
        of(FileChecksum(), [1])
    with pytest.raises(FileNotFoundError):
        of(FileChecksum(), tmp_path / "gone.csv")
    with pytest.raises(UnkeyableError, match=r"names batches, not records.*BusinessKey"):
        FileChecksum().of_records([{"id": 1}])


def golden():
    """Return keys that must never change, as text."""
    frame = pd.DataFrame(
        {"id": ["a", "b"], "n": [1.5, None], "at": pd.to_datetime(["2024-05-17"] * 2, utc=True)}
    )
    business = of(BusinessKey("id"), frame)
    return [
        key_text(of(ContentKey(), frame).key),
        key_text(of(ContentKey(), frame, 7).key),
        key_text(of(ContentKey(), [{"id": 1, "tags": {"x", "y"}}]).key),
        key_text(business.key),
        business.payload_hash.hex(),
        str(triples(BusinessKey("id", "at").of_records(frame))),
        str(triples(ContentKey().of_records(frame))),
    ]


# fmt: off
GOLDEN = [
    "k1:4979815be48e51deb6bd06a8e92695f6a8230616fea057a8f003137da8c4da9c",
    "k1:e1ed9d8d033eed9e28a5e192598dfe74ea0099613c5949379b335871ad2d7ddc",
    "k1:67ce2b6813bd3538ea80fa48418292de05b9dfb0627eecd9825849cf0543ee9f",
    "k1:9094b611c8f5408511b0df7a04952811dc998d3085464c10b5d15d274b7aa469",
    "4979815be48e51deb6bd06a8e92695f6a8230616fea057a8f003137da8c4da9c",
    "[(3394745557388013481, -5464474376465156392, -1001717051037837323), (994194065983227734, -1563028464396177966, 6567665628917828584)]",  # noqa: E501 - a value
    "[(-7086225359555327702, -6001855397126532399, 0), (2819721987319513703, 5792985400697995335, 0)]",  # noqa: E501 - a value
]
# fmt: on


def test_keys_of_this_version_never_change():
    """What a ledger holds is known again: on every pandas, with Arrow or without."""
    assert golden() == GOLDEN


def test_keys_do_not_depend_on_the_process():
    """Another seed of Python's own hashes changes nothing."""
    code = "from tests.batch.test_keys import golden\nprint(*golden(), sep='\\n')"
    environ = {**os.environ, "PYTHONHASHSEED": "5"}
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(
        command, env=environ, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == GOLDEN


def test_a_file_checksum_of_this_version_never_changes(tmp_path):
    """Files that were done stay done."""
    path = tmp_path / "today.csv"
    path.write_bytes(b"id\n1\n")

    assert key_text(of(FileChecksum(), [{"id": 1}], 0, source=str(path)).key) == GOLDEN_FILE


GOLDEN_FILE = "k1:9a9a7d6cb09d138aec65be010f13172e9f19ff995f60ad54d8e08e7e4cf41051"
