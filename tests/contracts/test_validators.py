"""Functions of a model: how often they are asked, and what happens when they misbehave."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticOmit, PydanticUseDefault

from prodml.contracts import Contract, _columnwise
from prodml.contracts._judgement import Judgement
from prodml.contracts._oracle import ask
from prodml.errors import RecordRejectedError


def contract_of(function: Any, kind: Any = Any, **options: Any) -> Contract[Any]:
    """Return a contract with one field that is handed to a function first."""
    field = Annotated[kind, BeforeValidator(function)]
    return Contract(create_model("Row", value=(field, options.pop("default", ...))), **options)


def columns(values: list[Any], *, arrow: bool) -> list[pd.Series]:
    """Return the same text in every dtype that holds some."""
    dtypes: list[Any] = [None, object, "category", pd.StringDtype("python")]
    dtypes += ["string[pyarrow]"] if arrow else []
    return [pd.Series(values, dtype=dtype) for dtype in dtypes]


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.needs_arrow)])
def arrow(request: pytest.FixtureRequest) -> bool:
    """Say whether to use columns that lie in Arrow."""
    return bool(request.param)


class TestAsking:
    """A pure function is asked about each distinct value, and about nothing else."""

    def test_once_for_each_value(self, arrow: bool) -> None:
        """However many rows hold it, in whatever dtype."""
        for column in columns(["a", "b", "a", "b", "c"] * 50, arrow=arrow):
            asked: Counter[Any] = Counter()
            contract = contract_of(lambda value: asked.update([value]) or value)  # noqa: B023
            contract.validate_frame(pd.DataFrame({"value": column}))
            assert asked == {"a": 1, "b": 1, "c": 1}, column.dtype

    def test_not_about_missing_values_where_none_is_missing(self) -> None:
        """A function may count on there being a text."""
        contract = contract_of(lambda text: text.strip(), kind=str)

        result = contract.validate_frame(pd.DataFrame({"value": [" a", "b "]}))

        assert result.accepted["value"].tolist() == ["a", "b"]

    def test_not_about_categories_that_no_row_holds(self) -> None:
        """They are not data."""
        asked: list[Any] = []
        column = pd.Series(["a", "b", "a"], dtype=pd.CategoricalDtype(["x", "a", "b", "y", "z"]))

        contract_of(lambda value: asked.append(value) or value).validate_frame(
            pd.DataFrame({"value": column})
        )

        assert sorted(asked) == ["a", "b"]

    def test_again_only_for_the_words_of_a_rejection(self) -> None:
        """Pydantic says that a value is rejected first, and why when it is asked alone."""
        asked: Counter[Any] = Counter()

        def refuse(value: Any) -> Any:
            asked.update([value])
            if value == "b":
                message = "not b"
                raise ValueError(message)
            return value

        result = contract_of(refuse).validate_frame(pd.DataFrame({"value": ["a", "b"] * 40}))

        assert asked == {"a": 1, "b": 2}
        assert result.summary.violations == {("value", "value_error"): 40}

    def test_each_of_many_values_has_its_own_words(self, arrow: bool) -> None:
        """Messages that name the value belong to the rows that hold it."""

        def refuse(text: str) -> str:
            if text >= "1":
                message = f"{text} is out"
                raise ValueError(message)
            return text

        values = [str(number % 50) for number in range(200)]
        for column in columns(values, arrow=arrow):
            result = contract_of(refuse, kind=str).validate_frame(pd.DataFrame({"value": column}))
            found = result.violations
            assert found["row"].tolist() == [at for at in range(200) if values[at] != "0"]
            assert found["message"].tolist() == [
                f"Value error, {value} is out" for value in values if value != "0"
            ]
            assert found["value"].tolist() == [value for value in values if value != "0"]

    def test_what_it_makes_of_a_value_arrives_in_every_row(self, arrow: bool) -> None:
        """In the dtype of the result."""
        for column in columns(["a", "bb", "a", "?"], arrow=arrow):
            contract = contract_of(lambda text: -1 if text == "?" else len(text), kind=int)
            accepted = contract.validate_frame(pd.DataFrame({"value": column})).accepted
            assert accepted["value"].tolist() == [1, 2, 1, -1]
            assert accepted["value"].dtype == "int64"

    def test_many_categories_and_few_rows(self) -> None:
        """A piece of a column does not pay for the categories of all of it."""
        categories = [f"c{number}" for number in range(2000)]
        whole = pd.Series(categories, dtype="category")
        asked: list[Any] = []
        contract = contract_of(lambda value: asked.append(value) or value)

        piece = pd.DataFrame({"value": whole.iloc[[5, 3, 5]]})
        missing = pd.DataFrame({"value": whole.iloc[[7, 7]].where([True, False])})

        assert contract.validate_frame(piece).accepted["value"].tolist() == ["c5", "c3", "c5"]
        assert contract.validate_frame(missing).accepted["value"].isna().tolist() == [False, True]
        assert sorted(map(str, asked)) == ["None", "c3", "c5", "c7"]


class TestMisbehaving:
    """A function that does not do as it should costs its rows, never the job."""

    @pytest.mark.parametrize("error", [KeyError("k"), ZeroDivisionError("z"), RuntimeError("r")])
    def test_another_error_is_a_reason(self, error: Exception) -> None:
        """With its type and words, at both doors, and for the row that it was raised on."""

        def crash(value: Any) -> Any:
            if value == 2:
                raise error
            return value

        contract = contract_of(crash, kind=int)
        result = contract.validate_frame(pd.DataFrame({"value": [1, 2, 3]}))

        (found,) = result.iter_violations()
        assert (found.row, found.rule, found.value) == (1, "validator_crashed", 2)
        assert found.message == f"the validator raised {type(error).__name__}: {error}"
        with pytest.raises(RecordRejectedError, match=type(error).__name__) as caught:
            contract.validate_record({"value": 2})
        assert caught.value.__cause__ is error

    @pytest.mark.parametrize("alias", ["A", None])
    def test_all_reasons_are_given_beside_a_crash(self, alias: str | None) -> None:
        """At both doors the same ones: other fields, missing ones, and what nobody asked for."""

        def crash(_value: Any) -> Any:
            raise ZeroDivisionError

        class Row(BaseModel):
            model_config = {"extra": "forbid", "populate_by_name": True}
            a: Annotated[int, BeforeValidator(crash)] = Field(alias=alias)
            b: int
            c: int

        for record in ({"a": 1, "b": "x", "more": 1}, {"a": 1, "A": 2, "c": 1}):
            contract = Contract(Row)
            with pytest.raises(RecordRejectedError) as caught:
                contract.validate_record(record)
            at_one_door = {(one.column, one.rule) for one in caught.value.violations}
            result = contract.validate_frame(pd.DataFrame([record]))
            assert {(one.column, one.rule) for one in result.iter_violations()} == at_one_door
            assert len(at_one_door) == (4 if "more" in record else 2 + (alias is None))

    @pytest.mark.parametrize("path", ["field", "row"])
    def test_a_lack_of_memory_is_no_ones_fault(self, path: str) -> None:
        """It ends the job, and rejects nothing."""

        def starve(_value: Any) -> Any:
            raise MemoryError

        model: Any = create_model("Row", value=(Annotated[int, BeforeValidator(starve)], ...))
        if path == "row":
            model = create_model("Row", __base__=model, x=(int, Field(1, validate_default=True)))
        contract = Contract(model)

        with pytest.raises(MemoryError):
            contract.validate_frame(pd.DataFrame({"value": [1]}))
        with pytest.raises(MemoryError):
            contract.validate_record({"value": 1})

    def test_one_that_changes_its_mind_is_taken_at_its_last_word(self) -> None:
        """Asked alone, as for a record; no row is ever rejected without a reason."""
        answers = iter([ValueError("no"), None])

        def waver(value: Any) -> Any:
            if (error := next(answers)) is not None:
                raise error
            return value

        result = contract_of(waver).validate_frame(pd.DataFrame({"value": ["a"]}))

        assert result.accepted["value"].tolist() == ["a"]

    def test_one_that_asks_for_the_default_gets_it(self) -> None:
        """At both doors."""

        def lenient(value: Any) -> Any:
            if value == "?":
                raise PydanticUseDefault
            return value

        contract = contract_of(lenient, kind=int, default=7)
        frame = pd.DataFrame({"value": ["1", "?", "x"]})

        result = contract.validate_frame(frame)

        assert result.accepted["value"].tolist() == [1, 7]
        assert result.rejected_positions.tolist() == [2]
        assert contract.validate_record({"value": "?"}).value == 7

    def test_one_that_leaves_a_value_out_leaves_a_gap(self) -> None:
        """The model is then without the field; the values beside it stay in their places."""

        def omit(value: Any) -> Any:
            if value == "?":
                raise PydanticOmit
            return value

        contract = contract_of(omit)
        result = contract.validate_frame(pd.DataFrame({"value": ["a", "?", "b"]}))

        assert result.accepted["value"].tolist() == ["a", None, "b"]
        assert not hasattr(contract.validate_record({"value": "?"}), "value")

    def test_a_result_of_another_type_is_kept(self) -> None:
        """The field says int, and its function says otherwise."""
        model: Any = create_model(
            "Row", value=(Annotated[int, AfterValidator(lambda n: f"no. {n}")], ...)
        )

        result = Contract(model).validate_frame(pd.DataFrame({"value": [1, 2]}))

        assert result.accepted["value"].tolist() == ["no. 1", "no. 2"]

    def test_a_crash_on_what_is_no_record(self) -> None:
        """The record as a whole is at fault."""

        class Row(BaseModel):
            a: int = 1

            @model_validator(mode="before")
            @classmethod
            def _look(cls, content: Any) -> Any:
                return {"a": content["a"]}

        contract = Contract(Row)

        with pytest.raises(RecordRejectedError, match="TypeError") as caught:
            contract.validate_record(5)  # type: ignore[arg-type]
        (found,) = caught.value.violations
        assert (found.column, found.rule, found.value) == ("", "validator_crashed", 5)

    def test_a_crash_beside_a_field_that_may_be_absent(self) -> None:
        """Which is no reason."""

        def crash(_value: Any) -> Any:
            raise ZeroDivisionError

        model: Any = create_model(
            "Row", a=(Annotated[int, BeforeValidator(crash)], ...), b=(int, 1)
        )

        with pytest.raises(RecordRejectedError) as caught:
            Contract(model).validate_record({"a": 1})
        assert [one.column for one in caught.value.violations] == ["a"]


class TestList:
    """pydantic-core is asked about a list of values, and about each where it gives no list."""

    PLAN = Contract(create_model("Row", value=(int, ...)))._plan.fields[0]

    @pytest.mark.parametrize("answer", [RuntimeError("no"), [1]])
    def test_what_it_does_not_answer_as_a_list_it_is_asked_one_by_one(self, answer: Any) -> None:
        """The answers are the same."""

        def refuse(_values: Any) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

        values = [1, "2", "x", None]
        plan: Any = SimpleNamespace(
            one=self.PLAN.one, column=SimpleNamespace(validate_python=refuse)
        )

        found = ask(plan, "value", values)

        wanted = ask(self.PLAN, "value", values)
        assert repr(found) == repr(wanted)
        assert ask(plan, "value", [1, 2]).changed is False

    def test_a_kernel_that_is_wrong_about_a_rule_costs_time_and_no_verdict(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It never rejects by itself: pydantic is asked why, and knows of no reason."""
        wrong = Judgement(groups=[np.array([0, 2])])
        monkeypatch.setitem(_columnwise._KERNELS, "int", lambda _plan, _column: wrong)
        contract = Contract(create_model("Row", value=(Annotated[int, Field(ge=0)], ...)))

        result = contract.validate_frame(pd.DataFrame({"value": [1, -1, 2]}))

        assert result.accepted_positions.tolist() == [0, 2]


class TestWholeRows:
    """Rules that look at more than one field, over many rows."""

    class Choosy(BaseModel):
        """Refuses by looking back; keeps columns that it does not name."""

        model_config = {"extra": "allow"}
        a: int
        b: int = 0

        @field_validator("b")
        @classmethod
        def _above(cls, b: int, info: Any) -> int:
            if b < info.data.get("a", 0):
                message = "below a"
                raise ValueError(message)
            return b

    def test_more_rows_than_are_objects_at_one_time(self) -> None:
        """Blocks are put together in order."""
        n_rows = 40_000
        frame = pd.DataFrame({"a": np.arange(n_rows) % 7, "b": 3, "more": np.arange(n_rows)})

        result = Contract(self.Choosy).validate_frame(frame)

        kept = np.flatnonzero(frame["a"] <= 3)
        assert result.accepted_positions.tolist() == kept.tolist()
        assert result.accepted["more"].tolist() == kept.tolist()
        assert result.summary.violations == {("b", "value_error"): n_rows - len(kept)}

    def test_a_name_that_only_some_blocks_have(self) -> None:
        """The rows of the others have no value there."""

        class Moody(BaseModel):
            model_config = {"extra": "allow"}
            a: int

            @classmethod
            def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
                from pydantic_core import core_schema

                return core_schema.no_info_before_validator_function(cls._mark, handler(source))

            @classmethod
            def _mark(cls, content: Any) -> Any:
                return {**content, "late": 1} if content["a"] >= 20_000 else content

        result = Contract(Moody).validate_frame(pd.DataFrame({"a": np.arange(40_000)}))

        late = result.accepted["late"]
        assert len(late) == 40_000
        assert late.isna().sum() == 20_000
        assert late.iloc[-1] == 1

    def test_nothing_is_accepted(self) -> None:
        """The fields are there all the same."""
        result = Contract(self.Choosy).validate_frame(pd.DataFrame({"a": ["x"], "b": [1]}))

        assert list(result.accepted.columns) == ["a", "b"]
        assert len(result.accepted) == 0
