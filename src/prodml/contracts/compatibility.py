"""Whether data that fits one version of a contract fits another.

Backward: whoever has the new contract can read data of the old one. Forward: whoever still has
the old contract can read data of the new one. The rules for fields are those of schema registries
[1]_; the rules for values follow from what pydantic accepts: a constraint that narrows breaks
backward, one that widens breaks forward.

Every verdict is held to one standard. ``pass`` is proved from the two descriptions. ``fail`` has a
reason that leaves no doubt: a field that must now be there, or a value in hand that pydantic
takes by one version and refuses by the other; it is shown as an example. Everything else is
``inconclusive``: a validator whose source changed, a pattern that became another pattern. It is
for a person to look at, and it does not count as compatible.

References
----------
.. [1] Confluent, *Schema Evolution and Compatibility for Schema Registry*, table "Compatibility
   types".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from prodml._core.render import html_table
from prodml.contracts._check_changes import compare_checks
from prodml.contracts._differences import Difference
from prodml.contracts._inclusion import PASS, Effect
from prodml.contracts._tagged import UNKNOWN
from prodml.contracts._type_changes import TypeComparison
from prodml.contracts.description import ContractDescription
from prodml.evidence import Evidence, EvidenceTable, Verdict, worst_verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

__all__ = [
    "CompatibilityMode",
    "CompatibilityReport",
    "ContractChange",
    "check_compatibility",
]

#: Which data must stay readable, and for whom: Confluent's names.
CompatibilityMode = Literal[
    "BACKWARD",
    "BACKWARD_TRANSITIVE",
    "FORWARD",
    "FORWARD_TRANSITIVE",
    "FULL",
    "FULL_TRANSITIVE",
    "NONE",
]

_LONGEST_EXAMPLE: Final = 80
_MOST_IN_TABLE: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractChange:
    """One difference between a contract and an earlier version of it.

    Attributes
    ----------
    version : str
        The earlier version.
    field : str
        Where: ``"age"``, ``"address.zip"``, ``"tags[]"``; empty for the contract as a whole.
    what : str
        ``"added"``, ``"removed"``, ``"renamed"``, ``"required"``, ``"nullable"``, ``"type"``,
        ``"values"``, ``"range"``, ``"length"``, ``"pattern"``, ``"default"``, ``"inputs"``,
        ``"extra"``, ``"validator"``, ``"check"``, ``"key"``, or the name of a setting.
    old, new : str or None
        What stood there, and what stands there now.
    backward, forward : {"pass", "fail", "inconclusive"}
        Whether the new contract still reads data of the old one, and the old contract data of the
        new one.
    backward_example, forward_example : str or None
        A value that it no longer reads.
    message : str
        The change, for a person.
    """

    version: str
    field: str
    what: str
    old: str | None
    new: str | None
    backward: Verdict
    forward: Verdict
    backward_example: str | None
    forward_example: str | None
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True, kw_only=True)
class CompatibilityReport:
    """What became of a contract, and what that does to data.

    Immutable, thread-safe, picklable.

    Attributes
    ----------
    contract, version, fingerprint : str
        The newer contract.
    mode : str
        Which data must stay readable, and for whom.
    against : tuple of str
        The earlier versions it was held against, in the order given.
    changes : tuple of ContractChange
        Every difference, those without any effect included.
    """

    contract: str
    version: str
    fingerprint: str
    mode: CompatibilityMode
    against: tuple[str, ...]
    changes: tuple[ContractChange, ...]

    @property
    def verdict(self) -> Verdict:
        """``"pass"``, ``"fail"`` or ``"inconclusive"``: the worst that `mode` has to look at.

        ``"pass"`` where nothing changed, and in the mode ``"NONE"``, which asks for nothing.
        """
        verdicts = [verdict for one in self.changes for verdict in _asked(one, self.mode)]
        return worst_verdict(verdicts) or "pass"

    @property
    def breaking(self) -> tuple[ContractChange, ...]:
        """The changes that keep the verdict from being ``"pass"``."""
        return tuple(
            one
            for one in self.changes
            if any(verdict != "pass" for verdict in _asked(one, self.mode))
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "contract": self.contract,
            "version": self.version,
            "fingerprint": self.fingerprint,
            "mode": self.mode,
            "against": list(self.against),
            "verdict": self.verdict,
            "changes": [one.to_dict() for one in self.changes],
        }

    def to_frame(self) -> pd.DataFrame:
        """Return one row a change."""
        import pandas as pd

        rows = [one.to_dict() for one in self.changes]
        return pd.DataFrame(rows, columns=list(ContractChange.__slots__))

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return the number of breaking changes, with the verdict and all changes as a table."""
        shown = self.changes[:_MOST_IN_TABLE]
        columns = ("version", "field", "what", "old", "new", "backward", "forward", "message")
        table = {name: tuple(getattr(one, name) for one in shown) for name in columns}
        reasons = [f"{one.field or self.contract}: {one.message}" for one in self.breaking]
        more = f"; and {len(reasons) - 3} more" if len(reasons) > 3 else ""  # noqa: PLR2004
        return (
            Evidence(
                kind="data_contract",
                metric="breaking_changes",
                value=len(reasons),
                n=len(self.changes),
                labels={
                    "contract": self.contract,
                    "version": self.version,
                    "against": ", ".join(self.against),
                    "mode": self.mode,
                },
                verdict=self.verdict,
                threshold=0,
                basis=f"compatibility mode {self.mode}",
                reason="; ".join(reasons[:3]) + more or None,
                subject=self.fingerprint,
                table=EvidenceTable(table) if shown else None,
            ),
        )

    def __repr__(self) -> str:
        against = ", ".join(self.against) or "nothing"
        return (
            f"CompatibilityReport({self.contract!r} {self.version} against {against}, {self.mode}: "
            f"{self.verdict}; {len(self.changes)} changes, {len(self.breaking)} breaking)"
        )

    def _repr_html_(self) -> str:
        header = ["version", "field", "change", "backward", "forward"]
        rows = [
            [
                one.version,
                one.field,
                one.message,
                _with_example(one.backward, one.backward_example),
                _with_example(one.forward, one.forward_example),
            ]
            for one in self.changes
        ]
        return html_table(header, rows, caption=repr(self))


def check_compatibility(
    contract: ContractDescription,
    older: Sequence[ContractDescription],
    /,
    *,
    mode: CompatibilityMode = "BACKWARD",
) -> CompatibilityReport:
    """Hold a contract against earlier versions of it.

    Parameters
    ----------
    contract : ContractDescription
        The newer contract.
    older : sequence of ContractDescription
        Earlier versions, from oldest to newest. The transitive modes look at all of them, the
        others at the last.
    mode : str, default "BACKWARD"
        ``"BACKWARD"``, ``"FORWARD"``, ``"FULL"`` (both), each also with ``_TRANSITIVE``, or
        ``"NONE"``, which lists the changes since the last version and asks for nothing.

    Returns
    -------
    CompatibilityReport
        Its changes are those against each version that was looked at.

    Raises
    ------
    TypeError
        If an earlier version is no description.
    ValueError
        On another mode.

    Notes
    -----
    Data of a contract are rows with the columns that it names, each under one of its names, and
    possibly columns that neither version names. A column that a version adds is taken to be absent
    from older data, which is what registries call adding an optional field; only where the older
    version kept columns of any name (``extra="allow"``) is that not certain.

    An example is a value of the field in question. Whether checks or validators of the whole row
    would have refused its row anyway is not looked at.
    """
    if mode not in get_args(CompatibilityMode):
        message = f"`mode` must be one of {get_args(CompatibilityMode)}, got {mode!r}."
        raise ValueError(message)
    anything: Sequence[Any] = older
    strange = [one for one in anything if not isinstance(one, ContractDescription)]
    if strange:
        message = (
            f"An earlier version must be a Contract or a ContractDescription, got "
            f"{type(strange[0]).__name__}."
        )
        raise TypeError(message)
    looked_at = tuple(older) if mode.endswith("_TRANSITIVE") else tuple(older[-1:])
    return CompatibilityReport(
        contract=contract.name,
        version=contract.version,
        fingerprint=contract.fingerprint,
        mode=mode,
        against=tuple(one.version for one in looked_at),
        changes=tuple(change for one in looked_at for change in _changes(one, contract)),
    )


def _changes(old: ContractDescription, new: ContractDescription) -> Iterator[ContractChange]:
    watched = frozenset(name for check in (*old.checks, *new.checks) for name in check.columns)
    found = TypeComparison(watched).differences(old.model, new.model)
    found += compare_checks(old, new, found)
    if old.key != new.key:
        found.append(_key_difference(old.key, new.key))
    for one in found:
        yield ContractChange(
            version=old.version,
            field=one.path,
            what=one.what,
            old=one.old,
            new=one.new,
            backward=one.backward.verdict,
            forward=one.forward.verdict,
            backward_example=_example(one.backward),
            forward_example=_example(one.forward),
            message=one.message,
        )


def _key_difference(old: str | None, new: str | None) -> Difference:
    return Difference(
        path=new or old or "",
        what="key",
        old=old,
        new=new,
        backward=PASS,
        forward=PASS,
        message=f"the key was {old} and is now {new}; rows will be known by another name",
    )


def _example(effect: Effect) -> str | None:
    if effect.example is UNKNOWN:
        return None
    text = repr(effect.example)
    return text if len(text) <= _LONGEST_EXAMPLE else f"{text[:_LONGEST_EXAMPLE]}..."


def _asked(change: ContractChange, mode: CompatibilityMode) -> list[Verdict]:
    """Return the verdicts on a change that a mode asks for."""
    direction = mode.removesuffix("_TRANSITIVE")
    verdicts = {"BACKWARD": [change.backward], "FORWARD": [change.forward]}
    return verdicts.get(direction, [change.backward, change.forward] if direction == "FULL" else [])


def _with_example(verdict: str, example: str | None) -> str:
    return verdict if example is None else f"{verdict}: {example}"
