"""Whether features are the same in every way, and what odd values came in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from prodml._core.render import html_table
from prodml.errors import FeatureError
from prodml.evidence import Evidence
from prodml.features._batch_kernel import ColumnRun
from prodml.features._cast_columns import cast_frame, gaps_of
from prodml.features._cast_values import LARGEST_EXACT
from prodml.features._frame_checks import check_frame
from prodml.features._proof import differing, prove
from prodml.features._proof_rows import candidate_rows, choose_rows, record_at, rows_at
from prodml.features.lint import LintFinding, lint_function

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd

    from prodml.features._plan import Plan
    from prodml.features._proof import Proof
    from prodml.features._steps import Step
    from prodml.features._trial import Refusal

__all__ = ["CheckReport", "FeatureFault", "Served", "check_features"]


_CHANGED: Final = (
    "its code, or a value that it reads, is no longer what was fitted: whole columns follow the "
    "change, and the compiled kernel does not"
)


class Served(NamedTuple):
    """The kernel that serves single records, and the names of what it returns."""

    run: Callable[[Mapping[str, Any]], list[Any]]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FeatureFault:
    """A feature that is not the same in every way.

    Attributes
    ----------
    feature : str
        Which one.
    reason : str
        What differs, for a person.
    row : int or None
        A row of the frame, by position; None where only a made-up row shows it.
    """

    feature: str
    reason: str
    row: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What a check of features over a frame found.

    Attributes
    ----------
    n_rows : int
        Rows of the frame.
    n_compared : int
        Rows on which whole columns, single rows and the compiled kernel were compared; made-up
        ones among them.
    faults : tuple of FeatureFault
        Features that are not the same in every way.
    n_missing, n_infinite : mapping of str to int
        For each input, the rows without a value and with an infinite one.
    n_unknown : mapping of str to int
        For each feature of categories, the rows with a value that it did not learn.
    findings : mapping of str to tuple of LintFinding
        For each feature, what a reader of its code would warn of.
    length_one : mapping of str to str
        Features whose compiled lines gave other bits, so that they are called as they are.
    failing : tuple of Refusal
        Made-up rows on which a feature fails: which one, where, and what it said.
    subject : str
        Fingerprint of the features.
    """

    n_rows: int
    n_compared: int
    faults: tuple[FeatureFault, ...]
    n_missing: Mapping[str, int]
    n_infinite: Mapping[str, int]
    n_unknown: Mapping[str, int]
    findings: Mapping[str, tuple[LintFinding, ...]]
    length_one: Mapping[str, str]
    failing: tuple[Refusal, ...]
    subject: str

    @property
    def passed(self) -> bool:
        """Whether every feature is the same in every way."""
        return not self.faults

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "n_rows": self.n_rows,
            "n_compared": self.n_compared,
            "faults": [
                {"feature": one.feature, "reason": one.reason, "row": one.row}
                for one in self.faults
            ],
            "n_missing": dict(self.n_missing),
            "n_infinite": dict(self.n_infinite),
            "n_unknown": dict(self.n_unknown),
            "findings": {
                name: [f"{one.severity}: {one.message}" for one in found]
                for name, found in self.findings.items()
            },
            "length_one": dict(self.length_one),
            "failing": [
                {"feature": one.feature, "where": one.where, "error": one.error}
                for one in self.failing
            ],
            "subject": self.subject,
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each thing that was counted or found."""
        import pandas as pd

        return pd.DataFrame(self._rows(), columns=["about", "name", "result"])

    def _rows(self) -> list[tuple[str, str, str]]:
        rows = [("fault", one.feature, one.reason) for one in self.faults]
        for about, counts in (
            ("missing", self.n_missing),
            ("infinite", self.n_infinite),
            ("unknown category", self.n_unknown),
        ):
            rows += [(about, name, f"{n:,} of {self.n_rows:,}") for name, n in counts.items() if n]
        for name, found in self.findings.items():
            rows += [(one.severity, name, one.message) for one in found]
        rows += [("not traced", name, why) for name, why in self.length_one.items()]
        rows += [("fails", one.feature, f"{one.where}: {one.error}") for one in self.failing]
        return rows

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return the faults, and the share of odd values for each input or feature."""
        out = [
            Evidence(
                kind="features",
                metric="faulty_features",
                value=len({one.feature for one in self.faults}),
                n=self.n_compared,
                verdict="pass" if self.passed else "fail",
                threshold=0,
                basis="features must be the same in a batch and alone",
                reason=self.faults[0].reason if self.faults else None,
                method="bitwise comparison",
                subject=self.subject,
            )
        ]
        for metric, label, counts in (
            ("missing_fraction", "column", self.n_missing),
            ("infinite_fraction", "column", self.n_infinite),
            ("unknown_fraction", "feature", self.n_unknown),
        ):
            out += [self._fraction(metric, {label: name}, count) for name, count in counts.items()]
        return tuple(out)

    def _fraction(self, metric: str, labels: dict[str, str], count: int) -> Evidence:
        if not self.n_rows:
            return Evidence(
                kind="features",
                metric=metric,
                value=None,
                status="insufficient_data",
                reason="the frame is empty",
                labels=labels,
                n=0,
                subject=self.subject,
            )
        return Evidence(
            kind="features",
            metric=metric,
            value=count / self.n_rows,
            labels=labels,
            n=self.n_rows,
            subject=self.subject,
        )

    def __repr__(self) -> str:
        n_faults = len(self.faults)
        found = "all the same" if self.passed else f"{n_faults} fault{'s' * (n_faults > 1)}"
        return f"<CheckReport: {self.n_compared:,} rows compared, {found}>"

    def _repr_html_(self) -> str:
        return html_table(("about", "name", "result"), self._rows(), caption=repr(self)[1:-1])


def check_features(
    plan: Plan,
    steps: Sequence[Step],
    demoted: Mapping[str, str],
    frame: pd.DataFrame,
    /,
    *,
    served: Served,
    changed: Sequence[str],
    subject: str,
) -> CheckReport:
    """Compare features in every way over rows of a frame, and count its odd values.

    Parameters
    ----------
    plan : Plan
        The order of the features.
    steps : sequence of Step
        The features, ready.
    demoted : mapping of str to str
        Those that are not traced since they gave other bits.
    frame : pandas.DataFrame
        Rows to look at.
    served : Served
        What serves single records.
    changed : sequence of str
        Features whose code is no longer the code that was fitted.
    subject : str
        Fingerprint of the features.
    """
    check_frame(frame, "What is checked")
    n_rows = len(frame)
    columns = cast_frame(frame, plan.fields)
    run = ColumnRun(columns, n_rows)
    faults, n_compared, demoted_now, failing = _compare(plan, steps, demoted, run, served)
    faults = (*(FeatureFault(name, _CHANGED) for name in changed), *faults)
    floats = {name: one for name, one in columns.items() if one.dtype.kind == "f"}
    return CheckReport(
        n_rows=n_rows,
        n_compared=n_compared,
        faults=faults,
        n_missing={name: int(gaps_of(one).sum()) for name, one in columns.items()},
        n_infinite={name: int(np.isinf(one).sum()) for name, one in floats.items()},
        n_unknown=_count_unknown(steps, run),
        findings={
            step.name: found
            for step in steps
            if (found := lint_function(step.feature.function, elementwise=step.feature.elementwise))
        },
        length_one=demoted_now,
        failing=failing,
        subject=subject,
    )


def _compare(
    plan: Plan,
    steps: Sequence[Step],
    demoted: Mapping[str, str],
    run: ColumnRun,
    served: Served,
) -> tuple[tuple[FeatureFault, ...], int, dict[str, str], tuple[Refusal, ...]]:
    """Return what differs, the rows compared, what is not traced, and what fails."""
    inputs, chosen = dict(run.columns), np.empty(0, dtype=np.int64)
    try:
        for step in steps:
            run.compute(step)
        chosen = _rows_to_compare(inputs, run.n_rows)
        proof = prove(
            plan,
            steps,
            rows_at(inputs, chosen),
            len(chosen),
            trained={name: run.columns[name][chosen] for step in steps for name in step.names},
            positions=chosen,
        )
    except FeatureError as error:
        row = getattr(error, "row", None)
        fault = FeatureFault(getattr(error, "feature", ""), str(error), row)
        return (fault,), len(chosen), dict(demoted), ()
    faults = [
        # it was served as compiled, and that is not what a batch gives
        FeatureFault(name, f"the compiled kernel {why}")
        for name, why in proof.demoted.items()
        if name not in demoted
    ]
    faults += _served_otherwise(plan, proof, served)
    return tuple(faults), proof.n_rows, proof.demoted, proof.refusals


def _served_otherwise(plan: Plan, proof: Proof, served: Served) -> list[FeatureFault]:
    """Return the columns that the kernel in service computes otherwise than a batch does now."""
    # no float holds the other integers: neither a batch nor a record gives them out
    given = np.flatnonzero(
        np.all([_are_exact(proof.outputs[name]) for name in served.columns], axis=0)
    )
    if not given.size:
        return []
    rows = [
        np.array(served.run(record_at(plan.fields, proof.inputs, row)), dtype=np.float64)
        for row in given.tolist()
    ]
    faults = []
    for name, single in zip(served.columns, np.array(rows).T, strict=True):
        batch = proof.outputs[name][given].astype(np.float64)
        found = differing(np.ascontiguousarray(single), batch)
        if found.size:
            row = int(found[0])
            reason = f"a record is served {single[row]!s} where a batch now gives {batch[row]!s}"
            faults.append(FeatureFault(name, reason))
    return faults


def _are_exact(column: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    if column.dtype.kind != "i":
        return np.ones(len(column), dtype=bool)
    exact: npt.NDArray[np.bool_] = (column >= -LARGEST_EXACT) & (column <= LARGEST_EXACT)
    return exact


def _rows_to_compare(columns: dict[str, Any], n_rows: int) -> npt.NDArray[np.int64]:
    candidates = candidate_rows(columns, n_rows)
    positions: npt.NDArray[np.int64] = candidates[
        choose_rows(rows_at(columns, candidates), len(candidates))
    ]
    return positions


def _count_unknown(steps: Sequence[Step], run: ColumnRun) -> dict[str, int]:
    counts = {}
    for step in steps:
        knows = getattr(step.feature.function, "knows", None)
        if knows is None or step.inputs[0] not in run.columns:
            continue
        values, sizes = _counted(run.columns[step.inputs[0]])
        unknown = [not knows(value, step.state) for value in values]
        counts[step.name] = int(np.sum(sizes, where=np.array(unknown, dtype=bool)))
    return counts


def _counted(column: Any) -> tuple[list[Any], Any]:
    tally: dict[Any, int] = {}
    for value in column.tolist():
        if value is not None and value == value:  # noqa: PLR0124 - NaN
            tally[value] = tally.get(value, 0) + 1
    return list(tally), np.array(list(tally.values()), dtype=np.int64)
