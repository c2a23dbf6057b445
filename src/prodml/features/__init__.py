"""One definition of a feature, and the same bits at training and at serving.

A :class:`FeatureSet` holds plain functions of columns; :meth:`FeatureSet.fit` learns what they
need, and proves that a batch, a row alone and the compiled kernel for one record agree bit by
bit. What comes in passes one table of types, for frames and records alike.

- :class:`FeatureSet`, :class:`Field`, :mod:`~prodml.features.ops`, :class:`FittedFeatureSet`:
  define, fit, compute; :class:`FeatureSetTransformer` for scikit-learn.
- :class:`FeatureRegistry`: a version is not used for other code.
- :class:`GoldenRows`, :class:`LoggedFeatures`, :func:`audit_parity`: the same features tomorrow,
  and in production.
- :func:`point_in_time_join`, :func:`check_leakage`: training rows that know no more than was known.
- :class:`OnlineStore` and what implements it: the newest values of an entity, for serving.
"""

from prodml.features import ops
from prodml.features.check import CheckReport, FeatureFault
from prodml.features.explanation import FeatureExplanation, SetExplanation
from prodml.features.feature import Feature
from prodml.features.feature_set import FeatureSet
from prodml.features.feature_view import FeatureView
from prodml.features.field import Field
from prodml.features.fingerprint import CodeFingerprint, fingerprint_function
from prodml.features.fitted import FittedFeatureSet
from prodml.features.golden import GoldenRows
from prodml.features.golden_replay import GoldenDifference, GoldenReplay
from prodml.features.leakage import LeakageCheck, LeakageFinding, LeakageReport, check_leakage
from prodml.features.lineage import Lineage
from prodml.features.lint import LintFinding, lint_function
from prodml.features.logged_features import LoggedFeatures, ServingCounts
from prodml.features.memory_store import MemoryOnlineStore
from prodml.features.online_store import OnlineRow, OnlineRows, OnlineStore, PutReport, RowStatus
from prodml.features.online_view import OnlineView
from prodml.features.parity import audit_parity
from prodml.features.parity_rates import MismatchRate
from prodml.features.parity_report import OtherFeatures, ParityDifference, ParityReport, ValueParity
from prodml.features.point_in_time import PointInTimeJoin, ViewJoin, point_in_time_join
from prodml.features.registry_file import FeatureRegistry, RegisteredVersion, Registrable
from prodml.features.served_log import MemoryServedLog, ServedLog, ServedRecord
from prodml.features.sqlite_served_log import SqliteServedLog
from prodml.features.sqlite_store import SqliteOnlineStore
from prodml.features.stable_sample import StableSample
from prodml.features.transformer import FeatureSetTransformer

__all__ = [
    "CheckReport",
    "CodeFingerprint",
    "Feature",
    "FeatureExplanation",
    "FeatureFault",
    "FeatureRegistry",
    "FeatureSet",
    "FeatureSetTransformer",
    "FeatureView",
    "Field",
    "FittedFeatureSet",
    "GoldenDifference",
    "GoldenReplay",
    "GoldenRows",
    "LeakageCheck",
    "LeakageFinding",
    "LeakageReport",
    "Lineage",
    "LintFinding",
    "LoggedFeatures",
    "MemoryOnlineStore",
    "MemoryServedLog",
    "MismatchRate",
    "OnlineRow",
    "OnlineRows",
    "OnlineStore",
    "OnlineView",
    "OtherFeatures",
    "ParityDifference",
    "ParityReport",
    "PointInTimeJoin",
    "PutReport",
    "RegisteredVersion",
    "Registrable",
    "RowStatus",
    "ServedLog",
    "ServedRecord",
    "ServingCounts",
    "SetExplanation",
    "SqliteOnlineStore",
    "SqliteServedLog",
    "StableSample",
    "ValueParity",
    "ViewJoin",
    "audit_parity",
    "check_leakage",
    "fingerprint_function",
    "lint_function",
    "ops",
    "point_in_time_join",
]
