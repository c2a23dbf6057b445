"""A first contract from a sample, for a person to make the real one of.

A sample shows what came, not what may come. So this is a draft: it says what is certain, leaves
out what only looks so, and lists what a person should look at. It is source code rather than an
object to be tuned, since a contract that people are to rely on is read, edited and reviewed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, create_model

from prodml._core.render import html_table
from prodml.contracts._draft_fields import DraftField, draft_field
from prodml.contracts._draft_names import attribute_names, is_free_name
from prodml.contracts._draft_notes import DraftNote, NoteKind
from prodml.contracts._draft_source import draft_source
from prodml.contracts.contract import Contract
from prodml.errors import DuplicateColumnError, FrameError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from prodml.contracts.checks import Check

__all__ = ["ContractDraft", "DraftNote", "NoteKind", "infer_contract"]

_MOST_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ContractDraft:
    """A first contract, made from a sample.

    Immutable, thread-safe. The model is made at run time and cannot be pickled; the source can be
    kept.

    Attributes
    ----------
    model : type of pydantic.BaseModel
        What a row of the sample looks like.
    fields : tuple of DraftField
        Its fields, in the order of the columns.
    notes : tuple of DraftNote
        What a person should look at.
    n_rows : int
        Rows of the sample.
    """

    model: type[BaseModel]
    fields: tuple[DraftField, ...]
    notes: tuple[DraftNote, ...]
    n_rows: int

    def contract(
        self,
        *,
        name: str | None = None,
        version: str = "1",
        key: str | None = None,
        checks: Sequence[Check] = (),
    ) -> Contract[BaseModel]:
        """Return the draft as a contract, which accepts every row of the sample.

        Parameters
        ----------
        name : str, optional
            What it is called; by default the name of the model.
        version : str, default "1"
            Its version.
        key : str, optional
            The field that identifies a row.
        checks : sequence of Check, optional
            Rules beyond single fields.
        """
        return Contract(self.model, name=name, version=version, key=key, checks=checks)

    def to_source(self) -> str:
        """Return a Python module with the same model and contract, to be edited and kept."""
        return draft_source(self.model.__name__, self.fields, self.notes, n_rows=self.n_rows)

    def notes_on(self, column: str) -> tuple[DraftNote, ...]:
        """Return what is to be looked at about one column."""
        return tuple(note for note in self.notes if note.column == column)

    def to_frame(self) -> pd.DataFrame:
        """Return the notes, one row each."""
        import pandas as pd

        rows = [note.to_dict() for note in self.notes]
        return pd.DataFrame(rows, columns=["column", "kind", "message"])

    def __repr__(self) -> str:
        return (
            f"ContractDraft({self.model.__name__!r} from {self.n_rows:,} rows: "
            f"{len(self.fields)} fields, {len(self.notes)} notes)"
        )

    def _repr_html_(self) -> str:
        rows = [
            [one.column, _type_text(one), "; ".join(n.message for n in self.notes_on(one.column))]
            for one in self.fields
        ]
        return html_table(["column", "type", "to look at"], rows, caption=repr(self))


def infer_contract(
    sample: pd.DataFrame,
    /,
    *,
    name: str = "Draft",
    bounds: bool = False,
    max_categories: int = 20,
    rows_per_category: int = 20,
) -> ContractDraft:
    r"""Draft a contract from a sample.

    Parameters
    ----------
    sample : pandas.DataFrame
        Any dtypes. It is not changed.
    name : str, default "Draft"
        Name of the model.
    bounds : bool, default False
        Whether the least and greatest value of a column (and shortest and longest text) become its
        bounds. Those of a sample are exceeded soon, and then by good rows.
    max_categories : int, default 20
        A column of text with at most so many distinct values becomes a Literal,
    rows_per_category : int, default 20
        if it has so many rows for each of them. Categories that a dtype declares need none.

    Returns
    -------
    ContractDraft
        Its contract accepts every row of the sample; that is tried out before it is returned.

    Raises
    ------
    DuplicateColumnError
        If a column stands in the frame more than once.
    FrameError
        If the name of a column is no text.
    MultiIndexColumnsError
        If the columns are a MultiIndex.
    TypeError
        If `sample` is no pandas DataFrame.
    ValueError
        If `name` cannot be the name of a class, or a number is not positive.

    Notes
    -----
    Types come from the values: an ``object`` column of whole numbers is drafted as ``int``. A
    column with missing values may be None, one without may not. Text becomes a date only if all
    of it is ISO 8601, in which day and month cannot be confused. A column with values of several
    types, or with none, takes anything.

    Examples
    --------
    >>> import pandas as pd
    >>> draft = infer_contract(pd.DataFrame({"age": [25, 38], "Zip code": ["04103", "?"]}))
    >>> for note in draft.notes_on("Zip code"):
    ...     print(note.kind)
    alias
    missing_marker
    digits
    candidate_key
    >>> print("\n".join(draft.to_source().splitlines()[-6:-3]))
    class Draft(BaseModel):
        age: int
        Zip_code: str = Field(alias='Zip code')
    """
    from prodml._core.columns import columns_of
    from prodml.contracts._column_facts import facts_of
    from prodml.contracts._readable_frames import require_frame

    require_frame(sample, caller="infer_contract", contract=name)
    labels = _check_columns(sample, name)
    _check_options(name, max_categories, rows_per_category)
    fields: list[DraftField] = []
    notes: list[DraftNote] = []
    names = attribute_names(labels)
    for attribute, label, column in zip(names, labels, columns_of(sample), strict=True):
        drafted, found = draft_field(
            attribute,
            facts_of(label, column),
            bounds=bounds,
            max_categories=max_categories,
            rows_per_category=rows_per_category,
        )
        fields.append(drafted)
        notes += found
    return _tried_out(name, fields, notes, sample)


def _check_columns(sample: pd.DataFrame, name: str) -> list[str]:
    labels = list(sample.columns)
    odd = [label for label in labels if not _is_text(label)]
    if odd:
        message = (
            f"infer_contract: the columns {odd[:5]!r} have names that are no text, and a field can "
            f"only read a column by a name that is. Rename them, for instance by "
            f"sample.columns = sample.columns.map(str)."
        )
        raise FrameError(message, contract=name, columns=odd)
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        message = (
            f"infer_contract: the columns {repeated} stand in the frame more than once. Drop or "
            f"rename all but one."
        )
        raise DuplicateColumnError(message, contract=name, columns=repeated)
    return labels


def _is_text(label: Any) -> bool:
    try:
        return isinstance(label, str) and bool(label.encode() or True)
    except UnicodeEncodeError:  # lone surrogates, which pydantic cannot look up
        return False


def _check_options(name: str, max_categories: int, rows_per_category: int) -> None:
    if not is_free_name(name):
        message = f"`name` must be an identifier that hides nothing the source needs, got {name!r}."
        raise ValueError(message)
    for option, number in (
        ("max_categories", max_categories),
        ("rows_per_category", rows_per_category),
    ):
        if number < 1:
            message = f"`{option}` must be >= 1, got {number}."
            raise ValueError(message)


def _tried_out(
    name: str, fields: list[DraftField], notes: list[DraftNote], sample: pd.DataFrame
) -> ContractDraft:
    """Return the draft once it accepts its own sample; a field that does not takes anything."""
    for _ in range(_MOST_ROUNDS):
        definitions: Mapping[str, Any] = {one.name: one.definition() for one in fields}
        model = create_model(name, __module__=__name__, **definitions)
        draft = ContractDraft(
            model=model, fields=tuple(fields), notes=tuple(notes), n_rows=len(sample)
        )
        refused = {
            column for column, _ in draft.contract().validate_frame(sample).summary.violations
        }
        if not refused:
            break
        fields = [_opened(one) if one.column in refused else one for one in fields]
        notes += [
            DraftNote(
                column=column,
                kind="any_value",
                message="holds values that its own type refuses; any value is accepted",
            )
            for column in sorted(refused)
        ]
    return draft


def _opened(drafted: DraftField) -> DraftField:
    return replace(drafted, type="Any", choices=(), bounds={})


def _type_text(drafted: DraftField) -> str:
    shown = f"Literal of {len(drafted.choices)}" if drafted.choices else drafted.type
    return f"{shown} | None" if drafted.nullable and drafted.type != "Any" else shown
