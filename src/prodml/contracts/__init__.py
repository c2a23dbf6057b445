"""Contracts: what a row must look like, for single records and for whole frames alike."""

from typing import TYPE_CHECKING

from prodml._core.scalars import normalise
from prodml.contracts.checks import (
    Check,
    Compare,
    ForeignKey,
    Freshness,
    NullFraction,
    RowCount,
    Unique,
)
from prodml.contracts.contract import Contract
from prodml.contracts.delivery import DeliveryVerdict
from prodml.contracts.description import (
    CheckDescription,
    ContractDescription,
    FieldDescription,
    FunctionDescription,
    TypeDescription,
)
from prodml.contracts.explanation import Explanation, FieldExplanation
from prodml.contracts.quality import ColumnQuality, QualityScores
from prodml.contracts.summary import ValidationSummary
from prodml.contracts.violation import Violation

if TYPE_CHECKING:
    from prodml.contracts.changes import SchemaChange, SchemaChanges
    from prodml.contracts.compatibility import (
        CompatibilityMode,
        CompatibilityReport,
        ContractChange,
    )
    from prodml.contracts.inference import ContractDraft, DraftNote, infer_contract
    from prodml.contracts.result import ValidationResult
else:  # what validating needs not, or what loads numpy, comes when it is asked for
    from prodml._lazy import attach

    __getattr__, __dir__ = attach(
        __name__,
        submodules=(),
        attributes={
            "CompatibilityMode": "compatibility",
            "CompatibilityReport": "compatibility",
            "ContractChange": "compatibility",
            "ContractDraft": "inference",
            "DraftNote": "inference",
            "SchemaChange": "changes",
            "SchemaChanges": "changes",
            "ValidationResult": "result",
            "infer_contract": "inference",
        },
    )
    del attach

__all__ = [
    "Check",
    "CheckDescription",
    "ColumnQuality",
    "Compare",
    "CompatibilityMode",
    "CompatibilityReport",
    "Contract",
    "ContractChange",
    "ContractDescription",
    "ContractDraft",
    "DeliveryVerdict",
    "DraftNote",
    "Explanation",
    "FieldDescription",
    "FieldExplanation",
    "ForeignKey",
    "Freshness",
    "FunctionDescription",
    "NullFraction",
    "QualityScores",
    "RowCount",
    "SchemaChange",
    "SchemaChanges",
    "TypeDescription",
    "Unique",
    "ValidationResult",
    "ValidationSummary",
    "Violation",
    "infer_contract",
    "normalise",
]
