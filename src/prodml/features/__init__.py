"""One definition of a feature, and the same bits at training and at serving.

A :class:`FeatureSet` holds plain functions of columns; :meth:`FeatureSet.fit` learns what they
need, and proves that a batch, a row alone and the compiled kernel for one record agree bit by
bit. What comes in passes one table of types, for frames and records alike.

- :class:`FeatureSet`, :class:`Field`, :mod:`~prodml.features.ops`, :class:`FittedFeatureSet`:
  define, fit, compute; :class:`FeatureSetTransformer` for scikit-learn.
- :class:`FeatureRegistry`: a version is not used for other code.
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
from prodml.features.leakage import LeakageCheck, LeakageFinding, LeakageReport, check_leakage
from prodml.features.lineage import Lineage
from prodml.features.lint import LintFinding, lint_function
from prodml.features.memory_store import MemoryOnlineStore
from prodml.features.online_store import OnlineRow, OnlineRows, OnlineStore, PutReport, RowStatus
from prodml.features.online_view import OnlineView
from prodml.features.point_in_time import PointInTimeJoin, ViewJoin, point_in_time_join
from prodml.features.registry_file import FeatureRegistry, RegisteredVersion, Registrable
from prodml.features.sqlite_store import SqliteOnlineStore
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
    "LeakageCheck",
    "LeakageFinding",
    "LeakageReport",
    "Lineage",
    "LintFinding",
    "MemoryOnlineStore",
    "OnlineRow",
    "OnlineRows",
    "OnlineStore",
    "OnlineView",
    "PointInTimeJoin",
    "PutReport",
    "RegisteredVersion",
    "Registrable",
    "RowStatus",
    "SetExplanation",
    "SqliteOnlineStore",
    "ViewJoin",
    "check_leakage",
    "fingerprint_function",
    "lint_function",
    "ops",
    "point_in_time_join",
]
