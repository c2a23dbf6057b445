"""Results: which column a reason belongs to, what its value was, and what is handed on."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from prodml._core.arrow_text import has_arrow
from prodml._core.column_building import column_from_values
from prodml._core.columns import python_values
from prodml.contracts import Contract, Unique, Violation
from prodml.contracts.violation import describe_violations, nearest_name, shorten
from prodml.errors import DuplicateColumnError, RecordRejectedError
from prodml.testing import FakeClock, check_evidence_source

from .corpus import columns


class Line(BaseModel):
    """Nested in an order."""

    sku: str
    count: int = Field(ge=1)


class Order(BaseModel):
    """With a name of its own for what arrives, and lines below it."""

    id: int = Field(alias="Order No.")
    lines: list[Line] = []
    note: str | None = Field(default=None, validation_alias=AliasChoices("note", "Remark"))


CONTRACT = Contract(Order, name="orders", version="3", key="id")


def reasons(result: Any) -> list[tuple[Any, ...]]:
    """Return where, what and which value, of every violation."""
    return [(one.row, one.column, one.rule, one.value) for one in result.iter_violations()]


class TestViolations:
    """One row a violation, in the order of the rows."""

    def test_a_nested_value_is_found_in_its_column(self) -> None:
        """The path is dotted, and the value is that of the column as it arrived."""
        lines = [[{"sku": "a", "count": 0}], [], [{"sku": "b", "count": 1}, {"count": "x"}]]
        frame = pd.DataFrame({"Order No.": [1, 2, 3], "lines": lines})

        result = CONTRACT.validate_frame(frame)

        assert reasons(result) == [
            (0, "lines.0.count", "greater_than_equal", lines[0]),
            (2, "lines.1.sku", "missing", lines[2]),
            (2, "lines.1.count", "int_parsing", lines[2]),
        ]
        assert result.summary.n_failed == {"lines": 2}
        assert result.quality["lines"].validity == pytest.approx(1 / 3)

    def test_values_are_shown_as_they_arrived(self) -> None:
        """Not as plain values, nor as what pydantic made of them."""
        stamp = pd.Timestamp("2026-01-01", tz="UTC")
        frame = pd.DataFrame({"Order No.": pd.Series([stamp, np.float64(1.5), "x"], dtype=object)})

        values = CONTRACT.validate_frame(frame).violations["value"]

        assert values.tolist() == [stamp, 1.5, "x"]
        assert values.dtype == object

    def test_the_key_stands_beside_each(self) -> None:
        """As text, None where the row has none; under whatever name it arrived."""
        frame = pd.DataFrame({"Order No.": [7, None, 9], "Remark": [1, 2, "fine"]})

        result = CONTRACT.validate_frame(frame)

        assert list(result.violations.columns) == [
            "row", "column", "rule", "message", "key", "value",
        ]  # fmt: skip
        assert result.violations["key"].tolist() == ["7.0", None, None]
        assert result.violations["column"].tolist() == ["Remark", "Order No.", "Remark"]
        assert result.violations["value"].tolist()[0] == 1

    def test_a_key_that_did_not_arrive(self) -> None:
        """Is None for all."""
        result = CONTRACT.validate_frame(pd.DataFrame({"note": ["a", "b"]}))

        assert result.violations["key"].tolist() == [None, None]
        assert reasons(result) == [
            (0, "Order No.", "missing", None),
            (1, "Order No.", "missing", None),
        ]

    def test_positions_count_on_from_the_first_row(self) -> None:
        """A chunk of a stream says where its rows stand in the source."""
        frame = pd.DataFrame({"Order No.": [1, "x"]})

        result = CONTRACT.validate_frame(frame, first_row=100)

        assert result.violations["row"].tolist() == [101]
        assert result.rejected_positions.tolist() == [1]
        assert result.to_rejections().positions.tolist() == [101]

    def test_the_first_few_may_do(self) -> None:
        """A limit keeps a report short."""
        result = CONTRACT.validate_frame(pd.DataFrame({"Order No.": ["x"] * 9}))

        assert [one.row for one in result.iter_violations(2)] == [0, 1]
        assert len(result.iter_violations()) == 9
        assert result.iter_violations(0) == []

    def test_words_are_held_once(self) -> None:
        """A million violations of a rule take a million small numbers."""
        frame = pd.DataFrame({"Order No.": ["x"] * 1000, "note": [1] * 1000})

        found = CONTRACT.validate_frame(frame).violations

        for name in ("column", "rule", "message"):
            assert isinstance(found[name].dtype, pd.CategoricalDtype)
            assert len(found[name].cat.categories) == 2

    def test_rejected_values_that_share_their_words_beyond_a_nul(self) -> None:
        """Messages are told apart to their end."""

        class Row(BaseModel):
            a: int

            @model_validator(mode="before")
            @classmethod
            def _speak(cls, content: Any) -> Any:
                message = f"x\x00{content['a']}"
                raise ValueError(message)

        found = Contract(Row).validate_frame(pd.DataFrame({"a": [1, 2]})).violations

        assert found["message"].tolist() == ["Value error, x\x001", "Value error, x\x002"]


class TestNames:
    """Fields, aliases and columns are kept apart, however they are called."""

    def test_aliases_that_swap_names(self) -> None:
        """Field a is read from column b, and the other way round."""

        class Swapped(BaseModel):
            a: int = Field(alias="b")
            b: int = Field(alias="a")

        frame = pd.DataFrame({"a": [1, "x", "y"], "b": [1, 2, 3]})
        contract = Contract(Swapped, checks=[Unique("a")], key="a")

        result = contract.validate_frame(frame)

        assert result.accepted.to_dict("list") == {"a": [1], "b": [1]}
        assert [one[1:] for one in reasons(result)] == [
            ("a", "int_parsing", "x"), ("a", "int_parsing", "y"),
        ]  # fmt: skip
        assert result.summary.n_failed == {"a": 2}
        assert result.violations["key"].tolist() == ["2", "3"]

    def test_reasons_that_name_fields_find_the_column_all_the_same(self) -> None:
        """With loc_by_alias=False pydantic speaks of the field, though a column is called so."""

        class Row(BaseModel):
            model_config = ConfigDict(loc_by_alias=False)
            a: int = Field(alias="A")

        frame = pd.DataFrame({"a": ["no", "no"], "A": ["x", 1]})
        contract = Contract(Row)

        result = contract.validate_frame(frame)

        assert reasons(result) == [(0, "a", "int_parsing", "x")]
        with pytest.raises(RecordRejectedError) as caught:
            contract.validate_record({"A": "x"})
        assert caught.value.violations[0].value == "x"

    def test_a_column_named_like_a_field_that_is_read_from_elsewhere(self) -> None:
        """It is one column too many, and never the field."""

        class Row(BaseModel):
            model_config = ConfigDict(extra="allow")
            a: int = Field(default=5, alias="A")

        contract = Contract(Row)

        assert contract.validate_frame(pd.DataFrame({"a": [1, 2]})).accepted["a"].tolist() == [5, 5]
        both = pd.DataFrame({"a": [1, 2], "A": [3, 4], "z": ["x", "y"]})
        assert contract.validate_frame(both).accepted.to_dict("list") == {
            "a": [3, 4], "z": ["x", "y"],
        }  # fmt: skip

    def test_a_label_that_cannot_be_compared(self) -> None:
        """Pandas' NA is a label like any other."""
        frame = pd.DataFrame(
            [[0, 1, "n"]], columns=pd.Index([pd.NA, "Order No.", "note"], dtype=object)
        )

        result = CONTRACT.validate_frame(frame)

        assert result.accepted.to_dict("list") == {"id": [1], "lines": [[]], "note": ["n"]}

    def test_columns_beyond_the_contract_are_refused_once_each(self) -> None:
        """Even those that stand there twice."""

        class Row(BaseModel):
            model_config = ConfigDict(extra="forbid")
            a: int

        frame = pd.DataFrame([[1, 2, 3, 4]], columns=["a", "x", "x", "y"])

        assert reasons(Contract(Row).validate_frame(frame)) == [
            (0, "x", "extra_forbidden", 2), (0, "y", "extra_forbidden", 4),
        ]  # fmt: skip

    def test_a_column_that_a_rule_over_rows_does_not_see_may_repeat(self) -> None:
        """A validator of the model sees its fields, and nothing else of the row."""

        class Row(BaseModel):
            a: int

            @model_validator(mode="after")
            def _look(self) -> Any:
                return self

        frame = pd.DataFrame([[1, 2, 3]], columns=["a", "x", "x"])

        assert Contract(Row).validate_frame(frame).accepted["a"].tolist() == [1]

    def test_a_column_that_would_be_kept_must_not_repeat(self) -> None:
        """One of the two would be lost."""

        class Row(BaseModel):
            model_config = ConfigDict(extra="allow")
            a: int

        frame = pd.DataFrame([[1, 2, 3]], columns=["a", "x", "x"])

        with pytest.raises(DuplicateColumnError, match=r"\['x'\]") as caught:
            Contract(Row).validate_frame(frame)
        assert caught.value.columns == ("x",)

    def test_a_rule_over_rows_sees_the_columns_that_the_model_keeps(self) -> None:
        """And they come through."""

        class Row(BaseModel):
            model_config = ConfigDict(extra="allow")
            a: int

            @model_validator(mode="after")
            def _look(self) -> Any:
                assert self.x  # type: ignore[attr-defined]
                return self

        frame = pd.DataFrame({"a": [1, 2], "x": [0, 5]})

        assert Contract(Row).validate_frame(frame).accepted.to_dict("list") == {"a": [2], "x": [5]}

    def test_a_check_of_a_column_that_did_not_arrive(self) -> None:
        """Every row is rejected already."""

        class Row(BaseModel):
            a: int

        result = Contract(Row, checks=[Unique("a")]).validate_frame(pd.DataFrame({"x": [1, 2]}))

        assert [one[2] for one in reasons(result)] == ["missing", "missing"]


class TestDtypes:
    """A column has one dtype, whatever a chunk happens to hold."""

    @pytest.mark.parametrize(
        ("kind", "dtypes"),
        [
            (int, "iu"), (float, "f"), (bool, "b"), (str, "OU"), (datetime, "M"), (timedelta, "m"),
        ],
    )  # fmt: skip
    def test_the_dtype_suits_the_field(self, kind: Any, dtypes: str) -> None:
        """Whatever dtype the values came in, unless they do not fit into theirs."""
        model: Any = type("Row", (BaseModel,), {"__annotations__": {"a": kind}})
        contract = Contract(model)
        for label, column in columns(arrow=has_arrow()):
            accepted = contract.validate_frame(pd.DataFrame({"a": column})).accepted["a"]
            values = python_values(accepted.array)
            best = column_from_values(values, kind.__name__)
            if str(best.dtype) != "object" or kind is str:
                assert accepted.dtype.kind in dtypes, (label, accepted.dtype)
            if kind is str and label in {"text_object", "odd", "text_padded"}:
                assert str(accepted.dtype) == str(best.dtype), label

    @pytest.mark.parametrize(
        ("kind", "good", "dtype"),
        [
            (int, "1", "int64"),
            (float, "1.5", "float64"),
            (bool, "true", "bool"),
            (int | None, "1", "Int64"),
            (bool | None, "true", "boolean"),
            (datetime, "2026-01-01", "datetime64[us]"),
        ],
    )
    @pytest.mark.parametrize("cells", [["good"], ["bad"], ["good", "bad"], []])
    def test_chunks_fit_together(self, kind: Any, good: str, dtype: str, cells: list[str]) -> None:
        """Where everything is rejected, too."""
        model: Any = type("Row", (BaseModel,), {"__annotations__": {"a": kind}})
        column = pd.Series([good if cell == "good" else "no such" for cell in cells], dtype=object)

        accepted = Contract(model).validate_frame(pd.DataFrame({"a": column})).accepted

        assert accepted["a"].dtype == dtype
        assert len(accepted) == cells.count("good")

    def test_defaults_are_the_rows_own(self) -> None:
        """A list that a row changes is not that of another, and a factory is asked for each."""

        class Row(BaseModel):
            a: int
            tags: list[str] = []
            at: datetime = Field(default_factory=lambda: datetime.now(UTC))
            size: int = 3

        accepted = Contract(Row).validate_frame(pd.DataFrame({"a": [1, 2]})).accepted
        accepted["tags"].iloc[0].append("x")

        assert accepted["tags"].tolist() == [["x"], []]
        assert accepted["at"].notna().all()
        assert accepted["size"].dtype == "int64"


class TestHandingOn:
    """What a queue, a card and a notebook are given."""

    FRAME = pd.DataFrame({"Order No.": [1, "x", 3], "note": ["a", 5, 6]}, index=["r", "s", "t"])

    def test_rejections(self) -> None:
        """Rows as they arrived, with reasons by number."""
        handed = CONTRACT.validate_frame(self.FRAME, first_row=10).to_rejections()

        assert handed.to_rejections() is handed
        assert (handed.contract, handed.n_rows, len(handed), handed.first_row) == (
            "orders",
            3,
            2,
            10,
        )
        assert handed.contract_fingerprint == CONTRACT.fingerprint
        assert handed.positions.tolist() == [11, 12]
        assert handed.keys == ["x", "3"]
        assert handed.frame.equals(self.FRAME.iloc[1:])
        pairs = zip(handed.reason_rows.tolist(), handed.reason_ids.tolist(), strict=True)
        assert [(row, handed.reasons[at].column) for row, at in pairs] == [
            (0, "Order No."), (0, "note"), (1, "note"),
        ]  # fmt: skip
        again = pickle.loads(pickle.dumps(handed))
        assert again.reasons == handed.reasons
        assert again.frame.equals(handed.frame)

    def test_rejections_without_a_key(self) -> None:
        """None, not a list of them."""
        handed = Contract(Order).validate_frame(self.FRAME).to_rejections()

        assert handed.keys is None
        assert "key" not in Contract(Order).validate_frame(self.FRAME).violations

    def test_evidence_without_rows(self) -> None:
        """The same pieces as with rows, none of which could be measured."""
        contract = Contract(Order, checks=[Unique("id")], clock=FakeClock())
        empty, full = (
            {one.series: one for one in check_evidence_source(contract.validate_frame(frame))}
            for frame in (self.FRAME.iloc[:0], self.FRAME)
        )

        assert empty.keys() <= full.keys()
        assert {one.status for one in empty.values()} == {"insufficient_data"}
        assert 'data_quality_uniqueness{column="Order No.",contract="Order"}' in empty
        assert {one.at for one in full.values()} == {FakeClock().now()}

    def test_a_page_can_always_be_written(self) -> None:
        """Names with lone surrogates have no UTF-8, and do not break it."""

        class Row(BaseModel):
            model_config = ConfigDict(extra="forbid")
            a: int

        frame = pd.DataFrame([[1, 2]], columns=pd.Index(["a", "\ud800"], dtype=object))
        result = Contract(Row, name="\udcff").validate_frame(frame)

        assert result.violations["column"].tolist() == ["\ud800"]
        assert b"\\ud800" in result._repr_html_().encode("utf-8")

    def test_a_column_whose_name_is_no_text_to_arrow(self) -> None:
        """Is kept where columns beyond the contract are."""

        class Row(BaseModel):
            model_config = ConfigDict(extra="allow")
            a: int

        labels = pd.Index(["\ud800", "a"], dtype=object)
        contract = Contract(Row)
        for cells in ([[1, 2], [3, 4]], [[1, 2], [3, "x"]]):
            accepted = contract.validate_frame(pd.DataFrame(cells, columns=labels)).accepted
            assert accepted["\ud800"].tolist()[0] == 1


class TestWords:
    """What a message shows of a violation."""

    @pytest.mark.parametrize(
        ("row", "column", "words"),
        [
            (3, "a", "row 3, column 'a': too low [low], got 5"),
            (None, "a", "column 'a': too low [low], got 5"),
            (3, "", "row 3, too low [low], got 5"),
        ],
    )
    def test_place_rule_and_value(self, row: Any, column: str, words: str) -> None:
        """As far as they are known."""
        assert str(
            Violation(row=row, column=column, rule="low", message="too low", value=5)
        ) == words  # fmt: skip

    def test_long_values_are_cut(self) -> None:
        """A message is for reading."""
        assert shorten("x" * 100) == "'" + "x" * 59 + "..."
        assert shorten("short") == "'short'"

    @pytest.mark.parametrize(
        ("total", "rest"), [(1, "got 0."), (4, "and 3 more, all in `.violations`.")]
    )
    def test_the_first_three_are_shown(self, total: int, rest: str) -> None:
        """And how many more there are."""
        one = Violation(row=0, column="a", rule="low", message="too low", value=0)

        message = describe_violations("c", "2", [one], total=total)

        assert message.startswith("Contract 'c' (version 2) rejects: row 0, column 'a': too low")
        assert message.endswith(rest)

    @pytest.mark.parametrize(
        ("path", "names", "found"),
        [
            ("a", {"a"}, "a"),
            ("a.b.0", {"a"}, "a"),
            ("a.b.0", {"a", "a.b"}, "a.b"),
            ("c", {"a"}, None),
            ("", {"a"}, None),
            ("", {""}, ""),
        ],
    )
    def test_a_path_begins_with_a_name(self, path: str, names: set[str], found: Any) -> None:
        """The longest that there is: a column may have dots in its name."""
        assert nearest_name(path, names) == found
