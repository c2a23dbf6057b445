"""Who judges each field of a contract, and why: so that a slow contract is visible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from prodml._core.render import html_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Explanation", "FieldExplanation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldExplanation:
    """How one field is judged.

    Attributes
    ----------
    field, column : str
        The attribute of the model, and the column it is read from.
    path : {"vectorised", "column", "row"}
        By vectorised code, by pydantic-core over the column, or by pydantic over whole rows.
    why : str
        The reason.
    """

    field: str
    column: str
    path: Literal["vectorised", "column", "row"]
    why: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """How each field of a contract is judged.

    Attributes
    ----------
    fields : tuple of FieldExplanation
        In the order of the model.
    whole_rows : str or None
        Why rows must go to pydantic whole, where they must.
    """

    fields: tuple[FieldExplanation, ...]
    whole_rows: str | None

    def __getitem__(self, field: str) -> FieldExplanation:
        for one in self.fields:
            if one.field == field:
                return one
        raise KeyError(field)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "whole_rows": self.whole_rows,
            "fields": {
                one.field: {"column": one.column, "path": one.path, "why": one.why}
                for one in self.fields
            },
        }

    def to_frame(self) -> pd.DataFrame:
        """Return one row a field."""
        import pandas as pd

        rows = [(one.field, one.column, one.path, one.why) for one in self.fields]
        return pd.DataFrame(rows, columns=["field", "column", "path", "why"])

    def __str__(self) -> str:
        width = max((len(one.field) for one in self.fields), default=0)
        lines = [f"{one.field:<{width}}  {one.path:<10}  {one.why}" for one in self.fields]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [[one.field, one.column, one.path, one.why] for one in self.fields]
        return html_table(["field", "column", "path", "why"], rows)
