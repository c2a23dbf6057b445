"""The contenders: each takes a frame once and returns a function that splits it.

The function returns which rows were accepted, so that the split is compared before it is timed.
"""

from __future__ import annotations

import logging
import warnings

import numpy as np
from pydantic import ValidationError

from benchmarks.contracts.orders import COUNTRIES, EMAIL, SEGMENTS, Order
from prodml.contracts import Contract

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)


def prodml_split(frame, threads=None):
    """prodml: accepted and rejected frames, reasons, summary."""
    contract = Contract(Order, threads=threads)

    def work():
        result = contract.validate_frame(frame)
        accepted = np.zeros(len(frame), dtype=bool)
        accepted[result.accepted_positions] = True
        return accepted

    return work


def pydantic_loop(frame):
    """The best loop over pydantic that we know: columns to lists, rows to dicts, one validator."""
    validate = Order.__pydantic_validator__.validate_python
    names = list(frame.columns)

    def work():
        columns = []
        for name in names:
            column = frame[name]
            if column.dtype.kind == "f":
                cells = column.to_numpy().astype(object)
                cells[np.isnan(column.to_numpy())] = None
                columns.append(cells.tolist())
            elif column.dtype.kind == "M":
                columns.append(column.to_numpy().astype("M8[us]").tolist())
            else:
                columns.append(column.tolist())
        accepted = np.ones(len(frame), dtype=bool)
        failures = []
        for row, cells in enumerate(zip(*columns, strict=True)):
            try:
                validate(dict(zip(names, cells, strict=True)))
            except ValidationError as error:
                accepted[row] = False
                failures.append((row, error.errors(include_url=False)))
        return accepted

    return work


def pandera_schema(*, drop):
    """Return the same rules as a pandera schema."""
    import pandera.pandas as pa

    check = pa.Check
    return pa.DataFrameSchema(
        {
            "order_id": pa.Column("int64", check.ge(1)),
            "user_id": pa.Column("int64", [check.ge(0), check.lt(10_000_000)]),
            "qty": pa.Column("int64", [check.ge(1), check.le(1000)]),
            "price": pa.Column("float64", [check.gt(0), check.le(1e6)]),
            "score": pa.Column("float64", [check.ge(0), check.le(1)]),
            "discount": pa.Column("float64", [check.ge(0), check.le(0.9)], nullable=True),
            "email": pa.Column(None, [check.str_matches(EMAIL), check.str_length(max_value=64)]),
            "country": pa.Column(None, check.isin(COUNTRIES)),
            "segment": pa.Column(None, check.isin(SEGMENTS)),
            "created_at": pa.Column("datetime64[us]"),
        },
        drop_invalid_rows=drop,
    )


def pandera_drop(frame):
    """pandera with drop_invalid_rows: the accepted frame."""
    schema = pandera_schema(drop=True)

    def work():
        accepted = np.zeros(len(frame), dtype=bool)
        accepted[schema.validate(frame, lazy=True).index] = True
        return accepted

    return work


def pandera_lazy(frame):
    """pandera with lazy validation: failure cases, no split."""
    import pandera.errors

    schema = pandera_schema(drop=False)

    def work():
        accepted = np.ones(len(frame), dtype=bool)
        try:
            schema.validate(frame, lazy=True)
        except pandera.errors.SchemaErrors as error:
            accepted[error.failure_cases["index"].dropna().astype(int).unique()] = False
        return accepted

    return work


def dataframely_filter(frame):
    """dataframely, with the conversion from pandas: accepted frame and failure counts."""
    import dataframely as dy
    import polars as pl

    class Schema(dy.Schema):
        order_id = dy.Int64(min=1, nullable=False)
        user_id = dy.Int64(min=0, max_exclusive=10_000_000, nullable=False)
        qty = dy.Int64(min=1, max=1000, nullable=False)
        price = dy.Float64(
            min_exclusive=0, max=1e6, nullable=False, allow_inf=False, allow_nan=False
        )
        score = dy.Float64(min=0, max=1, nullable=False, allow_inf=False, allow_nan=False)
        discount = dy.Float64(min=0, max=0.9, nullable=True)
        email = dy.String(regex=EMAIL, max_length=64, nullable=False)
        country = dy.String(nullable=False, check=lambda column: column.is_in(COUNTRIES))
        segment = dy.String(nullable=False, check=lambda column: column.is_in(SEGMENTS))
        created_at = dy.Datetime(nullable=False, time_unit="us")
        i = dy.UInt32(nullable=False)

    def work():
        out, failures = Schema.filter(pl.from_pandas(frame).with_row_index("i"))
        failures.counts()
        accepted = np.zeros(len(frame), dtype=bool)
        accepted[out["i"].to_numpy()] = True
        return accepted

    return work


SPLITTERS = {
    "prodml": prodml_split,
    "prodml, one thread": lambda frame: prodml_split(frame, threads=1),
    "dataframely, from pandas": dataframely_filter,
    "pandera drop_invalid_rows": pandera_drop,
    "pandera lazy (no split)": pandera_lazy,
    "pydantic, best loop": pydantic_loop,
}
