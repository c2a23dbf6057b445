"""Rules about a whole frame, or about several columns of a row, declared beside the model.

:class:`Compare`, :class:`Unique` and :class:`ForeignKey` speak of single rows: a row that breaks
one is rejected, for that reason. They look only at rows that the model itself accepts.
:class:`RowCount`, :class:`NullFraction` and :class:`Freshness` speak of the delivery as a whole:
no single row is at fault, so they give a verdict and reject nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from prodml._core.scalars import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Check",
    "Compare",
    "ForeignKey",
    "Freshness",
    "NullFraction",
    "Operator",
    "RowCount",
    "Unique",
]

#: How :class:`Compare` may hold one column against another.
Operator = Literal["<", "<=", "==", "!=", ">=", ">"]


@dataclass(frozen=True, slots=True)
class Compare:
    """Hold one column against another in every row.

    A row in which either value is missing passes, as in SQL. Values are compared after pydantic
    has converted them. Single records are checked too.

    Parameters
    ----------
    left : str
        Name of a field of the model.
    operator : {"<", "<=", "==", "!=", ">=", ">"}
        What must hold between the two.
    right : str
        Name of another field.

    Raises
    ------
    ValueError
        On another operator.

    Examples
    --------
    >>> Compare("start", "<=", "end").message
    "must be <= 'end'"
    """

    left: str
    operator: Operator
    right: str
    rule: ClassVar[str] = "compare"

    def __post_init__(self) -> None:
        """Refuse an operator that is none."""
        if self.operator not in get_args(Operator):
            message = f"`operator` must be one of {get_args(Operator)}, got {self.operator!r}."
            raise ValueError(message)

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields it reads."""
        return (self.left, self.right)

    @property
    def message(self) -> str:
        """What a violation says."""
        return f"must be {self.operator} {self.right!r}"


@dataclass(frozen=True, slots=True, init=False)
class Unique:
    """Let each value, or combination of values, occur once.

    The first row with a value is accepted and each later one rejected; rows that something else
    rejects don't count. Rows with a missing value pass, as in SQL. Over a stream of chunks
    (:meth:`~prodml.contracts.Contract.validate_chunks`) earlier chunks count too. Of several
    Unique checks each looks at what those declared before it have left.

    Parameters
    ----------
    *columns : str
        Names of fields; with several, their combination is unique.

    Raises
    ------
    ValueError
        Without a column, or with the same one twice.

    Examples
    --------
    >>> Unique("store", "day").columns
    ('store', 'day')
    """

    columns: tuple[str, ...]
    rule: ClassVar[str] = "unique"

    def __init__(self, *columns: str) -> None:
        if not columns:
            message = "`Unique` needs at least one column."
            raise ValueError(message)
        if len(set(columns)) < len(columns):
            message = f"`Unique` names a column twice: {columns}."
            raise ValueError(message)
        object.__setattr__(self, "columns", columns)

    @property
    def message(self) -> str:
        """What a violation says."""
        return "must occur once; an earlier row has the same value"


@dataclass(frozen=True, slots=True, init=False)
class ForeignKey:
    """Let a column hold only values that a reference knows.

    Rows with a missing value pass, as in SQL.

    Parameters
    ----------
    column : str
        Name of a field.
    reference : iterable
        The values that exist: a Series, an Index, a set, a list. Read once, when the check is
        made; missing values are left out.
    name : str, default "reference"
        What the message calls it.

    Raises
    ------
    TypeError
        If `reference` is text, or holds what has no hash, as lists and dicts.

    Examples
    --------
    >>> ForeignKey("country", ["DE", "FR"], name="countries").message
    "must be in 'countries'"
    """

    column: str
    reference: frozenset[Any]
    name: str
    rule: ClassVar[str] = "foreign_key"

    def __init__(self, column: str, reference: Iterable[Any], *, name: str = "reference") -> None:
        if isinstance(reference, str | bytes):
            message = f"`reference` must be a collection of values, got the text {reference!r}."
            raise TypeError(message)
        values = (normalise(value) for value in reference)
        object.__setattr__(self, "column", column)
        object.__setattr__(self, "reference", frozenset(v for v in values if v is not None))
        object.__setattr__(self, "name", name)

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields it reads."""
        return (self.column,)

    @property
    def message(self) -> str:
        """What a violation says."""
        return f"must be in {self.name!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCount:
    """Expect a number of rows in a delivery.

    Parameters
    ----------
    minimum : int, default 1
        Fewest rows, >= 0.
    maximum : int, optional
        Most rows.

    Raises
    ------
    ValueError
        If `minimum` is negative or above `maximum`, or one of them is no whole number.
    """

    minimum: int = 1
    maximum: int | None = None
    rule: ClassVar[str] = "row_count"

    def __post_init__(self) -> None:
        """Refuse a range that holds no number."""
        for name in ("minimum", "maximum"):
            limit = getattr(self, name)
            if not isinstance(limit, int) and not (limit is None and name == "maximum"):
                message = f"`{name}` must be a whole number, got {limit!r}."
                raise ValueError(message)
        if self.minimum < 0:
            message = f"`minimum` must be >= 0, got {self.minimum}."
            raise ValueError(message)
        if self.maximum is not None and self.maximum < self.minimum:
            message = f"`maximum` must be >= `minimum` ({self.minimum}), got {self.maximum}."
            raise ValueError(message)

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields it reads: none."""
        return ()


@dataclass(frozen=True, slots=True)
class NullFraction:
    """Allow at most a share of missing values in a column.

    Parameters
    ----------
    column : str
        Name of a field.
    maximum : float
        Largest share of rows, 0 to 1, rejected rows included.

    Raises
    ------
    ValueError
        If `maximum` is out of range.
    """

    column: str
    maximum: float
    rule: ClassVar[str] = "null_fraction"

    def __post_init__(self) -> None:
        """Refuse what is not a share."""
        if not 0 <= self.maximum <= 1:
            message = f"`maximum` must be between 0 and 1, got {self.maximum}."
            raise ValueError(message)

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields it reads."""
        return (self.column,)


@dataclass(frozen=True, slots=True)
class Freshness:
    """Expect the newest timestamp of a column to be recent.

    Parameters
    ----------
    column : str
        Name of a field with dates or datetimes; naive ones are taken as UTC.
    max_age : datetime.timedelta
        Greatest age of the newest accepted value, by the clock of the contract.

    Raises
    ------
    TypeError
        If `max_age` is no timedelta.
    ValueError
        If `max_age` is negative.
    """

    column: str
    max_age: timedelta
    rule: ClassVar[str] = "freshness"

    def __post_init__(self) -> None:
        """Refuse an age that nothing can have."""
        given: Any = self.max_age
        if not isinstance(given, timedelta):
            message = f"`max_age` must be a timedelta, got {given!r}."
            raise TypeError(message)
        if self.max_age.total_seconds() < 0:
            message = f"`max_age` must not be negative, got {self.max_age}."
            raise ValueError(message)

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields it reads."""
        return (self.column,)


#: Any of the checks.
Check = Compare | Unique | ForeignKey | RowCount | NullFraction | Freshness
