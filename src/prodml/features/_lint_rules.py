"""What a feature must not do, and why: the names that give it away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["BATCH_FUNCTIONS", "BATCH_METHODS", "FORBIDDEN", "RULES", "Rule", "Severity"]

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What is wrong with something that a feature does.

    Attributes
    ----------
    severity : str
        ``"error"`` for what comparing rows cannot show: it differs between processes, machines
        or moments. ``"warning"`` for what it shows, where it is so.
    fault, repair : str
        The end of "... ", and what to do instead.
    """

    severity: Severity
    fault: str
    repair: str


RULES: Final[dict[str, Rule]] = {
    "builtin_hash": Rule(
        "error",
        "gives another value for text in every process",
        "Use prodml's hashing operation, or zlib.crc32 of the bytes.",
    ),
    "random": Rule(
        "error",
        "gives another value at each call",
        "Draw before the features are computed, and make the draw an input.",
    ),
    "current_time": Rule(
        "error",
        "depends on when it runs",
        "Make the time of the event an input.",
    ),
    "environment": Rule(
        "error",
        "depends on the machine it runs on",
        "Make it a constant of the module, or an input.",
    ),
    "outside_read": Rule(
        "error",
        "reads what may be other at serving than it was at training",
        "Learn it in `fit` and keep it as state, or make it an input.",
    ),
    "set_order": Rule(
        "error",
        "goes through a set, whose order is another one in every process",
        "Go through `sorted(...)` of it, or use a tuple.",
    ),
    "vectorize_type": Rule(
        "error",
        "takes the type of the column from its first row",
        "Give otypes=[float], or declare the feature elementwise.",
    ),
    "batch_statistic": Rule(
        "warning",
        "seems to depend on the other rows, of which there are none at serving",
        "Learn the statistic in `fit` and read it from `state`.",
    ),
    "row_position": Rule(
        "warning",
        "seems to read a row by its position, so that every row depends on one of the batch",
        "Compute each row from its own values.",
    ),
    "row_count": Rule(
        "warning",
        "decides by the number of rows, which is one at serving",
        "Compute each row from its own values.",
    ),
    "zero_sign": Rule(
        "warning",
        "returns 0.0 or -0.0 where both are given, and which one differs with the number of rows",
        "Use np.maximum or np.minimum, and np.where for missing values.",
    ),
    "math_function": Rule(
        "warning",
        "takes one number, and differs from numpy in the last bit (log1p 4 % of values, tanh 31 %)",
        "Use the function of numpy, or declare the feature elementwise.",
    ),
    "local_time": Rule(
        "error",
        "depends on the time zone of the machine",
        "Give the time zone, as tz=timezone.utc.",
    ),
    "naive_datetime": Rule(
        "warning",
        "makes a time without a time zone, which names no instant",
        "Give tzinfo=timezone.utc.",
    ),
    "global_state": Rule(
        "error",
        "keeps something from one call for the next, which a server does not share",
        "Learn it in `fit` and keep it as state, or use a variable of the function.",
    ),
    "no_source": Rule(
        "warning",
        "has no source that could be looked at",
        "Write it in a file or a cell of a notebook.",
    ),
}

#: Names, in full, and the rule that they break. One that ends in a full stop is a beginning.
FORBIDDEN: Final[dict[str, str]] = {
    "builtins.hash": "builtin_hash",
    "random.": "random",
    "secrets.": "random",
    "numpy.random.": "random",
    "os.urandom": "random",
    "uuid.uuid1": "random",
    "uuid.uuid4": "random",
    "datetime.datetime.now": "current_time",
    "datetime.datetime.today": "current_time",
    "datetime.datetime.utcnow": "current_time",
    "datetime.date.today": "current_time",
    "pandas.Timestamp.now": "current_time",
    "pandas.Timestamp.today": "current_time",
    "pandas.Timestamp.utcnow": "current_time",
    "time.time": "current_time",
    "time.time_ns": "current_time",
    "time.monotonic": "current_time",
    "time.monotonic_ns": "current_time",
    "time.perf_counter": "current_time",
    "time.perf_counter_ns": "current_time",
    "time.process_time": "current_time",
    "time.ctime": "local_time",
    "time.localtime": "local_time",
    "time.mktime": "local_time",
    "os.environ": "environment",
    "os.environb": "environment",
    "os.getenv": "environment",
    "os.getcwd": "environment",
    "os.getpid": "environment",
    "os.cpu_count": "environment",
    "os.uname": "environment",
    "sys.argv": "environment",
    "sys.platform": "environment",
    "getpass.getuser": "environment",
    "socket.gethostname": "environment",
    "platform.": "environment",
    "builtins.open": "outside_read",
    "builtins.input": "outside_read",
    "io.open": "outside_read",
    "_io.open": "outside_read",  # as `from io import open` calls itself
    "pathlib.Path.read_bytes": "outside_read",
    "pathlib.Path.read_text": "outside_read",
    "pathlib.Path.open": "outside_read",
    "requests.": "outside_read",
    "httpx.": "outside_read",
    "urllib.request.": "outside_read",
    "http.client.": "outside_read",
    "socket.": "outside_read",
    "subprocess.": "outside_read",
    "sqlite3.": "outside_read",
    "numpy.load": "outside_read",
    "numpy.loadtxt": "outside_read",
    "numpy.genfromtxt": "outside_read",
    "numpy.fromfile": "outside_read",
    "pandas.read_": "outside_read",
}

_STATISTICS: Final = (
    "argmax", "argmin", "argsort", "cumprod", "cumsum", "max", "mean", "median", "min", "prod",
    "ptp", "sort", "std", "sum", "var",
)  # fmt: skip

#: Methods of an array or a Series whose result for a row depends on the others.
BATCH_METHODS: Final = frozenset(
    (
        *_STATISTICS, "bfill", "cummax", "cummin", "diff", "duplicated", "ewm", "expanding",
        "factorize", "ffill", "groupby", "interpolate", "kurt", "mode", "nunique", "pct_change",
        "quantile", "rank", "rolling", "shift", "skew", "sort_values", "unique", "value_counts",
    )
)  # fmt: skip

#: Functions of which the same is true.
BATCH_FUNCTIONS: Final = frozenset(
    [
        *(f"numpy.{name}" for name in _STATISTICS),
        *(f"numpy.nan{name}" for name in _STATISTICS),
        *(
            f"numpy.{name}"
            for name in (
                "amax", "amin", "average", "bincount", "corrcoef", "cov", "diff", "ediff1d",
                "gradient", "histogram", "nanpercentile", "nanquantile", "percentile", "quantile",
                "roll", "unique",
            )
        ),
        *(f"pandas.{name}" for name in ("Categorical", "factorize", "get_dummies", "qcut")),
        *(f"builtins.{name}" for name in ("max", "min", "sorted", "sum")),
        "statistics.mean",
        "statistics.median",
        "statistics.stdev",
    ]
)  # fmt: skip
