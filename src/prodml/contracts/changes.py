"""How a frame differs from what its contract expects: seen on arrival, before any row is judged.

A renamed column, a number that comes as text, a category that nobody has heard of: a change that
no one announced is told here in a sentence, where validation would report a violation in every row.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prodml._core.render import html_table
from prodml.contracts._renames import likely_renames
from prodml.contracts._schema_change import ChangeKind, SchemaChange
from prodml.contracts._wording import type_text
from prodml.evidence import Evidence, Verdict, worst_verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from prodml.contracts._shapes import FieldDescription
    from prodml.contracts.description import ContractDescription

__all__ = ["ChangeKind", "SchemaChange", "SchemaChanges", "schema_changes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChanges:
    """The ways in which a frame differs from what its contract expects.

    A sequence of changes: it has a length and can be looped over. As with any sequence,
    ``if changes:`` asks whether there is one; whether one of them costs rows is told by
    `verdict`. Immutable, thread-safe, picklable.

    Attributes
    ----------
    contract, version, fingerprint : str
        The contract.
    n_rows : int
        Rows of the frame.
    changes : tuple of SchemaChange
        In the order of the contract's fields, then of the columns that it does not name.
    """

    contract: str
    version: str
    fingerprint: str
    n_rows: int
    changes: tuple[SchemaChange, ...]

    @property
    def verdict(self) -> Verdict:
        """``"pass"`` without a change, else the worst: ``warn``, ``inconclusive`` or ``fail``."""
        return worst_verdict(one.verdict for one in self.changes) or "pass"

    def __len__(self) -> int:
        return len(self.changes)

    def __iter__(self) -> Iterator[SchemaChange]:
        return iter(self.changes)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "contract": self.contract,
            "version": self.version,
            "fingerprint": self.fingerprint,
            "n_rows": self.n_rows,
            "verdict": self.verdict,
            "changes": [one.to_dict() for one in self.changes],
        }

    def to_frame(self) -> pd.DataFrame:
        """Return one row a change."""
        import pandas as pd

        rows = [one.to_dict() for one in self.changes]
        return pd.DataFrame(rows, columns=list(SchemaChange.__slots__))

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return the number of changes with the verdict, and a piece of evidence for each."""
        labels = {"contract": self.contract}
        shared: dict[str, Any] = {
            "kind": "data_quality",
            "n": self.n_rows,
            "subject": self.fingerprint,
        }
        total = Evidence(
            metric="schema_changes",
            value=len(self.changes),
            labels=labels,
            verdict=self.verdict,
            threshold=0,
            basis="the contract",
            reason="; ".join(map(str, self.changes[:3])) or None,
            **shared,
        )
        counts = Counter((one.kind, one.column) for one in self.changes)
        first = {(one.kind, one.column): one for one in reversed(self.changes)}
        return (
            total,
            *(
                Evidence(
                    metric="schema_change",
                    value=count,
                    labels=labels | {"change": kind, "column": column},
                    verdict=first[kind, column].verdict,
                    reason=first[kind, column].message,
                    **shared,
                )
                for (kind, column), count in counts.items()
            ),
        )

    def __repr__(self) -> str:
        return (
            f"SchemaChanges({self.contract!r}: {len(self.changes)} in {self.n_rows} rows, "
            f"{self.verdict})"
        )

    def _repr_html_(self) -> str:
        rows = [[one.column, one.kind, one.verdict, one.message] for one in self.changes]
        return html_table(["column", "change", "verdict", "what"], rows, caption=repr(self))


def schema_changes(contract: ContractDescription, frame: pd.DataFrame, /) -> SchemaChanges:
    """Say how a frame differs from what a contract expects to arrive.

    Parameters
    ----------
    contract : ContractDescription
        The contract.
    frame : pandas.DataFrame
        Any dtypes. It is not changed.

    Returns
    -------
    SchemaChanges
        Columns that are missing, were added or stand there twice, with the likely renames; and
        of each column its type, its categories and its gaps, where they are other than expected.
        The dtype makes no difference: text is text as ``object``, ``str``, categories or Arrow.

    Raises
    ------
    MultiIndexColumnsError
        If the columns are a MultiIndex.
    TypeError
        If `frame` is no pandas DataFrame.

    Notes
    -----
    Columns are looked at as a whole. Where values decide, as whether a text column can be read as
    numbers, up to 10,000 distinct ones are tried; the message says if there are more.

    Examples
    --------
    >>> import pandas as pd
    >>> from typing import Literal
    >>> from pydantic import create_model
    >>> from prodml.contracts import Contract
    >>> Order = create_model("Order", amount=(float, ...), country=(Literal["DE", "FR"], ...))
    >>> frame = pd.DataFrame({"Amount": [1.5, 2.0], "country": ["DE", "XX"]})
    >>> for change in Contract(Order).schema_changes(frame):
    ...     print(change)
    column 'amount': is missing; 'Amount' has a name like it
    column 'country': 1 of 2 distinct values are not expected: 'XX'
    column 'Amount': is not in the contract; it may be 'amount' under another name
    """
    from prodml._core.columns import columns_of
    from prodml.contracts._arrivals import value_changes
    from prodml.contracts._readable_frames import require_frame

    require_frame(frame, caller="schema_changes", contract=contract.name)
    labels = list(frame.columns)
    columns = columns_of(frame)
    read = {path[0] for one in contract.fields for path in one.inputs}
    added = [label for label in dict.fromkeys(labels) if label not in read]
    absent = [one for one in contract.fields if not _arrival(one, labels)]
    renames = likely_renames(
        [str(one.inputs[0][0]) for one in absent], [str(label) for label in added]
    )
    found: list[SchemaChange] = []
    for one in contract.fields:
        places = _arrival(one, labels)
        if not places:
            found.append(_missing(one, renames.get(str(one.inputs[0][0]))))
        elif len(places) > 1:
            found.append(_duplicate(str(labels[places[0]]), len(places)))
        elif _is_whole(one, labels[places[0]]):
            found += value_changes(one.type, columns[places[0]], label=str(labels[places[0]]))
    back = {new: old for old, new in renames.items()}
    refused = contract.model.rules.get("extra_behavior") == "forbid"
    found += [_added(str(label), back.get(str(label)), refused=refused) for label in added]
    return SchemaChanges(
        contract=contract.name,
        version=contract.version,
        fingerprint=contract.fingerprint,
        n_rows=len(frame),
        changes=tuple(found),
    )


def _arrival(field: FieldDescription, labels: list[Any]) -> list[int]:
    """Return where the column that a field reads stands: the first of its names that is there."""
    for path in field.inputs:
        places = [place for place, label in enumerate(labels) if label == path[0]]
        if places:
            return places
    return []


def _is_whole(field: FieldDescription, label: Any) -> bool:
    """Say whether a field reads a column itself, and not a part of what stands in it."""
    return (label,) in field.inputs


def _missing(field: FieldDescription, similar: str | None) -> SchemaChange:
    hint = f"; {similar!r} has a name like it" if similar is not None else ""
    other = [repr(path[0]) for path in field.inputs[1:]]
    names = f", also under {', '.join(other)}" if other else ""
    optional = "" if field.required else ", and its default stands in"
    return SchemaChange(
        kind="missing",
        column=str(field.inputs[0][0]),
        expected=type_text(field.type),
        found=None,
        verdict="fail" if field.required else "warn",
        similar=similar,
        message=f"is missing{names}{optional}{hint}",
    )


def _added(label: str, similar: str | None, *, refused: bool) -> SchemaChange:
    hint = f"; it may be {similar!r} under another name" if similar is not None else ""
    rule = ", which forbids others" if refused else ""
    return SchemaChange(
        kind="added",
        column=label,
        expected=None,
        found=label,
        verdict="fail" if refused else "warn",
        similar=similar,
        message=f"is not in the contract{rule}{hint}",
    )


def _duplicate(label: str, n_columns: int) -> SchemaChange:
    return SchemaChange(
        kind="duplicate",
        column=label,
        expected="one column",
        found=f"{n_columns} columns",
        verdict="fail",
        message=f"stands in the frame {n_columns} times, so it is not clear which one is meant",
    )
