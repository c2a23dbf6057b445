"""Evidence: what every measurement returns, and what every decision reads.

A validation, a drift report, a bias audit or a latency snapshot states its findings as a tuple
of :class:`Evidence`. A card, a gate, an alert rule or an audit log reads them, without knowing
where they came from. One piece of evidence is one number with its uncertainty, its sample, what
it is about, and, where one was reached, a verdict.

Examples
--------
>>> from prodml.evidence import ConfidenceInterval, Evidence
>>> psi = Evidence(
...     kind="drift",
...     metric="psi",
...     value=0.031,
...     confidence_interval=ConfidenceInterval(low=0.012, high=0.058),
...     n=16281,
...     labels={"column": "age"},
...     threshold=0.2,
...     basis="common practice",
...     verdict="pass",
... )
>>> psi.series
'drift_psi{column="age"}'
>>> Evidence.from_json(psi.to_json()) == psi
True
>>> Evidence(kind="drift", metric="psi", value=float("nan"))
Traceback (most recent call last):
    ...
prodml.errors.EvidenceError: `value` is NaN; give None with the status that says why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - so that the types of the fields can be resolved
from typing import Any, Final, Literal, get_args

from prodml._evidence_fields import (
    ConfidenceInterval,
    EvidenceTable,
    Labels,
    plain_number,
    plain_text,
    utc_moment,
    whole_count,
)
from prodml._evidence_json import read_fields, write_fields
from prodml.errors import EvidenceError, FormatError

__all__ = [
    "ConfidenceInterval",
    "Evidence",
    "EvidenceTable",
    "Labels",
    "Status",
    "Verdict",
    "collect_evidence",
    "worst_verdict",
]

#: Could it be measured? ``small``: yes, from so few observations that it should not decide alone.
Status = Literal["ok", "small", "insufficient_data", "not_estimable"]

#: What was decided. ``inconclusive`` blocks where ``pass`` is needed, yet is not a ``fail``.
Verdict = Literal["pass", "warn", "fail", "inconclusive"]

_UNMEASURED: Final = frozenset({"insufficient_data", "not_estimable"})
_VERDICTS_FROM_BEST: Final[tuple[Verdict, ...]] = ("pass", "warn", "inconclusive", "fail")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One measurement, with what is needed to judge it and to trust it.

    Immutable, hashable, picklable and JSON-able.

    Attributes
    ----------
    kind : str
        The area: ``"drift"``, ``"fairness"``, ``"data_quality"``. Lower-case words joined by _.
    metric : str
        What was measured: ``"psi"``, ``"p99"``, ``"rejected_fraction"``. Lower case likewise.
    value : int, float or None
        None means that it could not be measured; `status` says why. Never NaN. Infinite values
        are kept; whole numbers beyond 2 ** 53 become floats, as they would in other readers of
        JSON.
    status : {"ok", "small", "insufficient_data", "not_estimable"}, default "ok"
        Whether it could be measured. `value` is None in the last two, and only there.
    confidence_interval : ConfidenceInterval, optional
        The sampling uncertainty of `value`; not without one.
    n : int, optional
        Observations behind `value`.
    labels : mapping of str to str, optional
        What it is about: ``{"column": "age"}``, ``{"sex": "f", "race": "b"}``.
    verdict : {"pass", "warn", "fail", "inconclusive"}, optional
        What was decided, where something was. A value that could not be measured never passes.
    threshold : int or float, optional
        What `value` was held against.
    basis : str, optional
        Where the threshold comes from: a law, a policy, a habit.
    method : str, optional
        How `value` was computed.
    reason : str, optional
        Why the status or the verdict is what it is, for a person.
    subject : str, optional
        Fingerprint of what was measured: data, model or contract.
    at : datetime, optional
        When it was measured; aware, held in UTC.
    table : EvidenceTable, optional
        A small table to draw.

    Raises
    ------
    EvidenceError
        If fields contradict each other; ``.field`` names the one at fault.

    Examples
    --------
    >>> Evidence(
    ...     kind="fairness",
    ...     metric="auc",
    ...     value=None,
    ...     status="insufficient_data",
    ...     reason="one class only",
    ...     labels={"sex": "f"},
    ... )
    Evidence fairness_auc{sex="f"} = None (insufficient_data: one class only)
    """

    kind: str
    metric: str
    value: float | None
    status: Status = "ok"
    confidence_interval: ConfidenceInterval | None = None
    n: int | None = None
    labels: Mapping[str, str] = field(default_factory=Labels)
    verdict: Verdict | None = None
    threshold: float | None = None
    basis: str | None = None
    method: str | None = None
    reason: str | None = None
    subject: str | None = None
    at: datetime | None = None
    table: EvidenceTable | None = None

    def __post_init__(self) -> None:
        """Bring every field into its one plain form, and refuse contradictions."""
        self._check_names()
        for name in ("basis", "method", "reason", "subject"):
            if (text := getattr(self, name)) is not None:
                object.__setattr__(self, name, plain_text(text, field=name))
        for name in ("value", "threshold"):
            if (number := getattr(self, name)) is not None:
                object.__setattr__(self, name, plain_number(number, field=name))
        if self.n is not None:
            object.__setattr__(self, "n", whole_count(self.n))
        if not isinstance(self.labels, Labels):
            object.__setattr__(self, "labels", Labels(self.labels))
        if self.at is not None:
            object.__setattr__(self, "at", utc_moment(self.at))
        self._check_agreement()

    def _check_names(self) -> None:
        for name in ("kind", "metric"):
            text = plain_text(getattr(self, name), field=name)
            if not _NAME.fullmatch(text):
                message = f"`{name}` must be lower-case words joined by _, got {text!r}."
                raise EvidenceError(message, field=name)
            object.__setattr__(self, name, text)
        if self.status not in get_args(Status):
            message = f"`status` must be one of {get_args(Status)}, got {self.status!r}."
            raise EvidenceError(message, field="status")
        if self.verdict is not None and self.verdict not in get_args(Verdict):
            message = f"`verdict` must be one of {get_args(Verdict)}, got {self.verdict!r}."
            raise EvidenceError(message, field="verdict")
        for name, kind in (("confidence_interval", ConfidenceInterval), ("table", EvidenceTable)):
            given = getattr(self, name)
            if given is not None and not isinstance(given, kind):
                message = f"`{name}` must be of {kind.__name__}, got {type(given).__name__}."
                raise EvidenceError(message, field=name)

    def _check_agreement(self) -> None:
        if (self.value is None) != (self.status in _UNMEASURED):
            message = (
                f"`status` is {self.status!r} while `value` is {self.value}; a value is None when, "
                f"and only when, the status is one of {tuple(sorted(_UNMEASURED))}."
            )
            raise EvidenceError(message, field="status")
        if self.value is None and self.verdict == "pass":
            message = "`verdict` is 'pass' for something that was not measured."
            raise EvidenceError(message, field="verdict")
        if self.value is None and self.confidence_interval is not None:
            message = "`confidence_interval` is given for something that was not measured."
            raise EvidenceError(message, field="confidence_interval")

    @property
    def series(self) -> str:
        """Its address, written like a Prometheus series: ``drift_psi{column="age"}``."""
        name = f"{self.kind}_{self.metric}"
        if not self.labels:
            return name
        pairs = ",".join(f'{label}="{_escape(text)}"' for label, text in self.labels.items())
        return f"{name}{{{pairs}}}"

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return itself in a tuple, so that whatever takes a result takes evidence too."""
        return (self,)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, the same ones for equal evidence.

        Fields that say nothing are left out. Infinities are words, and whole numbers are ints.
        """
        return write_fields(self)

    def to_json(self) -> str:
        """Return canonical JSON in ASCII: sorted keys, no spaces, equal for equal evidence."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], /) -> Evidence:
        """Restore evidence from :meth:`to_dict`.

        Raises
        ------
        FormatError
            If fields are missing, unknown or damaged.
        EvidenceError
            If the fields contradict each other.
        """
        return cls(**read_fields(content, known=frozenset(cls.__dataclass_fields__)))

    @classmethod
    def from_json(cls, text: str | bytes, /) -> Evidence:
        """Restore evidence from :meth:`to_json`.

        Raises
        ------
        FormatError
            If `text` is not JSON, or not that of evidence.
        EvidenceError
            If the fields contradict each other.
        """
        try:
            content = json.loads(text)
        except ValueError as error:
            message = f"Not JSON: {error}."
            raise FormatError(message) from error
        if not isinstance(content, dict):
            message = f"Evidence is a JSON object, got {type(content).__name__}."
            raise FormatError(message)
        return cls.from_dict(content)

    def __repr__(self) -> str:
        head = f"Evidence {self.series} = {self.value}"
        if self.status != "ok" or self.reason:
            why = f": {self.reason}" if self.reason else ""
            head += f" ({self.status}{why})"
        return f"{head} -> {self.verdict}" if self.verdict else head


def worst_verdict(verdicts: Iterable[Verdict | None], /) -> Verdict | None:
    """Return the verdict that decides: fail before inconclusive, warn and pass.

    Parameters
    ----------
    verdicts : iterable of Verdict or None
        None stands for "nothing was decided" and has no say.

    Returns
    -------
    Verdict or None
        None when nothing was decided at all.

    Raises
    ------
    EvidenceError
        On anything else than a verdict.

    Examples
    --------
    >>> worst_verdict(["pass", "inconclusive", None, "warn"])
    'inconclusive'
    >>> worst_verdict([]) is None
    True
    """
    reached = [verdict for verdict in verdicts if verdict is not None]
    for verdict in reached:
        if verdict not in _VERDICTS_FROM_BEST:
            message = f"A verdict is one of {get_args(Verdict)}, got {verdict!r}."
            raise EvidenceError(message, field="verdict")
    return max(reached, key=_VERDICTS_FROM_BEST.index, default=None)


def collect_evidence(*sources: Any) -> tuple[Evidence, ...]:
    """Return all evidence of some results, in their order.

    Parameters
    ----------
    *sources : EvidenceSource, or iterable of them
        Results, pieces of evidence, or lists of either.

    Raises
    ------
    TypeError
        If something has no ``to_evidence``.

    Examples
    --------
    >>> one = Evidence(kind="latency", metric="p99", value=0.012)
    >>> collect_evidence(one, [one]) == (one, one)
    True
    """
    found: list[Evidence] = []
    for source in sources:
        if hasattr(source, "to_evidence"):
            found.extend(source.to_evidence())
        elif isinstance(source, Iterable) and not isinstance(source, str | bytes | Mapping):
            found.extend(collect_evidence(*source))
        else:
            message = f"{type(source).__name__} has no to_evidence() method, so it is no evidence."
            raise TypeError(message)
    return tuple(found)


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
