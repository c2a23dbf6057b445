"""The laws of :class:`~prodml.protocols.EvidenceSource`, as one check."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from prodml.evidence import Evidence
from prodml.testing._laws import broken_law

if TYPE_CHECKING:
    from prodml.protocols import EvidenceSource

__all__ = ["check_evidence_source"]


def check_evidence_source(source: EvidenceSource, /) -> tuple[Evidence, ...]:
    """Hold a result against the laws of EvidenceSource, and name the first that is broken.

    Parameters
    ----------
    source : EvidenceSource
        The result.

    Returns
    -------
    tuple of Evidence
        What it states, for assertions of your own.

    Raises
    ------
    AssertionError
        Names the class, the law, and the piece of evidence that shows it.

    Notes
    -----
    The laws: ``to_evidence`` returns a tuple of Evidence; asked again, it returns the same in the
    same order; no two pieces have the same address (``series``), so that a reader of one source
    can tell them apart; each survives JSON.

    Examples
    --------
    >>> check_evidence_source(Evidence(kind="latency", metric="p99", value=0.012))
    (Evidence latency_p99 = 0.012,)
    """
    stated: Any = source.to_evidence()
    if type(stated) is not tuple:
        kind = type(stated).__name__
        raise broken_law(source, "to_evidence() returns a tuple.", f"It returned {kind}.")
    for at, one in enumerate(stated):
        if not isinstance(one, Evidence):
            law = "to_evidence() returns Evidence."
            raise broken_law(source, law, f"Item {at} is of {type(one).__name__}.")
    if source.to_evidence() != stated:
        raise broken_law(source, "to_evidence() is pure.", "Asked again, it stated otherwise.")
    series, n_times = Counter(one.series for one in stated).most_common(1)[0] if stated else ("", 0)
    if n_times > 1:
        law = "each piece of evidence has an address of its own."
        raise broken_law(source, law, f"{n_times} pieces have {series}.")
    for one in stated:
        # one of a class of its own would come back without what that class adds
        if Evidence.from_json(one.to_json()) != one:
            raise broken_law(source, "evidence survives JSON.", f"{one!r} does not.")
    return tuple(stated)
