"""What a validation counted: a small, mergeable summary without row data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self

from prodml._frozen_mapping import FrozenMapping
from prodml.contracts.quality import QualityScores, quality_evidence, score_quality
from prodml.errors import FormatError, MergeError
from prodml.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["ValidationSummary"]

_FORMAT: Final = "prodml-validation-summary/1"
#: Fields that hold counts by name.
_COUNTS: Final = ("n_missing", "n_failed", "violations", "changes")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationSummary:
    """Counts of one or many validations by one contract.

    :class:`~prodml.protocols.Mergeable`: the summaries of the parts of a stream, or of the
    partitions of a distributed frame, add up to the summary of the whole, in any order. Whether a
    key is unique is known only where the parts are seen one after another, as
    :meth:`~prodml.contracts.Contract.validate_chunks` sees them.

    Immutable, hashable, picklable. It holds no values of any row, hence is small and safe to keep.

    Attributes
    ----------
    contract, version, fingerprint : str
        Which contract judged.
    columns : tuple of str
        The columns the contract reads.
    unique : tuple of str
        Those that a Unique check names first.
    n_rows, n_accepted : int
        Rows that came in, and rows that fit.
    n_missing : mapping of str to int
        Cells without a value, by column; all of them where the column did not arrive.
    n_failed : mapping of str to int
        Rows rejected on account of the column.
    violations : mapping of (str, str) to int
        How often each (column, rule) was broken.
    newest : mapping of str to datetime
        The newest accepted moment of each column that a Freshness check reads, in UTC.
    changes : mapping of (str, str) to int
        Rows that arrived under a changed schema, by (kind of change, column).

    Raises
    ------
    ValueError
        If a count is no whole number >= 0, more rows are accepted than arrived, or a moment has
        no time zone.

    Examples
    --------
    >>> import pandas as pd
    >>> from pydantic import BaseModel
    >>> from prodml.contracts import Contract
    >>> class Order(BaseModel):
    ...     quantity: int
    >>> contract = Contract(Order)
    >>> parts = [pd.DataFrame({"quantity": ["1", "x"]}), pd.DataFrame({"quantity": [3]})]
    >>> sum(contract.validate_frame(part).summary for part in parts)
    ValidationSummary('Order': 3 rows = 2 accepted + 1 rejected)
    """

    contract: str
    version: str
    fingerprint: str
    columns: tuple[str, ...]
    unique: tuple[str, ...] = ()
    n_rows: int = 0
    n_accepted: int = 0
    n_missing: Mapping[str, int] = field(default_factory=FrozenMapping)
    n_failed: Mapping[str, int] = field(default_factory=FrozenMapping)
    violations: Mapping[tuple[str, str], int] = field(default_factory=FrozenMapping)
    newest: Mapping[str, datetime] = field(default_factory=FrozenMapping)
    changes: Mapping[tuple[str, str], int] = field(default_factory=FrozenMapping)

    def __post_init__(self) -> None:
        """Bring counts and moments into their one form: nothing that is zero, all in UTC."""
        _check_counts("n_rows", (self.n_rows,))
        _check_counts("n_accepted", (self.n_accepted,))
        if self.n_accepted > self.n_rows:
            message = f"`n_accepted` is {self.n_accepted}, of {self.n_rows} rows."
            raise ValueError(message)
        for name in _COUNTS:
            counts: Mapping[Any, int] = getattr(self, name)
            _check_counts(name, counts.values())
            kept = FrozenMapping({key: count for key, count in counts.items() if count})
            object.__setattr__(self, name, kept)
        for name, moment in self.newest.items():
            if moment.utcoffset() is None:
                message = f"`newest[{name!r}]` must have a time zone, got {moment!r}."
                raise ValueError(message)
        in_utc = {name: moment.astimezone(UTC) for name, moment in self.newest.items()}
        object.__setattr__(self, "newest", FrozenMapping(in_utc))

    @property
    def n_rejected(self) -> int:
        """Rows that do not fit."""
        return self.n_rows - self.n_accepted

    @property
    def rejected_fraction(self) -> float | None:
        """Share of rows that do not fit; None without rows."""
        return self.n_rejected / self.n_rows if self.n_rows else None

    @property
    def quality(self) -> QualityScores:
        """Completeness, validity and uniqueness of each column, and the share that was accepted."""
        return score_quality(self)

    def merge(self, other: ValidationSummary, /) -> ValidationSummary:
        """Return the summary of both.

        Raises
        ------
        MergeError
            If `other` is of another contract, or of another version of it.
        """
        mine = (self.contract, self.version, self.fingerprint)
        theirs = (other.contract, other.version, other.fingerprint)
        if mine != theirs:
            message = f"Summaries of different contracts cannot be added: {mine} and {theirs}."
            raise MergeError(message, left=mine, right=theirs)
        return replace(
            self,
            n_rows=self.n_rows + other.n_rows,
            n_accepted=self.n_accepted + other.n_accepted,
            n_missing=_combined(self.n_missing, other.n_missing, int.__add__),
            n_failed=_combined(self.n_failed, other.n_failed, int.__add__),
            violations=_combined(self.violations, other.violations, int.__add__),
            newest=_combined(self.newest, other.newest, max),
            changes=_combined(self.changes, other.changes, int.__add__),
        )

    def __add__(self, other: object) -> ValidationSummary:
        return self.merge(other) if isinstance(other, ValidationSummary) else NotImplemented

    def __radd__(self, other: object) -> ValidationSummary:
        # sum() starts from 0
        return self if other == 0 else NotImplemented

    def empty(self) -> ValidationSummary:
        """Return the summary of no rows by the same contract."""
        return ValidationSummary(
            contract=self.contract,
            version=self.version,
            fingerprint=self.fingerprint,
            columns=self.columns,
            unique=self.unique,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "format": _FORMAT,
            "contract": self.contract,
            "version": self.version,
            "fingerprint": self.fingerprint,
            "columns": list(self.columns),
            "unique": list(self.unique),
            "n_rows": self.n_rows,
            "n_accepted": self.n_accepted,
            "n_missing": dict(sorted(self.n_missing.items())),
            "n_failed": dict(sorted(self.n_failed.items())),
            "violations": [[*key, count] for key, count in sorted(self.violations.items())],
            "newest": {name: at.isoformat() for name, at in sorted(self.newest.items())},
            "changes": [[*key, count] for key, count in sorted(self.changes.items())],
        }

    def to_bytes(self) -> bytes:
        """Return canonical JSON: equal summaries give equal bytes."""
        content = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return content.encode()

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], /) -> Self:
        """Restore a summary from :meth:`to_dict`.

        Raises
        ------
        FormatError
            If it is something else.
        """
        given: Any = content
        if not isinstance(given, Mapping) or given.get("format") != _FORMAT:
            message = f"Not a {_FORMAT}."
            raise FormatError(message)
        structured = {"columns", "unique", "violations", "newest", "changes"}
        try:
            return cls(
                **{
                    one.name: content[one.name] for one in fields(cls) if one.name not in structured
                },
                columns=tuple(content["columns"]),
                unique=tuple(content["unique"]),
                violations={(column, rule): n for column, rule, n in content["violations"]},
                newest={k: datetime.fromisoformat(at) for k, at in content["newest"].items()},
                changes={(kind, column): n for kind, column, n in content["changes"]},
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            message = f"A {_FORMAT} that is damaged: {error!r}."
            raise FormatError(message) from error

    @classmethod
    def from_bytes(cls, data: bytes, /) -> Self:
        """Restore a summary from :meth:`to_bytes`.

        Raises
        ------
        FormatError
            If `data` is something else.
        """
        try:
            content = json.loads(data)
        except ValueError as error:
            message = f"Not JSON: {error}."
            raise FormatError(message) from error
        return cls.from_dict(content)

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return share rejected, quality by column, broken rules and schema changes."""
        labels = {"contract": self.contract}
        shared: dict[str, Any] = {"kind": "data_quality", "subject": self.fingerprint}
        out = [
            Evidence(
                metric="rejected_fraction",
                value=self.rejected_fraction,
                status="ok" if self.n_rows else "insufficient_data",
                reason=None if self.n_rows else "no rows",
                n=self.n_rows,
                labels=labels,
                **shared,
            ),
            *quality_evidence(self),
        ]
        for (column, rule), count in sorted(self.violations.items()):
            where = labels | {"column": column, "rule": rule}
            out.append(
                Evidence(metric="violations", value=count, n=self.n_rows, labels=where, **shared)
            )
        for (change, column), count in sorted(self.changes.items()):
            where = labels | {"change": change, "column": column}
            out.append(
                Evidence(
                    metric="schema_change_rows",
                    value=count,
                    n=self.n_rows,
                    labels=where,
                    verdict="warn",
                    **shared,
                )
            )
        return tuple(out)

    def __repr__(self) -> str:
        return (
            f"ValidationSummary({self.contract!r}: {self.n_rows} rows = "
            f"{self.n_accepted} accepted + {self.n_rejected} rejected)"
        )


def _check_counts(name: str, counts: Iterable[Any]) -> None:
    for count in counts:
        if type(count) is not int or count < 0:
            message = f"`{name}` must hold whole numbers >= 0, got {count!r}."
            raise ValueError(message)


def _combined(
    left: Mapping[Any, Any], right: Mapping[Any, Any], combine: Callable[[Any, Any], Any]
) -> dict[Any, Any]:
    both = dict(left)
    for key, value in right.items():
        both[key] = combine(both[key], value) if key in both else value
    return both
