"""How much of a delivery may be rejected before the delivery itself is at fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prodml.evidence import Verdict

__all__ = ["QuarantineThresholds"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineThresholds:
    """Limits on what a batch may have rejected.

    Parameters
    ----------
    fraction : float, optional
        Largest share of the rows of a batch, 0 to 1.
    count : int, optional
        Largest number of rows of a batch; with 0 the first one is too many.
    warn_fraction : float, optional
        Share above which the verdict is a warning, at most `fraction`.

    Raises
    ------
    ValueError
        If a share is not between 0 and 1, `count` is negative, or the warning comes after the
        failure.

    Examples
    --------
    >>> limits = QuarantineThresholds(fraction=0.05, warn_fraction=0.01)
    >>> limits.judge(n_rejected=2, n_rows=100), limits.judge(n_rejected=6, n_rows=100)
    ('warn', 'fail')
    """

    fraction: float | None = None
    count: int | None = None
    warn_fraction: float | None = None

    def __post_init__(self) -> None:
        """Refuse limits that nothing can keep."""
        for name in ("fraction", "warn_fraction"):
            share = getattr(self, name)
            if share is not None and not 0 <= share <= 1:
                message = f"`{name}` must be between 0 and 1, got {share}."
                raise ValueError(message)
        if self.count is not None and self.count < 0:
            message = f"`count` must be >= 0, got {self.count}."
            raise ValueError(message)
        if None not in (self.fraction, self.warn_fraction) and (
            self.warn_fraction > self.fraction  # type: ignore[operator]
        ):
            message = (
                f"`warn_fraction` ({self.warn_fraction}) must not be above `fraction` "
                f"({self.fraction})."
            )
            raise ValueError(message)

    def judge(self, *, n_rejected: int, n_rows: int) -> Verdict:
        """Return the verdict on a batch; inconclusive without rows.

        Parameters
        ----------
        n_rejected, n_rows : int
            Rows that were rejected, and all rows.
        """
        if self.count is not None and n_rejected > self.count:
            return "fail"
        if not n_rows:
            return "inconclusive"
        share = n_rejected / n_rows
        if self.fraction is not None and share > self.fraction:
            return "fail"
        if self.warn_fraction is not None and share > self.warn_fraction:
            return "warn"
        return "pass"
