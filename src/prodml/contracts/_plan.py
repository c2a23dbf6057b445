"""Who judges what: the plan for a model, and for each of its fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from pydantic_core import SchemaValidator

__all__ = ["FAILED", "FieldPlan", "ModelPlan", "Path"]

#: Who judges a field: vectorised code first, pydantic-core on the column, or on whole rows.
Path = Literal["vectorised", "column", "row"]

#: Stands in the output of a column where pydantic-core rejected the value.
FAILED: Final = type("Failed", (), {"__repr__": lambda _self: "FAILED"})()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FieldPlan:
    """How the values of one field are judged.

    Attributes
    ----------
    name : str
        The attribute of the model.
    inputs : tuple of str
        Names under which the value may arrive; the first that is there counts.
    location : str
        What pydantic calls the field when it is missing.
    required, nullable : bool
        Whether it must be there, and whether None is accepted.
    kind : str
        Type of the innermost node: ``"int"``, ``"str"``, ``"literal"`` ...
    node : dict
        The innermost node, with its constraints.
    path : {"vectorised", "column"}
        Who judges it.
    why : str
        The reason.
    distinct : bool
        Judge each distinct value once: the field has functions, or few values are valid.
    output : str
        Kind of column that holds its values, see :mod:`prodml._core.column_building`.
    one, column : SchemaValidator
        pydantic-core for one value, and for a list of them with ``FAILED`` where it rejects.
    loc_by_alias : bool
        Whether errors name the field by its input name.
    """

    name: str
    inputs: tuple[str, ...]
    location: str
    required: bool
    nullable: bool
    kind: str
    node: dict[str, Any]
    path: Path
    why: str
    distinct: bool
    output: str
    one: SchemaValidator
    column: SchemaValidator
    loc_by_alias: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelPlan:
    """How the rows of one model are judged.

    Attributes
    ----------
    fields : tuple of FieldPlan
        In the order of the model; empty when every row must go to pydantic whole.
    extra : {"ignore", "forbid", "allow"}
        What is done with columns that the model does not name.
    whole_rows : str or None
        Why every row must go to pydantic whole.
    survivors : str or None
        Why rows that the fields accept must go to pydantic whole.
    outputs : dict of str to (str, bool)
        For each field the kind of column that holds its values, and whether it is nullable.
    """

    fields: tuple[FieldPlan, ...]
    extra: Literal["ignore", "forbid", "allow"]
    whole_rows: str | None
    survivors: str | None
    outputs: dict[str, tuple[str, bool]]
