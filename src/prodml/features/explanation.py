"""How features are computed, told to a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prodml._core.render import html_code, html_table

if TYPE_CHECKING:
    import pandas as pd

    from prodml.features._record_kernel import RecordKernel
    from prodml.features._steps import Step
    from prodml.features.fingerprint import CodeFingerprint

__all__ = ["FeatureExplanation", "SetExplanation", "explain_feature"]

_LONGEST_STATE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureExplanation:
    """How one feature is computed.

    Attributes
    ----------
    name : str
        The feature.
    inputs : tuple of str
        What it reads.
    columns : tuple of str
        Its columns.
    kind : str
        ``"model_independent"``, ``"model_dependent"`` or ``"on_demand"``.
    single_record : str
        How one record is computed: ``"traced"``, ``"elementwise"`` or ``"columns of length 1"``.
    reason : str
        Why it is not traced, or empty.
    state : object
        What it learned, or None.
    source : str
        Its code.
    fingerprint : str
        What identifies its definition.
    """

    name: str
    inputs: tuple[str, ...]
    columns: tuple[str, ...]
    kind: str
    single_record: str
    reason: str
    state: Any
    source: str
    fingerprint: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as a dict; the state as text."""
        return {
            "name": self.name,
            "inputs": list(self.inputs),
            "columns": list(self.columns),
            "kind": self.kind,
            "single_record": self.single_record,
            "reason": self.reason,
            "state": "" if self.state is None else _shortened(repr(self.state)),
            "source": self.source,
            "fingerprint": self.fingerprint,
        }

    def __str__(self) -> str:
        lines = [f"{self.name} <- {', '.join(self.inputs)}", f"single record: {self.single_record}"]
        if self.reason:
            lines.append(f"not traced: {self.reason}")
        if self.state is not None:
            lines.append(f"state: {_shortened(repr(self.state))}")
        return "\n".join([*lines, "", self.source])

    def _repr_html_(self) -> str:
        rows = [
            ("reads", ", ".join(self.inputs)),
            ("columns", ", ".join(self.columns)),
            ("kind", self.kind),
            ("single record", self.single_record),
            ("why not traced", self.reason),
            ("state", "" if self.state is None else _shortened(repr(self.state))),
            ("fingerprint", self.fingerprint),
        ]
        return html_table(("", self.name), [row for row in rows if row[1]]) + html_code(self.source)


@dataclass(frozen=True, slots=True)
class SetExplanation:
    """How all features of a set are computed.

    Attributes
    ----------
    features : tuple of FeatureExplanation
        In the order of definition.
    name : str
        The set.
    """

    features: tuple[FeatureExplanation, ...]
    name: str

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each feature."""
        import pandas as pd

        return pd.DataFrame([one.to_dict() for one in self.features])

    def __str__(self) -> str:
        width = max(len(one.name) for one in self.features)
        return "\n".join(
            f"{one.name:<{width}}  {one.single_record}" + (f" ({one.reason})" if one.reason else "")
            for one in self.features
        )

    def _repr_html_(self) -> str:
        rows = [
            (one.name, ", ".join(one.inputs), one.single_record, one.reason, one.fingerprint[:12])
            for one in self.features
        ]
        header = ("feature", "reads", "single record", "why not traced", "fingerprint")
        return html_table(header, rows, caption=self.name)


def explain_feature(
    step: Step, kernel: RecordKernel, fingerprint: CodeFingerprint, /
) -> FeatureExplanation:
    """Return how a feature is computed."""
    return FeatureExplanation(
        name=step.name,
        inputs=step.inputs,
        columns=step.names,
        kind=step.feature.kind,
        single_record=kernel.ways[step.name],
        reason=kernel.reasons.get(step.name, ""),
        state=step.state,
        source=fingerprint.source,
        fingerprint=fingerprint.digest,
    )


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_STATE else f"{text[: _LONGEST_STATE - 3]}..."
