"""Looking for what a model may see in training and will not see at serving.

A model that is too good has often read its label off a column: one that was filled in after the
outcome, that names the row, that was encoded with the label itself, or whose rows stand in the
test set too. None of the checks proves that; each names a column, a number and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.canonical_checksums import record_checksums
from prodml._core.canonical_columns import as_column
from prodml._core.columns import missing_mask, numpy_dtype
from prodml.errors import MissingInputError, UnkeyableError
from prodml.features._frame_checks import check_columns, check_frame, column_of, definition_error
from prodml.features._leakage_columns import Column, label_of, named_columns, read_column
from prodml.features._single_column_scores import (
    Label,
    score_categories,
    score_missing,
    score_numbers,
)
from prodml.features._time_keys import check_one_clock, read_times
from prodml.features.leakage_report import LeakageCheck, LeakageFinding, LeakageReport

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    import numpy.typing as npt

__all__ = ["LeakageCheck", "LeakageFinding", "LeakageReport", "check_leakage"]

#: Columns with more different values than this fraction of their rows name the rows.
_DISTINCT: Final = 0.95
#: With fewer rows, everything is distinct.
_FEWEST_DISTINCT: Final = 50
#: More rows than this fraction that stand in both sets are no chance.
_DUPLICATES: Final = 0.01
_FEWEST_FOLDS: Final = 2
_MOST_ROWS: Final = 5

_Found = tuple[list[LeakageFinding], LeakageCheck]


def check_leakage(
    features: Any,
    y: Any = None,
    /,
    *,
    test: Any = None,
    label_time: Any = None,
    times: Mapping[str, Any] | Iterable[Hashable] = (),
    encodings: Mapping[str, int | None] | None = None,
    score_threshold: float = 0.99,
) -> LeakageReport:
    """Return the columns and rows through which a label may have leaked into features.

    Parameters
    ----------
    features : pandas.DataFrame or numpy.ndarray, shape (n_rows, n_features)
        The training set. Raw columns show more than scaled ones: text and identifiers are looked
        at too. Columns of a matrix go by their position.
    y : array_like, shape (n_rows,), optional
        The label: classes, or numbers. Numbers with up to 20 different whole values are classes.
    test : pandas.DataFrame or numpy.ndarray, optional
        The test set, with the same columns.
    label_time : str, or array_like of times, optional
        When the outcome of each row was settled, or a column of `features` that says so.
    times : mapping of str to array_like, or columns of `features`
        When features happened, or were written. Needs `label_time`; rows where either is missing
        are passed over.
    encodings : mapping of str to int or None, optional
        Features that were computed from the label, with the number of folds in which that was
        done; None for features that saw the label of the very row that they describe.
    score_threshold : float, default 0.99
        A column that tells the label better than this by itself is a finding.

    Returns
    -------
    LeakageReport
        With a check for everything that was given.

    Raises
    ------
    InputTypeError
        If something is of another type than it must be.
    MissingInputError
        If a column is absent, or `y` lacks a value.
    PointInTimeError
        If naive times are to be compared with aware ones.
    FeatureDefinitionError
        If lengths differ, `times` come without `label_time`, or the threshold is not between 0.5
        and 1.

    Notes
    -----
    ``after_label``
        The fraction of rows in which a feature is later than the label. Any is a finding.
    ``label_score``, ``missing_score``
        For classes the area under the ROC curve of one column alone, for numbers the rank
        correlation, and the same for whether the column has a value at all. Categories are
        scored on rows that had no say in them. At least 10 rows on each side.
    ``id_like``
        Text or whole numbers of which more than 95 % differ, in 50 rows or more.
    ``duplicate_rows``
        The fraction of test rows all of whose cells stand in a training row. More than 1 % is a
        finding; with few and coarse features that can be chance, which the fraction of training
        rows that have a twin among themselves shows.
    ``target_encoding``
        Features that saw the label without cross-fitting.

    What is looked for follows [1]_. Time O(n log n) for each column.

    References
    ----------
    .. [1] Kaufman, S., Rosset, S., Perlich, C., Stitelman, O. (2012). Leakage in data mining:
       formulation, detection, and avoidance. ACM TKDD 6(4), article 15.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.array([0, 1] * 50)
    >>> features = np.column_stack([y * 3.0, np.arange(100) % 7])
    >>> print(check_leakage(features, y).findings[0].column)
    0
    """
    columns = named_columns(features, "`features`")
    n_rows = len(features)
    if not 0.5 <= score_threshold <= 1:  # noqa: PLR2004 - what tells nothing, and what tells all
        raise definition_error(
            [f"`score_threshold` must be between 0.5 and 1, got {score_threshold!r}"]
        )
    found: list[_Found] = []
    if label_time is not None or times:
        found.append(_after_label(features, label_time, times, n_rows))
    readable = {at: read_column(column) for at, (_, column) in enumerate(columns)}
    read = [(name, readable[at]) for at, (name, _) in enumerate(columns)]
    if y is not None:
        label = label_of(y, n_rows)
        found.append(_scores(read, label, score_threshold))
        found.append(_missing_scores(read, label, score_threshold))
    found.append(_id_like(read))
    if test is not None:
        found.append(_duplicates(columns, named_columns(test, "`test`"), n_rows, len(test)))
    if encodings is not None:
        found.append(_encodings(encodings, n_rows))
    return LeakageReport(
        n_rows=n_rows,
        findings=tuple(finding for findings, _ in found for finding in findings),
        checks=tuple(check for _, check in found),
    )


def _after_label(
    features: Any, label_time: Any, times: Mapping[str, Any] | Iterable[Hashable], n_rows: int
) -> _Found:
    if label_time is None or not times:
        raise definition_error(["`times` and `label_time` are compared; give both, or neither"])
    settled_name, settled = _time_column(features, label_time, "label_time")
    named: Mapping[str, Any] = (
        times if isinstance(times, Mapping) else {str(one): one for one in times}
    )
    findings, skipped = [], []
    for name, given in named.items():
        _, column = _time_column(features, given, name)
        lengths = {len(column), len(settled), n_rows}
        if len(lengths) > 1:
            raise definition_error([f"the times {name!r} must have one value a row, {n_rows:,}"])
        rows = np.flatnonzero(~(missing_mask(column) | missing_mask(settled)))
        if not len(rows):
            skipped.append(name)
            continue
        feature = read_times(column.take(rows), name, "`times`")
        outcome = read_times(settled.take(rows), settled_name, "`label_time`")
        check_one_clock([outcome, feature])
        later = feature.us > outcome.us
        if feature.ns is not None or outcome.ns is not None:
            fine, coarse = (0 if one.ns is None else one.ns for one in (feature, outcome))
            later |= (feature.us == outcome.us) & (fine > coarse)
        if later.any():
            n = int(np.count_nonzero(later))
            findings.append(
                LeakageFinding(
                    check="after_label",
                    column=name,
                    value=n / len(rows),
                    threshold=0.0,
                    n=len(rows),
                    reason=f"In {n:,} of {len(rows):,} rows it is later than the label.",
                    repair="Join features as they were known, with point_in_time_join, at a time "
                    "before the outcome.",
                    rows=tuple(rows[later][:_MOST_ROWS].tolist()),
                )
            )
    return findings, _check("after_label", len(named) - len(skipped), findings, skipped)


def _time_column(features: Any, given: Any, name: str) -> tuple[str, Any]:
    import pandas as pd

    if isinstance(given, str | int | tuple):
        check_frame(features, f"`features`, of which {given!r} is to be a column,")
        check_columns(features, [given], "`features`")
        return str(given), column_of(features, given)
    return name, pd.Series(given).array


def _scores(columns: list[tuple[str, Column | None]], label: Label, threshold: float) -> _Found:
    findings, skipped = [], []
    for name, column in columns:
        score = None
        if column is not None:
            known = Label(label.outcomes[column.known], label.n_classes)
            how = score_numbers if column.is_number else score_categories
            score = how(column.values, known)
        if score is None or column is None:
            skipped.append(name)
        elif score > threshold:
            findings.append(
                LeakageFinding(
                    check="label_score",
                    column=name,
                    value=score,
                    threshold=threshold,
                    n=len(column.values),
                    reason=f"By itself it tells the label: {_measure(label)} {score:.4f}.",
                    repair="Find out when it is filled in; if that is after the outcome, or from "
                    "it, leave it out.",
                )
            )
    return findings, _check("label_score", len(columns) - len(skipped), findings, skipped)


def _missing_scores(
    columns: list[tuple[str, Column | None]], label: Label, threshold: float
) -> _Found:
    findings, skipped = [], []
    for name, column in columns:
        score = None
        if column is not None and not column.known.all() and column.known.any():
            score = score_missing(~column.known, label)
        if column is None:
            skipped.append(name)
        if score is not None and score > threshold:
            findings.append(
                LeakageFinding(
                    check="missing_score",
                    column=name,
                    value=score,
                    threshold=threshold,
                    n=len(column.known) if column is not None else 0,
                    reason=f"Whether it has a value tells the label: {_measure(label)} "
                    f"{score:.4f}.",
                    repair="It is filled in for one outcome only; leave it out, together with "
                    "any indicator that it is missing.",
                )
            )
    return findings, _check("missing_score", len(columns) - len(skipped), findings, skipped)


def _measure(label: Label) -> str:
    return "area under the ROC curve" if label.n_classes else "rank correlation"


def _id_like(columns: list[tuple[str, Column | None]]) -> _Found:
    findings, skipped = [], []
    for name, column in columns:
        n = 0 if column is None else len(column.values)
        if column is None or n < _FEWEST_DISTINCT:
            skipped.append(name)
            continue
        distinct = len(np.unique(column.values)) / n if column.names_rows else 0.0
        if distinct > _DISTINCT:
            findings.append(
                LeakageFinding(
                    check="id_like",
                    column=name,
                    value=distinct,
                    threshold=_DISTINCT,
                    n=n,
                    reason=f"{distinct:.1%} of its values are different: it names the rows, and "
                    "may stand for the order in which they came.",
                    repair="Leave it out, or use what it stands for, such as the age of the "
                    "account.",
                )
            )
    return findings, _check("id_like", len(columns) - len(skipped), findings, skipped)


def _duplicates(
    train: list[tuple[str, Any]], test: list[tuple[str, Any]], n_rows: int, n_test: int
) -> _Found:
    known = {name for name, _ in test}
    absent = [name for name, _ in train if name not in known]
    if absent:
        message = f"The columns {absent} of `features` are not in `test`. Give the same columns."
        raise MissingInputError(message, fields=absent)
    try:
        ours = _row_words(train, n_rows)
        names = {name for name, _ in train}
        theirs = _row_words([(name, one) for name, one in test if name in names], n_test)
    except UnkeyableError as fault:
        return [], _check("duplicate_rows", 0, [], [fault.column])
    if not n_test or not n_rows:
        return [], _check("duplicate_rows", 0, [], [])
    distinct, counts = np.unique(ours, return_counts=True)
    rows = np.flatnonzero(np.isin(theirs, distinct))
    fraction = len(rows) / n_test
    if fraction <= _DUPLICATES:
        return [], _check("duplicate_rows", len(train), [], [])
    twins = float(counts[counts > 1].sum()) / n_rows
    finding = LeakageFinding(
        check="duplicate_rows",
        column="",
        value=fraction,
        threshold=_DUPLICATES,
        n=n_test,
        reason=f"{fraction:.1%} of the test rows stand in the training set as well, and {twins:.1%}"
        " of the training rows have a twin among themselves.",
        repair="Remove duplicates before the split, or split by entity.",
        rows=tuple(rows[:_MOST_ROWS].tolist()),
    )
    return [finding], _check("duplicate_rows", len(train), [finding], [])


def _row_words(columns: list[tuple[str, Any]], n_rows: int) -> npt.NDArray[np.int64]:
    return record_checksums([(name, _comparable(one)) for name, one in columns], n_rows=n_rows)


def _comparable(column: Any) -> Any:
    column = as_column(column)
    dtype = numpy_dtype(column)
    if dtype is not None and dtype.kind == "M":  # naive times have no canonical form
        return np.asarray(column).astype("M8[us]").view(np.int64)
    return column


def _encodings(encodings: Mapping[str, int | None], n_rows: int) -> _Found:
    findings = [
        LeakageFinding(
            check="target_encoding",
            column=str(name),
            value=folds or 0,
            threshold=_FEWEST_FOLDS,
            n=n_rows,
            reason="It was computed from the label of the row that it describes, so that a model "
            "trusts it more than it deserves.",
            repair="Compute it in folds for the training set: crossfit=5.",
        )
        for name, folds in encodings.items()
        if folds is None or folds < _FEWEST_FOLDS
    ]
    return findings, _check("target_encoding", len(encodings), findings, [])


def _check(check: Any, n_columns: int, findings: list[Any], skipped: list[str]) -> LeakageCheck:
    return LeakageCheck(
        check=check, n_columns=n_columns, n_findings=len(findings), skipped=tuple(skipped)
    )
