"""What came of golden rows that were computed again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from prodml._core.render import html_table
from prodml.errors import SkewError
from prodml.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["GoldenDifference", "GoldenReplay", "ReplayPath"]

#: By whole columns, record by record, or through the model.
ReplayPath = Literal["transform", "transform_one", "predict"]

_MOST_TOLD: Final = 5
_BASIS: Final = "the same bits; with another numpy, CPU or math library 4 ulp"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenDifference:
    """A value that comes out otherwise than it was recorded.

    Attributes
    ----------
    feature : str
        The column; of predictions ``"prediction"``, with the number of the output where there are
        several.
    row : int
        Which of the golden rows.
    path : {"transform", "transform_one", "predict"}
        How it was computed.
    expected, got : object
        The recorded value, and the one of today.
    ulps : int or None
        How many floats lie between the two; None where one is NaN or infinite, or no float.
    """

    feature: str
    row: int
    path: ReplayPath
    expected: Any
    got: Any
    ulps: int | None

    def __str__(self) -> str:
        steps = "" if self.ulps is None else f", {self.ulps:,} ulp"
        return (
            f"{self.feature!r} in row {self.row} by {self.path}: "
            f"{self.got!r} instead of {self.expected!r}{steps}"
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class GoldenReplay:
    """Golden rows, computed again and compared. Immutable, picklable.

    Attributes
    ----------
    n_rows : int
        Golden rows.
    n_compared : mapping of str to int
        Values that were compared, for each path that could be taken.
    differences : tuple of GoldenDifference
        All values that differ by more than is allowed.
    faults : tuple of str
        What kept values from being compared: columns that came or went, rows that fail.
    recorded_fingerprint, fingerprint : str
        Of the features when the rows were taken, and of those that computed them now.
    recorded_environment, environment : str
        The version of numpy, CPU and math library, then and now.
    most_ulps : int
        What was allowed: 0 in the same environment.
    """

    n_rows: int
    n_compared: Mapping[str, int]
    differences: tuple[GoldenDifference, ...]
    faults: tuple[str, ...]
    recorded_fingerprint: str
    fingerprint: str
    recorded_environment: str
    environment: str
    most_ulps: int

    @property
    def passed(self) -> bool:
        """Whether everything could be compared and nothing differs."""
        return not self.differences and not self.faults

    @property
    def same_fingerprint(self) -> bool:
        """Whether the code, the inputs and the states are those of the recording."""
        return self.recorded_fingerprint == self.fingerprint

    @property
    def same_environment(self) -> bool:
        """Whether the recording was made where every bit must be the same."""
        return self.recorded_environment == self.environment

    def raise_for_skew(self) -> Self:
        """Return itself if nothing differs.

        Raises
        ------
        SkewError
            Otherwise. The message says first if these are other features than the recorded ones;
            ``.differences`` has every value.
        """
        if self.passed:
            return self
        told = [] if self.same_fingerprint else [self._other_features()]
        told += self.faults
        if self.differences:
            first = "; ".join(map(str, self.differences[:_MOST_TOLD]))
            more = len(self.differences) - _MOST_TOLD
            told.append(
                f"{len(self.differences):,} of {sum(self.n_compared.values()):,} values differ "
                f"from the golden rows: {first}{f'; and {more:,} more' if more > 0 else ''}."
            )
        told.append("Serve the features that were recorded, or take golden rows anew.")
        raise SkewError(" ".join(told), differences=self.differences)

    def _other_features(self) -> str:
        return (
            f"These are other features (fingerprint {self.fingerprint[:12]}) than the recorded "
            f"ones ({self.recorded_fingerprint[:12]})."
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the differences, one a row."""
        import pandas as pd

        names = ["feature", "row", "path", "expected", "got", "ulps"]
        rows = [[getattr(one, name) for name in names] for one in self.differences]
        return pd.DataFrame(rows, columns=names)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; NaN and infinities are words."""
        return {
            "n_rows": self.n_rows,
            "n_compared": dict(self.n_compared),
            "passed": self.passed,
            "faults": list(self.faults),
            "differences": [
                {
                    "feature": one.feature, "row": one.row, "path": one.path,
                    "expected": _json_value(one.expected), "got": _json_value(one.got),
                    "ulps": one.ulps,
                }
                for one in self.differences
            ],
            "recorded_fingerprint": self.recorded_fingerprint,
            "fingerprint": self.fingerprint,
            "recorded_environment": self.recorded_environment,
            "environment": self.environment,
            "most_ulps": self.most_ulps,
        }  # fmt: skip

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return the number of values that differ on each path, and whether the code is another."""
        changed = Evidence(
            kind="skew",
            metric="golden_fingerprint_changed",
            value=int(not self.same_fingerprint),
            threshold=0,
            verdict="pass" if self.same_fingerprint else "warn",
            reason=None if self.same_fingerprint else self._other_features(),
            subject=self.fingerprint,
        )
        return (changed, *(self._of_path(path) for path in self.n_compared), *self._of_faults())

    def _of_path(self, path: str) -> Evidence:
        found = [one for one in self.differences if one.path == path]
        return Evidence(
            kind="skew",
            metric="golden_differences",
            value=len(found),
            n=self.n_compared[path],
            labels={"path": path},
            threshold=0,
            basis=_BASIS,
            verdict="fail" if found else "pass",
            method=f"replay of {self.n_rows} golden rows, {self.most_ulps} ulp allowed",
            reason=f"{found[0].feature!r} differs first" if found else None,
            subject=self.fingerprint,
        )

    def _of_faults(self) -> tuple[Evidence, ...]:
        faults = Evidence(
            kind="skew",
            metric="golden_faults",
            value=len(self.faults),
            n=self.n_rows,
            threshold=0,
            verdict="fail" if self.faults else "pass",
            reason=" ".join(self.faults) or None,
            subject=self.fingerprint,
        )
        return (faults,)

    def __repr__(self) -> str:
        found = f"{len(self.differences):,} differences"
        if self.faults:
            found += f", {len(self.faults)} faults"
        code = "" if self.same_fingerprint else ", other features"
        return f"<GoldenReplay: {self.n_rows} rows, {found}{code}>"

    def _repr_html_(self) -> str:
        header = ("feature", "row", "path", "expected", "got", "ulps")
        rows: list[tuple[Any, ...]] = [
            (one.feature, one.row, one.path, repr(one.expected), repr(one.got), one.ulps)
            for one in self.differences
        ]
        rows += [("", "", "", fault, "", "") for fault in self.faults]
        return html_table(header, rows, caption=repr(self)[1:-1])


def _json_value(value: Any) -> Any:
    return value if not isinstance(value, float) or math.isfinite(value) else str(value)
