"""The inputs of features: names and declared types, the only truth about what comes in."""

from __future__ import annotations

from dataclasses import dataclass
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, Final, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from prodml.errors import FeatureDefinitionError
from prodml.features._protocols import RecordContract

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prodml.features._protocols import FieldLike

__all__ = ["Dtype", "Field", "fields_of"]

Dtype = Literal["float64", "int64", "bool", "string", "timestamp[us, UTC]"]

_KINDS: Final[dict[str, str]] = {
    "float64": "f",
    "int64": "i",
    "bool": "b",
    "string": "s",
    "timestamp[us, UTC]": "i",
}
#: Types of a contract's fields, as types of inputs.
_OF_CONTRACTS: Final[dict[str, Dtype]] = {
    "float": "float64",
    "int": "int64",
    "bool": "bool",
    "str": "string",
    "datetime": "timestamp[us, UTC]",
}


#: Types of the values of its literals and enumerations.
_OF_VALUES: Final[dict[type, Dtype]] = {
    bool: "bool",
    int: "int64",
    float: "float64",
    str: "string",
}


@dataclass(frozen=True, slots=True)
class Field:
    """An input of features, with the one type that holds for frames and for records.

    Parameters
    ----------
    name : str
        The column of a frame and the key of a record; a Python identifier, since features name
        it as a parameter.
    dtype : {"float64", "int64", "bool", "string", "timestamp[us, UTC]"}
        What features see: float64, int64 and bool columns, objects of ``str``, and timestamps as
        int64 microseconds since 1970 in UTC.
    nullable : bool, default False
        Whether it may be missing. A missing key, None, NaN, NA and NaT are the same. Features see
        NaN, and numbers, booleans and timestamps as float64 then; text is None.
    tz : str, optional
        The time zone in which timestamps without one are read, as an IANA name. By default they
        are refused.
    coerce : bool, default False
        Whether numbers and timestamps (ISO 8601) may also be written as text, and booleans as 0
        and 1. The text ``"nan"`` is missing. Not for text itself.

    Raises
    ------
    FeatureDefinitionError
        For a name that is no identifier, an unknown dtype or time zone, or an option that does
        not belong to the type.

    Notes
    -----
    What a type takes, from frames and records alike:

    - ``float64``: floats of up to 64 bits, booleans, and integers of at most 2**53.
    - ``int64``: integers, booleans, and floats without a fraction, as pandas makes of integers
      with a gap. With `nullable`, at most 2**53.
    - ``bool``: booleans.
    - ``string``: ``str``.
    - ``timestamp[us, UTC]``: datetimes with a time zone, in the years 1 to 9999 of UTC; what is
      finer than a microsecond is cut off, towards the past. With `nullable`, at most 2**53
      microseconds from 1970, which is the years 1685 to 2255.

    Examples
    --------
    >>> Field("amount", "float64", nullable=True)
    Field('amount', 'float64', nullable=True)
    """

    name: str
    dtype: Dtype
    nullable: bool = False
    tz: str | None = None
    coerce: bool = False

    def __post_init__(self) -> None:
        if faults := _faults_of(self):
            raise FeatureDefinitionError(" ".join(faults), faults=faults)

    @property
    def kind(self) -> str:
        """What features see: ``"f"`` floats, ``"i"`` integers, ``"b"`` booleans, ``"s"`` text."""
        kind = _KINDS[self.dtype]
        return "f" if self.nullable and kind != "s" else kind

    def __repr__(self) -> str:
        options = [
            f"{name}={value!r}"
            for name in ("nullable", "tz", "coerce")
            if (value := getattr(self, name))
        ]
        return f"Field({', '.join([repr(self.name), repr(self.dtype), *options])})"


def _is_parameter(name: object) -> bool:
    return isinstance(name, str) and name.isidentifier() and not iskeyword(name) and name != "state"


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_field(one: object) -> bool:
    return isinstance(one, Field)


def _faults_of(field: Field) -> list[str]:
    faults = []
    if not _is_parameter(field.name):
        faults.append(
            f"`name` must be an identifier other than 'state', since features name it as a "
            f"parameter; got {field.name!r}. Rename the column."
        )
    if field.dtype not in get_args(Dtype):
        choices = ", ".join(map(repr, get_args(Dtype)))
        faults.append(f"`dtype` of {field.name!r} must be one of {choices}; got {field.dtype!r}.")
    faults += [
        f"`{option}` of {field.name!r} must be True or False, got {value!r}."
        for option, value in (("nullable", field.nullable), ("coerce", field.coerce))
        if not _is_flag(value)
    ]
    if field.coerce and field.dtype == "string":
        faults.append(f"`coerce` of {field.name!r} is for what may be written as text, not text.")
    if field.tz is not None:
        if not str(field.dtype).startswith("timestamp"):
            faults.append(f"`tz` of {field.name!r} is for timestamps, not for {field.dtype!r}.")
        try:
            ZoneInfo(field.tz)
        except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):  # of a folder, as "Asia"
            faults.append(f"`tz` of {field.name!r} must be an IANA name; got {field.tz!r}.")
    return faults


def fields_of(inputs: Iterable[Field] | RecordContract, /) -> tuple[tuple[Field, ...], list[str]]:
    """Return the inputs, and the names of those fields of a contract that cannot be one."""
    if isinstance(inputs, RecordContract):
        described = getattr(inputs.describe(), "fields", None)
        if described is None:  # a frame describes itself, too
            raise _no_inputs(type(inputs).__name__)
        read = [(_name_in_rows(one), _field_of(one)) for one in described]
        fields = tuple(field for _, field in read if field is not None)
        _refuse_repeated(fields)
        return fields, [name for name, field in read if field is None]
    try:
        fields = tuple(inputs)
    except TypeError:
        raise _no_inputs(inputs) from None
    if strangers := [one for one in fields if not _is_field(one)]:
        raise _no_inputs(strangers[0])
    _refuse_repeated(fields)
    return fields, []


def _no_inputs(given: object) -> FeatureDefinitionError:
    message = (
        f"`inputs` must be Fields or a contract, got {given!r}. "
        'Write [Field("amount", "float64"), ...].'
    )
    return FeatureDefinitionError(message, faults=(message,))


def _refuse_repeated(fields: tuple[Field, ...]) -> None:
    names = [one.name for one in fields]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        message = f"`inputs` name {repeated} more than once. Declare each input once."
        raise FeatureDefinitionError(message, faults=(message,))


def _name_in_rows(described: FieldLike) -> str:
    """Return the column of a field, which may have another name than the attribute."""
    first = described.inputs[0]
    return str(first[0]) if len(first) == 1 else described.name


def _field_of(described: FieldLike) -> Field | None:
    name = _name_in_rows(described)
    if not _is_parameter(name) or len(described.inputs[0]) > 1:  # a path into a nested value
        return None
    kind, nullable = described.type, False
    while kind.kind == "nullable":
        kind, nullable = kind.parts["inner"], True
    if (known := _OF_CONTRACTS.get(kind.kind)) is not None:
        return Field(name, known, nullable)
    values: Any = kind.rules.get("values", ())
    found = {type(one) for one in values} - {type(None)}
    if len(found) != 1 or (dtype := _OF_VALUES.get(found.pop())) is None:
        return None
    return Field(name, dtype, nullable or None in values)
