"""What features are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prodml._core.render import html_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from prodml.features._plan import Plan
    from prodml.features._steps import Step

__all__ = ["Lineage", "trace_lineage"]


@dataclass(frozen=True, slots=True)
class Lineage:
    """What each output column is made of.

    Attributes
    ----------
    reads : mapping of str to tuple of str
        For each feature, what it reads directly.
    inputs : mapping of str to tuple of str
        For each output column, the inputs that it comes from in the end.
    features : mapping of str to tuple of str
        For each output column, the features on the way, its own among them.
    """

    reads: Mapping[str, tuple[str, ...]]
    inputs: Mapping[str, tuple[str, ...]]
    features: Mapping[str, tuple[str, ...]]

    def columns_of(self, field: str, /) -> tuple[str, ...]:
        """Return the output columns that an input has a part in."""
        return tuple(name for name, inputs in self.inputs.items() if field in inputs)

    def to_dict(self) -> dict[str, Any]:
        """Return it as a dict of lists."""
        return {
            "reads": {name: list(one) for name, one in self.reads.items()},
            "inputs": {name: list(one) for name, one in self.inputs.items()},
            "features": {name: list(one) for name, one in self.features.items()},
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each output column and input."""
        import pandas as pd

        rows = [(name, field) for name, fields in self.inputs.items() for field in fields]
        return pd.DataFrame(rows, columns=["column", "input"])

    def __repr__(self) -> str:
        n_inputs = len({field for fields in self.inputs.values() for field in fields})
        return f"<Lineage: {len(self.inputs)} columns of {n_inputs} inputs>"

    def _repr_html_(self) -> str:
        rows = [
            (name, " <- ".join(reversed(self.features[name])), ", ".join(fields))
            for name, fields in self.inputs.items()
        ]
        return html_table(("column", "features", "inputs"), rows)


def trace_lineage(plan: Plan, outputs: Sequence[Step], /) -> Lineage:
    """Return the lineage of output columns."""
    inputs, features = {}, {}
    for step in outputs:
        above = plan.upstream([step.name])
        for name in step.names:
            inputs[name] = tuple(one.name for one in above.fields)
            features[name] = tuple(one.name for one in above.features)
    return Lineage({one.name: one.inputs for one in plan.features}, inputs, features)
