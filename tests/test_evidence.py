"""Evidence: one plain, immutable form, which survives every way of carrying it."""

from __future__ import annotations

import copy
import enum
import json
import math
import pickle
import re
import string
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.errors import EvidenceError, FormatError
from prodml.evidence import (
    ConfidenceInterval,
    Evidence,
    EvidenceTable,
    Labels,
    collect_evidence,
    worst_verdict,
)

NUMBERS = st.one_of(
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False),
    st.sampled_from([0.0, -0.0, 1.0, 2.0**53, -1e300, math.inf, -math.inf, 5e-324]),
)
TEXTS = st.text(st.characters(exclude_categories=()), max_size=8)  # lone surrogates too
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True)
LABELS = st.dictionaries(
    st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,4}", fullmatch=True), TEXTS, max_size=3
)
MOMENTS = st.datetimes(
    datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.just(timezone(timedelta(hours=5)))
)
CELLS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
JSON = st.one_of(
    CELLS,
    st.lists(CELLS, max_size=2),
    st.dictionaries(st.sampled_from(["low", "high", "columns", "rows"]), CELLS),
)


@st.composite
def intervals(draw):
    """Draw a confidence interval."""
    low, high = sorted([draw(NUMBERS), draw(NUMBERS)])
    level = draw(st.floats(0, 1, exclude_min=True, exclude_max=True))
    return ConfidenceInterval(low=low, high=high, confidence_level=level)


@st.composite
def tables(draw):
    """Draw a small table."""
    n_rows = draw(st.integers(0, 4))
    names = draw(st.lists(TEXTS, max_size=3, unique=True))
    return EvidenceTable({name: [draw(CELLS) for _ in range(n_rows)] for name in names})


@st.composite
def pieces(draw):
    """Draw any evidence at all."""
    measured = draw(st.booleans())
    optional = {
        "n": st.integers(0, 10**20),
        "threshold": NUMBERS,
        "basis": TEXTS,
        "method": TEXTS,
        "reason": TEXTS,
        "subject": TEXTS,
        "at": MOMENTS,
        "table": tables(),
        "verdict": st.sampled_from(["pass", "warn", "fail", "inconclusive"][not measured :]),
        **({"confidence_interval": intervals()} if measured else {}),
    }
    status = ["ok", "small"] if measured else ["insufficient_data", "not_estimable"]
    return Evidence(
        kind=draw(NAMES),
        metric=draw(NAMES),
        value=draw(NUMBERS) if measured else None,
        status=draw(st.sampled_from(status)),
        labels=draw(LABELS),
        **draw(st.fixed_dictionaries({}, optional=optional)),
    )


def evidence(**changes):
    """Return some evidence, with changes."""
    return Evidence(**{"kind": "drift", "metric": "psi", "value": 0.5, **changes})


class TestCarrying:
    """Evidence goes through files, queues and processes, and arrives as it was."""

    @given(pieces())
    def test_json_restores_it(self, one):
        """What was written is read, byte for byte the same when written again."""
        text = one.to_json()

        assert Evidence.from_json(text) == one
        assert Evidence.from_json(text.encode()) == one
        assert Evidence.from_json(text).to_json() == text

    @given(pieces())
    def test_json_is_for_everybody(self, one):
        """The text is ASCII and strict JSON: any reader takes it, whatever the data held."""
        text = one.to_json()

        assert text.isascii()
        json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))

    @given(pieces())
    def test_a_dict_restores_it(self, one):
        """A dict of plain values holds all of it."""
        assert Evidence.from_dict(one.to_dict()) == one

    @given(pieces())
    def test_pickle_and_copy_restore_it(self, one):
        """It goes to a worker process and back."""
        assert pickle.loads(pickle.dumps(one)) == one
        assert copy.deepcopy(one) == one
        assert hash(pickle.loads(pickle.dumps(one))) == hash(one)

    @given(pieces(), pieces())
    def test_equal_means_equal_json_and_equal_hash(self, one, other):
        """JSON is canonical: it can be compared and digested in place of the evidence."""
        assert (one == other) == (one.to_json() == other.to_json())
        if one == other:
            assert hash(one) == hash(other)

    @given(NUMBERS, NUMBERS)
    def test_numbers_are_equal_when_their_json_is(self, left, right):
        """1 and 1.0 are the same measurement, and so are 0.0 and -0.0."""
        one, other = evidence(value=left), evidence(value=right)

        assert (one == other) == (one.to_json() == other.to_json()) == (left == right)

    @pytest.mark.parametrize(
        ("value", "written"),
        [(1.0, "1"), (-0.0, "0"), (0.1, "0.1"), (2.0**53, "9007199254740992"), (1e300, "1e+300"),
         (math.inf, '"Infinity"'), (-math.inf, '"-Infinity"')],
    )  # fmt: skip
    def test_a_number_is_written_in_one_way(self, value, written):
        """Whole numbers are written as such, infinities as words, which JSON lacks."""
        assert f'"value":{written}' in evidence(value=value).to_json()

    def test_json_is_pinned(self):
        """The form on disk does not change unnoticed."""
        one = evidence(
            n=7,
            labels={"b": "é", "a": "x"},
            confidence_interval=ConfidenceInterval(low=-math.inf, high=1),
            verdict="warn",
            threshold=0.2,
            at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1))),
            table=EvidenceTable({"share": [0.5, math.inf], "bin": ["a", "Infinity"]}),
        )

        assert one.to_json() == (
            '{"at":"2026-01-02T02:04:05+00:00",'
            '"confidence_interval":{"confidence_level":0.95,"high":1,"low":"-Infinity"},'
            '"kind":"drift","labels":{"a":"x","b":"\\u00e9"},"metric":"psi","n":7,"status":"ok",'
            '"table":{"columns":["share","bin"],"rows":[[0.5,"a"],[{"number":"Infinity"},"Infinity"]]},'
            '"threshold":0.2,"value":0.5,"verdict":"warn"}'
        )

    def test_fields_that_say_nothing_are_left_out(self):
        """A reader is not shown what was not measured."""
        assert evidence().to_dict() == {
            "kind": "drift", "metric": "psi", "value": 0.5, "status": "ok",
        }  # fmt: skip


class TestContradictions:
    """What contradicts itself cannot be made, and the error says which field is at fault."""

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"kind": "Drift"}, "kind"),
            ({"kind": ""}, "kind"),
            ({"kind": 5}, "kind"),
            ({"metric": "psi!"}, "metric"),
            ({"metric": "1psi"}, "metric"),
            ({"metric": "psi\n"}, "metric"),
            ({"value": math.nan}, "value"),
            ({"value": np.float32("nan")}, "value"),
            ({"value": "0.5"}, "value"),
            ({"value": True}, "value"),
            ({"value": np.bool_(True)}, "value"),
            ({"value": np.array([0.5])}, "value"),
            ({"value": Decimal("0.5")}, "value"),
            ({"value": pd.NA}, "value"),
            ({"value": 10**400}, "value"),
            ({"value": None}, "status"),
            ({"status": "insufficient_data"}, "status"),
            ({"status": "fine"}, "status"),
            ({"value": None, "status": "not_estimable", "verdict": "pass"}, "verdict"),
            ({"verdict": "good"}, "verdict"),
            ({"verdict": ["pass"]}, "verdict"),
            ({"threshold": math.nan}, "threshold"),
            ({"threshold": "high"}, "threshold"),
            ({"n": -1}, "n"),
            ({"n": 1.0}, "n"),
            ({"n": True}, "n"),
            ({"n": math.nan}, "n"),
            ({"labels": {"a b": "x"}}, "labels"),
            ({"labels": {"1a": "x"}}, "labels"),
            ({"labels": {"__name__": "x"}}, "labels"),
            ({"labels": {"a\n": "x"}}, "labels"),
            ({"labels": {1: "x"}}, "labels"),
            ({"labels": {"a": 1}}, "labels"),
            ({"labels": {"a": None}}, "labels"),
            ({"labels": "a"}, "labels"),
            ({"basis": 1}, "basis"),
            ({"method": math.nan}, "method"),
            ({"reason": b"x"}, "reason"),
            ({"subject": ["x"]}, "subject"),
            ({"at": datetime(2026, 1, 1)}, "at"),
            ({"at": "2026-01-01"}, "at"),
            ({"at": pd.NaT}, "at"),
            ({"at": datetime.max.replace(tzinfo=timezone(-timedelta(hours=1)))}, "at"),
            ({"confidence_interval": (0, 1)}, "confidence_interval"),
            ({"table": {"a": [1]}}, "table"),
            (
                {
                    "value": None,
                    "status": "insufficient_data",
                    "confidence_interval": ConfidenceInterval(low=0, high=1),
                },
                "confidence_interval",
            ),
        ],
    )
    def test_evidence(self, changes, field):
        """NaN never hides in it, and an unmeasured value never passes."""
        with pytest.raises(EvidenceError, match=f"`{field}") as caught:
            evidence(**changes)
        assert caught.value.field == field

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"low": math.nan}, "confidence_interval.low"),
            ({"high": None}, "confidence_interval.high"),
            ({"low": 2}, "confidence_interval"),
            ({"confidence_level": 0}, "confidence_interval.confidence_level"),
            ({"confidence_level": 1}, "confidence_interval.confidence_level"),
            ({"confidence_level": 95}, "confidence_interval.confidence_level"),
        ],
    )
    def test_interval(self, changes, field):
        """Ends are numbers in order, and the level is a share."""
        with pytest.raises(EvidenceError) as caught:
            ConfidenceInterval(**{"low": 0, "high": 1, **changes})
        assert caught.value.field == field

    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            ({"a": [1], "b": [1, 2]}, "different lengths"),
            ({"a": [0] * 1001}, "1001 rows"),
            ({"a": [math.nan]}, "NaN"),
            ({"a": [np.float64("nan")]}, "NaN"),
            ({"a": [[1]]}, "holds list"),
            ({"a": [b"x"]}, "holds bytes"),
            ({"a": [datetime(2026, 1, 1)]}, "holds datetime"),
            ({"a": [np.array([1, 2])]}, "holds ndarray"),
            ({"a": [pd.NA]}, "holds NAType"),
            ({"a": "text"}, "must be a list of cells, got str"),
            ({"a": 5}, "must be a list of cells, got int"),
            ({1: [1]}, "must be text, got int"),
            ([1, 2], "must map names to columns"),
        ],
    )
    def test_table(self, columns, message):
        """A table is small and rectangular, and JSON holds its cells."""
        with pytest.raises(EvidenceError, match=message) as caught:
            EvidenceTable(columns)
        assert caught.value.field.startswith("table")

    def test_the_error_pickles(self):
        """It survives a worker process with its facts."""
        with pytest.raises(EvidenceError) as caught:
            evidence(n=-1)

        restored = pickle.loads(pickle.dumps(caught.value))
        assert (str(restored), restored.field) == (str(caught.value), "n")


class TestPlainForm:
    """Whatever library a value came from, evidence holds the builtin."""

    @pytest.mark.parametrize(
        "value",
        [np.float64(0.5), np.float32(0.5), np.float16(0.5), np.longdouble(0.5), np.array(0.5)],
    )
    def test_floats_of_numpy(self, value):
        """Numpy's floats become Python's."""
        assert type(evidence(value=value).value) is float
        assert evidence(value=value) == evidence()

    @pytest.mark.parametrize(
        "value", [np.int64(3), np.uint8(3), np.array(3), enum.IntEnum("E", {"A": 3}).A]
    )
    def test_integers(self, value):
        """Numpy's integers become Python's, and so do members of an Enum."""
        one = evidence(value=value, n=value, threshold=value)

        assert [type(number) for number in (one.value, one.n, one.threshold)] == [int] * 3
        assert one.value == one.n == one.threshold == 3

    def test_integers_that_readers_of_json_disagree_on_become_floats(self):
        """Beyond 2**53 a whole number is a float in most of the world; a count stays exact."""
        one = evidence(value=2**53 + 1, n=2**53 + 1)

        assert type(one.value) is float
        assert one.n == 2**53 + 1

    def test_text(self):
        """Text of other types becomes str: that of numpy, and members of an Enum."""
        word = enum.Enum("Word", {"A": "a"}, type=str).A
        one = evidence(kind=np.str_("drift"), method=word, labels={np.str_("x"): word})

        texts = [one.kind, one.method, *one.labels, *one.labels.values()]
        assert texts == ["drift", "a", "x", "a"]
        assert {type(text) for text in texts} == {str}

    @pytest.mark.parametrize(
        "at",
        [
            datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
            pd.Timestamp("2026-01-01 00:00:00.000000999", tz="UTC"),
            pd.Timestamp("2025-12-31 19:00", tz="America/New_York"),
        ],
    )
    def test_moments(self, at):
        """Moments are held in UTC, as a plain datetime."""
        one = evidence(at=at)

        assert type(one.at) is datetime
        assert one.at == datetime(2026, 1, 1, tzinfo=UTC)
        assert one.at.tzinfo is UTC

    def test_table_cells(self):
        """Cells are builtins, and booleans stay booleans."""
        cells = [
            np.int64(1),
            np.float32(0.5),
            np.bool_(True),
            np.str_("a"),
            None,
            True,
            1,
            math.inf,
        ]

        held = EvidenceTable({"a": cells}).columns["a"]

        assert held == (1, 0.5, True, "a", None, True, 1, math.inf)
        assert [type(cell) for cell in held] == [
            int, float, bool, str, type(None), bool, int, float,
        ]  # fmt: skip

    def test_tables_differ_by_order_and_by_type(self):
        """The order of columns is meant, and true is not 1: as JSON has it."""
        table = EvidenceTable({"a": [1], "b": [2]})

        assert table == EvidenceTable({"a": [1.0], "b": [2]})
        assert hash(table) == hash(EvidenceTable({"a": [1.0], "b": [2]}))
        assert table != EvidenceTable({"b": [2], "a": [1]})
        assert table != EvidenceTable({"a": [True], "b": [2]})
        assert table != {"a": (1,), "b": (2,)}

    def test_the_order_of_columns_survives_json(self):
        """A table is drawn as it was made."""
        one = evidence(table=EvidenceTable({"bin": ["a"], "after": [1], "before": [2]}))

        assert list(Evidence.from_json(one.to_json()).table.columns) == ["bin", "after", "before"]

    @pytest.mark.parametrize(("columns", "n_rows"), [({}, 0), ({"a": []}, 0), ({"a": [1, 2]}, 2)])
    def test_a_table_knows_its_length(self, columns, n_rows):
        """An empty one as well, which survives JSON."""
        table = EvidenceTable(columns)

        assert table.n_rows == n_rows
        assert Evidence.from_json(evidence(table=table).to_json()).table == table


class TestImmutable:
    """What has been stated does not change."""

    def test_nothing_can_be_set(self):
        """Neither fields, nor labels, nor the columns of a table."""
        one = evidence(labels={"a": "x"}, table=EvidenceTable({"a": [1]}))

        with pytest.raises(AttributeError):
            one.value = 1
        with pytest.raises(TypeError):
            one.labels["a"] = "y"
        with pytest.raises(AttributeError, match="cannot be changed"):
            one.labels._items = {}
        with pytest.raises(AttributeError, match="cannot be changed"):
            del one.labels._items
        with pytest.raises(TypeError):
            one.table.columns["a"] = (2,)

    def test_later_changes_to_what_it_was_made_of_are_not_seen(self):
        """Labels and tables are copied."""
        labels, cells = {"a": "x"}, [1]
        columns = {"a": cells}
        one = evidence(labels=labels, table=EvidenceTable(columns))
        labels["a"] = "y"
        cells.append(2)
        columns["b"] = []

        assert dict(one.labels) == {"a": "x"}
        assert dict(one.table.columns) == {"a": (1,)}


class TestSeries:
    """The address is written as Prometheus writes it, whatever the labels hold."""

    @given(st.dictionaries(st.sampled_from("abcd"), TEXTS, max_size=3))
    def test_labels_can_be_read_back(self, labels):
        """Unescaped by the rules of the exposition format, the values are what they were."""
        series = evidence(labels=labels).series

        pairs = re.findall(r'([a-z])="((?:[^"\\\n]|\\["\\n])*)"', series)
        unescaped = {
            name: re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], value)
            for name, value in pairs
        }
        assert unescaped == labels
        body = ",".join(f'{name}="{value}"' for name, value in pairs)
        assert series == ("drift_psi{" + body + "}" if labels else "drift_psi")

    def test_labels_are_sorted(self):
        """Their order makes no difference, neither to the address nor to equality."""
        one, other = evidence(labels={"b": "2", "a": "1"}), evidence(labels={"a": "1", "b": "2"})

        assert one.series == 'drift_psi{a="1",b="2"}' == other.series
        assert (one, hash(one)) == (other, hash(other))

    def test_hostile_labels_stay_in_their_place(self):
        """A value cannot close its quotes and add a label of its own."""
        series = evidence(labels={"a": 'x",b="y\\\n'}).series

        assert series == r'drift_psi{a="x\",b=\"y\\\n"}'

    @pytest.mark.parametrize(
        ("changes", "shown"),
        [
            ({}, "Evidence drift_psi = 0.5"),
            ({"verdict": "warn"}, "Evidence drift_psi = 0.5 -> warn"),
            ({"reason": "why"}, "Evidence drift_psi = 0.5 (ok: why)"),
            ({"status": "small"}, "Evidence drift_psi = 0.5 (small)"),
            (
                {"value": None, "status": "not_estimable", "verdict": "inconclusive"},
                "Evidence drift_psi = None (not_estimable) -> inconclusive",
            ),
        ],
    )
    def test_repr_is_a_line_for_people(self, changes, shown):
        """Address, value, and what there is to say about it."""
        assert repr(evidence(**changes)) == shown


class TestReading:
    """Whatever is read as evidence and is none is refused, never half understood."""

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "Not JSON"),
            ("{", "Not JSON"),
            (b"\xff\xfe\x00", "Not JSON"),
            ("[]", "JSON object, got list"),
            ("5", "JSON object, got int"),
            ("{}", r"lacks the fields \['kind', 'metric', 'value'\]"),
            ('{"kind":"a","metric":"b","value":1,"colour":"red"}', r"no fields \['colour'\]"),
            ('{"kind":"a","metric":"b","value":1,"at":5}', "'at' that is damaged"),
            ('{"kind":"a","metric":"b","value":1,"at":"noon"}', "'at' that is damaged"),
            ('{"kind":"a","metric":"b","value":1,"table":5}', "'table' that is damaged"),
            ('{"kind":"a","metric":"b","value":1,"table":{"rows":[]}}', "'table' that is damaged"),
            (
                '{"kind":"a","metric":"b","value":1,"table":{"columns":["x"],"rows":[[1,2]]}}',
                "its rows do not fit its columns",
            ),
            (
                '{"kind":"a","metric":"b","value":1,"table":{"columns":["x","x"],"rows":[]}}',
                "its rows do not fit its columns",
            ),
            (
                '{"kind":"a","metric":"b","value":1,"table":{"columns":["x"],"rows":[[{"number":1}]]}}',
                "'table' that is damaged",
            ),
            (
                '{"kind":"a","metric":"b","value":1,"confidence_interval":5}',
                "'confidence_interval' that is damaged",
            ),
            (
                '{"kind":"a","metric":"b","value":1,"confidence_interval":{"low":0}}',
                "'confidence_interval' that is damaged",
            ),
        ],
    )
    def test_other_json(self, text, message):
        """The error says what is wrong with it."""
        with pytest.raises(FormatError, match=message):
            Evidence.from_json(text)

    @pytest.mark.parametrize(
        "text",
        [
            '{"kind":"a","metric":"b","value":NaN}',
            '{"kind":"a","metric":"b","value":"high"}',
            '{"kind":"a","metric":"b","value":null}',
            '{"kind":"a","metric":"b","value":1,"labels":[]}',
            '{"kind":"a","metric":"b","value":1,"n":1.5}',
            '{"kind":"a","metric":"b","value":1,"confidence_interval":{"low":2,"high":1}}',
            '{"kind":"a","metric":"b","value":1,"table":{"columns":["x"],"rows":[[[]]]}}',
        ],
    )
    def test_json_that_contradicts_itself(self, text):
        """Reading refuses what making refuses."""
        with pytest.raises(EvidenceError):
            Evidence.from_json(text)

    @given(st.dictionaries(st.sampled_from([*Evidence.__dataclass_fields__, "x"]), JSON))
    def test_any_dict_is_read_or_refused(self, content):
        """Nothing else than FormatError and EvidenceError comes out of reading."""
        try:
            one = Evidence.from_dict(content)
        except (FormatError, EvidenceError):
            return
        assert Evidence.from_dict(one.to_dict()) == one


class TestVerdicts:
    """Of several verdicts the gravest decides."""

    ORDER = ("pass", "warn", "inconclusive", "fail")

    @given(st.lists(st.sampled_from([*ORDER, None])))
    def test_the_worst_is_that_of_a_plain_search(self, verdicts):
        """Fail before inconclusive, warn and pass; None has no say."""
        expected = None
        for one in verdicts:
            if one is not None and (
                expected is None or self.ORDER.index(one) > self.ORDER.index(expected)
            ):
                expected = one

        assert worst_verdict(verdicts) == expected

    @given(st.lists(st.sampled_from([*ORDER, None])), st.lists(st.sampled_from([*ORDER, None])))
    def test_parts_give_what_the_whole_gives(self, left, right):
        """Verdicts of parts can be combined, in any order."""
        parts = worst_verdict([worst_verdict(left), worst_verdict(right)])

        assert parts == worst_verdict(left + right) == worst_verdict(right + left)

    def test_what_is_no_verdict_is_refused(self):
        """A misspelt verdict does not silently pass."""
        with pytest.raises(EvidenceError, match="got 'passed'"):
            worst_verdict(["pass", "passed"])


class TestCollecting:
    """Readers take results, pieces and lists of them alike."""

    class Report:
        def __init__(self, *pieces):
            self.pieces = pieces

        def to_evidence(self):
            """Return the pieces."""
            return self.pieces

    def test_nested_lists_are_flattened_in_order(self):
        """Results, evidence, lists, tuples and generators may be mixed."""
        a, b, c = (evidence(value=value) for value in (1, 2, 3))

        found = collect_evidence(self.Report(a, b), [c, (self.Report(a), [])], (x for x in [b]))

        assert found == (a, b, c, a, b)

    @pytest.mark.parametrize("thing", [5, "text", b"text", {"a": 1}, None, [1]])
    def test_anything_else_is_refused(self, thing):
        """The error names the type that has no evidence to give."""
        with pytest.raises(
            TypeError, match=r"(int|str|bytes|dict|NoneType) has no to_evidence\(\)"
        ):
            collect_evidence(thing)


class TestLabels:
    """Labels are a mapping like any other, except that they cannot change."""

    @given(LABELS)
    def test_they_equal_the_mapping_they_were_made_of(self, labels):
        """In content, not in order."""
        held = Labels(labels)

        assert held == labels
        assert list(held) == sorted(labels)
        assert len(held) == len(labels)
        assert {held: 1}[Labels(dict(reversed(labels.items())))] == 1
        assert pickle.loads(pickle.dumps(held)) == held

    def test_they_say_what_they_are(self):
        """The repr can be pasted."""
        assert repr(Labels({"b": "2", "a": "1"})) == "Labels({'a': '1', 'b': '2'})"
        assert Labels() == {}

    @pytest.mark.parametrize("name", [*string.ascii_letters, "_", "a_1"])
    def test_prometheus_names_are_allowed(self, name):
        """One underscore may begin a name."""
        assert list(Labels({name: ""})) == [name]
