"""Seeded bugs in the verdict code are found by the differential tests.

A fuzz that finds nothing proves nothing until it has been seen to find something. Each mutant is
one small replacement in a copy of the package; the families of random frames run over it in a
process of its own, and at least one of them must object. Mutants that only make vectorised code
more careful (`ge` taken for `gt`) are not here: it never rejects by itself, so they cost time and
change no verdict.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import prodml

from .families import FAMILIES

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Path(prodml.__file__).resolve().parent
SEEDS = 3

#: Exit codes of the process below. Any other is a fault of this test.
SURVIVED, KILLED = 0, 9

RUN = f"""
import sys, traceback, warnings
from pathlib import Path
warnings.simplefilter("error")
import prodml
from tests.contracts.families import FAMILIES, hold
assert Path(prodml.__file__).is_relative_to(sys.argv[1]), prodml.__file__
for seed in range({SEEDS}):
    for name in FAMILIES:
        try:
            hold(name, seed)
        except Exception:  # a mutant may crash as well as lie
            traceback.print_exc()
            sys.exit({KILLED})
"""


@dataclass(frozen=True)
class Mutant:
    """One bug: a replacement of text that stands once in a file of the package."""

    file: str
    old: str
    new: str
    needs_arrow: bool = False


MUTANTS = {
    "a pattern that means more to Arrow is not guarded": Mutant(
        "contracts/_field_reading.py", "if not is_portable(pattern):", "if False:", needs_arrow=True
    ),
    "negated classes count as portable": Mutant(
        "contracts/_patterns.py",
        "or (not negated and self._take(_POSITIVE_CLASS))",
        "or self._take(_POSITIVE_CLASS)",
        needs_arrow=True,
    ),
    "float32 is compared without being widened": Mutant(
        "_core/columns.py",
        "return np.asarray(column).astype(np.float64, copy=False) if exact else None",
        "return np.asarray(column) if exact else None",
    ),
    "lengths are counted in bytes": Mutant(
        "_core/arrow_text.py", "pc.utf8_length(text)", "pc.binary_length(text)", needs_arrow=True
    ),
    "gt is taken for ge": Mutant(
        "contracts/_judgement.py", '("gt", np.less_equal)', '("gt", np.less)'
    ),
    "lt is taken for le": Mutant(
        "contracts/_judgement.py", 'high >= bounds["lt"]', 'high > bounds["lt"]'
    ),
    "a fraction passes for the integer below it": Mutant(
        "contracts/_numbers.py",
        "fractional = (np.trunc(numbers) != numbers) & ~absent",
        "fractional = absent & False",
    ),
    "NaN passes in a float field that needs a value": Mutant(
        "contracts/_numbers.py",
        "if excluded is not None and not plan.nullable:",
        "if excluded is not None and plan.nullable:",
    ),
    "infinity passes where it is not allowed": Mutant(
        "contracts/_numbers.py", 'if not plan.node["allow_inf_nan"]:', "if False:"
    ),
    "a missing int passes in a field that needs one": Mutant(
        "contracts/_numbers.py",
        "    absent = missing_mask(column)\n    if not plan.nullable:",
        "    absent = missing_mask(column)\n    if False:",
    ),
    "strip_whitespace is ignored": Mutant(
        "contracts/_text.py", 'if plan.node["strip_whitespace"]:', "if False:", needs_arrow=True
    ),
    "white space is ASCII": Mutant(
        "_core/arrow_text.py",
        "certain: npt.NDArray[np.bool_] = visible | empty",
        "certain: npt.NDArray[np.bool_] = visible | True",
        needs_arrow=True,
    ),
    "extra=forbid is ignored": Mutant("contracts/_engine.py", 'plan.extra == "forbid"', "False"),
    "strict is ignored": Mutant(
        "contracts/_field_reading.py", 'bool(config.get("strict", False))', "False"
    ),
    "values are told apart by ==: 1, 1.0 and True are one": Mutant(
        "_core/columns.py",
        "if len(present) != 1 or not present <= {str, int, bool}:",
        "if False:",
    ),
    "values are told apart by ==: 0.0 and -0.0 are one": Mutant(
        "_core/columns.py",
        "codes, bits = factorize(floats.view(np.int64))",
        "codes, bits = factorize(floats)",
    ),
    "what pydantic made of distinct values is not written back": Mutant(
        "contracts/_columnwise.py",
        "outcome.values = _rebuilt(plan, answers.values, answers.reasons).take(codes)",
        "outcome.values = column",
    ),
    "what pydantic made of single values is not written back": Mutant(
        "contracts/_columnwise.py",
        "outcome.values = _rebuilt(plan, answers.values, answers.reasons)\n    return",
        "outcome.values = column\n    return",
    ),
    "what pydantic made of open rows is not written back": Mutant(
        "contracts/_columnwise.py",
        "outcome.values = concat_columns([outcome.values, patch]).take(index)",
        "outcome.values = concat_columns([outcome.values, patch]).take(index * 0)",
        needs_arrow=True,
    ),
    "a constraint that no kernel knows does not fail closed": Mutant(
        "contracts/_field_reading.py",
        "unknown = sorted(set(inner) - _KERNEL_KEYS[kind] - SILENT_KEYS)",
        "unknown = sorted(())",
    ),
    "a key of the schema that nobody knows does not fail closed": Mutant(
        "contracts/_schema_nodes.py",
        "unknown = sorted(set(node) - known - SILENT_KEYS)",
        "unknown = sorted(())",
    ),
    "a validator's context is ignored": Mutant(
        "contracts/_schema_nodes.py",
        'return bool(node["function"].get("type") != "no-info")',
        "return False",
    ),
    "a model validator is ignored": Mutant(
        "contracts/_engine.py", "if plan.survivors is not None:", "if False:"
    ),
    "a field is read by its name besides its alias": Mutant(
        "contracts/_field_reading.py",
        "dict.fromkeys([*names, name] if by_name else names)",
        "dict.fromkeys([*names, name])",
    ),
    "a naive moment passes where a zone is needed": Mutant(
        "contracts/_moments.py",
        'refused = constraint is not None and (constraint == "aware") is not aware',
        "refused = False",
    ),
    "a moment is a date at any hour": Mutant(
        "contracts/_moments.py", "(moments % _MICROSECONDS_PER_DAY == 0)", "(moments % 1 == 0)"
    ),
    "rejected rows are found by label instead of position": Mutant(
        "contracts/_frames.py",
        "rejected=frame.take(rejected)",
        "rejected=frame.loc[frame.index.take(rejected)]",
    ),
}


def run(package: Path) -> subprocess.CompletedProcess[str]:
    """Run the families over a copy of the package, in a process of its own."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("COV_", "COVERAGE_"))}
    environ["PYTHONPATH"] = os.pathsep.join([str(package.parent), str(ROOT)])
    command = [sys.executable, "-c", RUN, str(package)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a copy of the package, to be changed at will."""
    return Path(shutil.copytree(SOURCE, tmp_path / "prodml"))


def test_the_package_as_it_is_survives(package: Path) -> None:
    """What kills mutants has nothing against the code itself."""
    done = run(package)

    assert done.returncode == SURVIVED, done.stderr[-3000:]
    assert FAMILIES


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.needs_arrow] if mutant.needs_arrow else [])
        for name, mutant in MUTANTS.items()
    ],
)
def test_a_mutant_is_killed(name: str, package: Path) -> None:
    """Each bug shows in a verdict, a reason, a value or a crash."""
    mutant = MUTANTS[name]
    file = package / mutant.file
    text = file.read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1, f"The text to replace does not stand once in {mutant.file}."
    file.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")

    done = run(package)

    assert done.returncode != SURVIVED, "The mutant survived."
    assert done.returncode == KILLED, done.stderr[-3000:]
