"""A contract: what a row must look like, for single records and for whole frames alike."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, PydanticUserError, ValidationError

from prodml._core.scalars import PLAIN_TYPES, normalise
from prodml.clock import SYSTEM_CLOCK
from prodml.contracts import _records
from prodml.contracts._naming import naming_faults
from prodml.contracts._schema import read_model
from prodml.contracts.checks import Compare, ForeignKey, Unique
from prodml.contracts.delivery import DeliveryVerdict, judge_delivery
from prodml.contracts.description import ContractDescription, describe_contract
from prodml.contracts.explanation import Explanation, FieldExplanation
from prodml.contracts.summary import ValidationSummary
from prodml.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import pandas as pd

    from prodml.contracts.changes import SchemaChanges
    from prodml.contracts.checks import Check
    from prodml.contracts.compatibility import CompatibilityMode, CompatibilityReport
    from prodml.contracts.result import ValidationResult
    from prodml.protocols import Clock

__all__ = ["Contract"]

Model = TypeVar("Model", bound=BaseModel)


class Contract(Generic[Model]):
    """One declaration of what a row must look like, with two doors and one verdict.

    A contract is an ordinary pydantic model and a few checks. :meth:`validate_record` is
    pydantic. :meth:`validate_frame` gives for every row the verdict, the reasons and the values
    that :meth:`validate_record` would give, by vectorised code where that is certain to agree
    with pydantic, and by pydantic itself everywhere else; :meth:`explain` shows which.

    Immutable, hence thread-safe and fork-safe; picklable if the model can be imported.

    Parameters
    ----------
    model : type of pydantic.BaseModel
        What a row must look like. Its validators must be pure: a column with a million rows and
        five distinct values is judged by five calls.
    name : str, optional
        What errors, the quarantine and evidence call it; by default the name of the model.
    version : str, default "1"
        Which version of the contract this is.
    key : str, optional
        The field that identifies a row to people; shown with violations and in the quarantine.
    checks : sequence of Check, optional
        Rules beyond single fields, see the checks of :mod:`prodml.contracts`.
    clock : Clock, optional
        Tells Freshness the time.
    threads : int, optional
        Threads to use on frames of more than 131,072 rows; by default the cores of this process
        where pyarrow is installed. Without it text is judged as Python's objects, of which
        threads have to take turns.

    Raises
    ------
    ContractError
        If `model` is no pydantic model, or `key` or a check names a field it doesn't have;
        ``.faults`` lists all of them.

    Examples
    --------
    >>> import pandas as pd
    >>> from pydantic import BaseModel, Field
    >>> class Applicant(BaseModel):
    ...     id: int
    ...     age: int = Field(ge=18)
    >>> contract = Contract(Applicant, name="applicant", key="id")
    >>> contract.validate_record({"id": "7", "age": 30})
    Applicant(id=7, age=30)
    >>> result = contract.validate_frame(pd.DataFrame({"id": [1, 2], "age": ["44", "12"]}))
    >>> result
    ValidationResult('applicant': 2 rows = 1 accepted + 1 rejected)
    >>> result.violations[["row", "column", "rule", "key", "value"]]
       row column                rule key value
    0    1    age  greater_than_equal   2    12
    """

    def __init__(
        self,
        model: type[Model],
        /,
        *,
        name: str | None = None,
        version: str = "1",
        key: str | None = None,
        checks: Sequence[Check] = (),
        clock: Clock = SYSTEM_CLOCK,
        threads: int | None = None,
    ) -> None:
        given: object = model
        if not (isinstance(given, type) and issubclass(given, BaseModel)):
            message = f"A contract needs a pydantic model class, got {given!r}."
            raise ContractError(message, contract=str(name), faults=[message])
        self.model = model
        self.name = name if name is not None else model.__name__
        self.version = version
        self.key = key
        self.checks = tuple(checks)
        self._clock = clock
        self._threads = threads
        faults = naming_faults(
            list(model.model_fields), name=self.name, version=version, key=key, checks=self.checks
        )
        if faults:
            message = f"Contract {self.name!r}: {' '.join(faults)}"
            raise ContractError(message, contract=str(self.name), faults=faults)
        try:
            self._plan = read_model(model)
        except PydanticUserError as error:
            message = f"Contract {self.name!r} cannot be built on this model: {error.message}"
            raise ContractError(message, contract=self.name, faults=[message]) from error
        self._record_checks = tuple(c for c in self.checks if isinstance(c, Compare | ForeignKey))
        self._validate_python: Callable[[Any], Model] = model.__pydantic_validator__.validate_python

    def validate_record(self, record: Mapping[str, Any], /) -> Model:
        """Return the model for one record.

        Parameters
        ----------
        record : mapping
            Values by input name. NaN, NaT and NA count as None; numpy and pandas scalars as the
            builtin of the same value.

        Returns
        -------
        pydantic.BaseModel
            An instance of the contract's model.

        Raises
        ------
        RecordRejectedError
            If it doesn't fit; ``.violations`` holds every reason. Compare and ForeignKey checks
            are applied; the other checks need more than one record.
        """
        # written out rather than called: this is the path of every request of a service
        given: Any = record
        if type(record) is dict:
            for value in record.values():
                kind = type(value)
                if kind not in PLAIN_TYPES and (kind is not float or value != value):  # noqa: PLR0124 - NaN
                    given = _plain_record(record)
                    break
        else:
            given = _plain_record(record)
        try:
            model = self._validate_python(given)
        except ValidationError as error:
            raise _records.rejection(self, record, _records.reasons(error)) from None
        except MemoryError:
            raise
        except Exception as error:  # the user's validator crashed on this record
            found = _records.crash_reasons(self._plan, given, error)
            raise _records.rejection(self, record, found) from error
        if self._record_checks:
            broken = _records.broken_checks(self, model)
            if broken:
                raise _records.rejection(self, record, broken)
        return model

    def validate_frame(self, frame: pd.DataFrame, /, *, first_row: int = 0) -> ValidationResult:
        """Sort the rows of a frame into those that fit and those that don't.

        Parameters
        ----------
        frame : pandas.DataFrame
            Any dtypes, any index. It is not changed.
        first_row : int, default 0
            Position of its first row in the source, for chunks.

        Returns
        -------
        ValidationResult
            Rows are rejected, never raised.

        Raises
        ------
        DuplicateColumnError
            If a column that the contract reads stands in the frame more than once.
        MultiIndexColumnsError
            If the columns are a MultiIndex.
        TypeError
            If `frame` is no pandas DataFrame.
        """
        from prodml.contracts._frames import validate

        return validate(self, frame, first_row=first_row, seen=None)

    def validate_chunks(
        self,
        chunks: Iterable[pd.DataFrame],
        /,
        *,
        first_row: int = 0,
        progress: bool | Callable[[int, int | None], object] = False,
    ) -> Iterator[ValidationResult]:
        """Validate a stream of frames, one at a time, in bounded memory.

        Row positions count on from chunk to chunk, and Unique checks remember the keys of earlier
        chunks (some 100 bytes each). Verdicts on the delivery as a whole are only known at its
        end: add the summaries and ask :meth:`judge_delivery`.

        Parameters
        ----------
        chunks : iterable of pandas.DataFrame
            For instance ``pandas.read_csv(path, chunksize=100_000)``.
        first_row : int, default 0
            Position of the very first row in its source.
        progress : bool or callable, default False
            Show a bar (with the extra ``progress``), or call with the rows done so far and None.

        Yields
        ------
        ValidationResult
            One a chunk.
        """
        from prodml.contracts._frames import validate_stream

        yield from validate_stream(self, chunks, first_row=first_row, progress=progress)

    def judge_delivery(self, summary: ValidationSummary, /) -> tuple[DeliveryVerdict, ...]:
        """Return what RowCount, NullFraction and Freshness say about all that was counted.

        Parameters
        ----------
        summary : ValidationSummary
            Of one frame, or the sum over the parts of a delivery.
        """
        return judge_delivery(
            self.checks, summary, locations=self._locations, now=self._clock.now()
        )

    def explain(self) -> Explanation:
        """Return who judges each field, and why."""
        plan = self._plan
        whole = plan.whole_rows
        if whole is not None:
            fields = tuple(
                FieldExplanation(field=name, column=self._locations[name], path="row", why=whole)
                for name in self.model.model_fields
            )
            return Explanation(fields, whole)
        after = f"; then whole rows, because {plan.survivors}" if plan.survivors else ""
        fields = tuple(
            FieldExplanation(
                field=one.name, column=one.inputs[0], path=one.path, why=one.why + after
            )
            for one in plan.fields
        )
        return Explanation(fields, plan.survivors)

    @cached_property
    def _locations(self) -> dict[str, str]:
        """What each field is called where it arrives."""
        if self._plan.whole_rows is None:
            return {one.name: one.location for one in self._plan.fields}
        return {
            name: info.validation_alias if isinstance(info.validation_alias, str) else name
            for name, info in self.model.model_fields.items()
        }

    @cached_property
    def empty_summary(self) -> ValidationSummary:
        """The summary of no rows, to which those of frames can be added."""
        unique = [check.columns[0] for check in self.checks if isinstance(check, Unique)]
        return ValidationSummary(
            contract=self.name,
            version=self.version,
            fingerprint=self.fingerprint,
            columns=tuple(self._locations.values()),
            unique=tuple(dict.fromkeys(self._locations[name] for name in unique)),
        )

    @cached_property
    def _description(self) -> ContractDescription:
        return describe_contract(
            self.model, name=self.name, version=self.version, key=self.key, checks=self.checks
        )

    def describe(self) -> ContractDescription:
        """Return the contract as plain data, to be stored and compared with later versions."""
        return self._description

    @property
    def fingerprint(self) -> str:
        """Digest of what the contract accepts; the same in every process and Python version."""
        return self._description.fingerprint

    def compatibility(
        self,
        older: Contract[Any] | ContractDescription | Sequence[Contract[Any] | ContractDescription],
        /,
        *,
        mode: CompatibilityMode = "BACKWARD",
    ) -> CompatibilityReport:
        """Say whether data that fits another version fits this one, or the other way round.

        Parameters
        ----------
        older : Contract, ContractDescription, or sequence of them
            The earlier version, or all of them from oldest to newest for the transitive modes.
        mode : str, default "BACKWARD"
            One of Confluent's: BACKWARD, FORWARD, FULL, each also with _TRANSITIVE, or NONE.

        Raises
        ------
        TypeError
            If `older` is neither.
        ValueError
            On another mode.
        """
        from prodml.contracts.compatibility import check_compatibility

        given: list[Any] = list(older) if isinstance(older, list | tuple) else [older]
        described = [one.describe() if isinstance(one, Contract) else one for one in given]
        return check_compatibility(self.describe(), described, mode=mode)

    def schema_changes(self, frame: pd.DataFrame, /) -> SchemaChanges:
        """Say how a frame differs from what the contract expects to arrive.

        Parameters
        ----------
        frame : pandas.DataFrame
            Any dtypes. It is not changed.

        Raises
        ------
        MultiIndexColumnsError
            If the columns are a MultiIndex.
        TypeError
            If `frame` is no pandas DataFrame.
        """
        from prodml.contracts.changes import schema_changes

        return schema_changes(self.describe(), frame)

    def to_json_schema(self) -> dict[str, Any]:
        """Return the contract as JSON Schema, draft 2020-12."""
        from prodml.contracts.json_schema import to_json_schema

        return to_json_schema(self)

    def to_odcs(self, *, contract_id: str | None = None, status: str = "draft") -> dict[str, Any]:
        """Return the contract in the Open Data Contract Standard 3.1, as plain data for YAML.

        Parameters
        ----------
        contract_id : str, optional
            What identifies it among all contracts; by default made from its name.
        status : str, default "draft"
            ``"proposed"``, ``"draft"``, ``"active"``, ``"deprecated"`` or ``"retired"``.
        """
        from prodml.contracts.odcs import to_odcs

        return to_odcs(self, contract_id=contract_id, status=status)

    def __reduce__(self) -> tuple[Any, ...]:
        # validators of pydantic-core are made anew rather than pickled
        state = {
            "name": self.name,
            "version": self.version,
            "key": self.key,
            "checks": self.checks,
            "clock": self._clock,
            "threads": self._threads,
        }
        return _rebuild, (self.model, state)

    def __repr__(self) -> str:
        return f"Contract({self.model.__name__}, name={self.name!r}, version={self.version!r})"


def _rebuild(model: type[Model], state: dict[str, Any]) -> Contract[Model]:
    return Contract(model, **state)


def _plain_record(record: Any) -> Any:
    """Return a record of plain values, or what is no record as it is."""
    if not isinstance(record, Mapping):
        if isinstance(record, BaseModel) or not hasattr(record, "to_dict"):
            return record
        record = record.to_dict()  # a row of a frame, as a Series
    return {name: normalise(value) for name, value in record.items()}
