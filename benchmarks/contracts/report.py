"""Runs the work of contracts and writes its part of the results."""

from __future__ import annotations

from benchmarks.contracts.contenders import (
    SPLITTERS,
    pandera_drop,
    pandera_lazy,
    prodml_split,
)
from benchmarks.contracts.orders import Order, RichOrder, make_orders
from benchmarks.measuring import in_own_process, table, time_side_by_side, time_small, verdict
from prodml.contracts import Compare, Contract

BAD_SHARES = (0.0, 0.01, 0.2)
#: peer -> by how much prodml is to be faster, for each share of bad rows
TARGETS = {
    "pandera drop_invalid_rows": {0.0: 2.0, 0.01: 3.5, 0.2: 3.5},
    "dataframely, from pandas": {0.0: 1.0, 0.01: 1.0, 0.2: 1 / 1.5},
    "pydantic, best loop": {0.0: 15.0, 0.01: 15.0, 0.2: 15.0},
}


def report(*, n_rows, rounds):
    """Return the section on contracts, in Markdown."""
    return "\n\n".join(
        [
            "## Contracts",
            (
                f"Work: {n_rows:,} orders of 10 columns (3 ints, 3 floats, 3 texts, a datetime); "
                f"each bad row breaks one of 8 rules. Every splitter was checked to give "
                f"the exact split before it was timed. prodml also gives reasons and counts."
            ),
            _split_section(n_rows, rounds),
            _without_arrow_section(n_rows, rounds),
            _memory_section(n_rows),
            _cliff_section(n_rows, rounds),
            _record_section(),
            _small_frame_section(),
        ]
    )


def _split_section(n_rows, rounds):
    rows = []
    for bad_share in BAD_SHARES:
        frame, good = make_orders(n_rows, bad_share)
        contenders = {name: make(frame) for name, make in SPLITTERS.items()}
        for name, work in contenders.items():
            assert (work() == good).all(), f"{name} splits wrongly"
        timings = time_side_by_side(contenders, rounds=rounds)
        ours = timings[0].median
        for one in timings:
            ratio = one.median / ours
            target = TARGETS.get(one.name, {}).get(bad_share)
            judged = (
                "" if target is None else f"{target:.2g}x: {verdict(ratio, target, at_least=True)}"
            )
            cells = (f"{one.median:.3f}", f"{ratio:.2f}x", judged)
            rows.append((f"{bad_share:.0%}", one.name, *cells))
    header = ["bad rows", "who", "median s", "time of prodml times", "target"]
    return "### Split of a frame\n\n" + table(header, rows)


def _without_arrow_section(n_rows, rounds):
    rows = []
    for bad_share in BAD_SHARES:
        seconds = in_own_process(
            "benchmarks.contracts.without_arrow", n_rows, bad_share, max(2, rounds // 2)
        )
        ratio = seconds["pydantic"] / seconds["prodml"]
        judged = f"7x: {verdict(ratio, 7, at_least=True)}"
        cells = (f"{seconds['prodml']:.3f}", f"{seconds['pydantic']:.3f}", f"{ratio:.1f}x")
        rows.append((f"{bad_share:.0%}", *cells, judged))
    header = ["bad rows", "prodml s", "pydantic best loop s", "ratio", "target"]
    return "### The same without pyarrow\n\n" + table(header, rows)


def _memory_section(n_rows):
    rows = []
    for name in SPLITTERS:
        if name == "prodml, one thread":
            continue
        for bad_share in (0.01, 0.2):
            found = in_own_process("benchmarks.contracts.memory", name, n_rows, bad_share)
            ratio = found["growth"] / found["frame"]
            judged = (
                f"1.0: {verdict(ratio, 1.0, at_least=False)}" if name.startswith("prodml") else ""
            )
            cells = (f"{found['frame']:.0f}", f"{found['growth']:.0f}", f"{ratio:.2f}")
            rows.append((name, f"{bad_share:.0%}", *cells, judged))
    header = ["who", "bad rows", "frame MB", "peak growth MB", "growth / frame", "target"]
    words = (
        "One process each. What prodml accepts is a copy of its own: with 1 % bad rows that copy "
        "and its index alone are 1.07 of the frame."
    )
    return f"### Peak memory\n\n{words}\n\n{table(header, rows)}"


def _cliff_section(n_rows, rounds):
    rows = []
    for bad_share in (0.0, 0.01):
        frame, _ = make_orders(n_rows, bad_share)
        rich_frame = frame.rename(columns={"qty": "quantity"})
        rich = Contract(RichOrder, checks=[Compare("score", "<=", "price")])
        plain = Contract(Order)
        timings = time_side_by_side(
            {
                "plain": lambda frame=frame, plain=plain: plain.validate_frame(frame),
                "rich": lambda frame=rich_frame, rich=rich: rich.validate_frame(frame),
            },
            rounds=rounds,
        )
        ratio = timings[1].median / timings[0].median
        cells = (f"{timings[0].median:.3f}", f"{timings[1].median:.3f}", f"{ratio:.2f}x")
        rows.append((f"{bad_share:.0%}", *cells, f"2x: {verdict(ratio, 2.0, at_least=False)}"))
    header = ["bad rows", "plain s", "rich s", "ratio", "target"]
    title = "### `str_strip_whitespace`, an alias and a `Compare` stay on the fast path"
    return f"{title}\n\n{table(header, rows)}"


def _record_section():
    frame, _ = make_orders(10, 0.0)
    record = frame.iloc[3].to_dict() | {"created_at": frame["created_at"][3].to_pydatetime()}
    record = {name: getattr(value, "item", lambda v=value: v)() for name, value in record.items()}
    contract = Contract(Order)
    validate = Order.model_validate
    ours = time_small(lambda: contract.validate_record(record), number=20_000)
    bare = time_small(lambda: validate(record), number=20_000)
    ratio = ours / bare
    rows = [(f"{ours * 1e6:.2f}", f"{bare * 1e6:.2f}", f"{ratio:.2f}x",
             f"1.5x: {verdict(ratio, 1.5, at_least=False)}")]  # fmt: skip
    return "### One record\n\n" + table(["prodml us", "pydantic us", "ratio", "target"], rows)


def _small_frame_section():
    rows = []
    for bad_share in (0.0, 0.01):
        frame, good = make_orders(1440, bad_share)
        seconds = {}
        for name, make in {
            "prodml": prodml_split,
            "pandera drop_invalid_rows": pandera_drop,
            "pandera lazy (no split)": pandera_lazy,
        }.items():
            work = make(frame)
            assert (work() == good).all(), name
            seconds[name] = time_small(work, number=20)
        for name, value in seconds.items():
            ratio = value / seconds["prodml"]
            judged = "" if name == "prodml" else f"5x: {verdict(ratio, 5, at_least=True)}"
            rows.append((f"{bad_share:.0%}", name, f"{value * 1e3:.2f}", f"{ratio:.1f}x", judged))
    header = ["bad rows", "who", "median ms", "time of prodml times", "target"]
    return "### A frame of 1,440 rows\n\n" + table(header, rows)
