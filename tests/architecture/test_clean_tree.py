"""What is shared works on any machine: no file knows where it was written."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.architecture._tree import ROOT

FOLDERS = ("src", "tests", "docs", "examples", "benchmarks", ".ci")
BINARY = {".xz", ".png", ".parquet", ".db"}
#: Folders that belong to a person or a machine. A service's own paths, as `/metrics`, may occur.
MACHINE_PATH = re.compile(r"(?<![\w.:/~-])/(?:home|root|work|Users|opt|mnt|srv|private)/\w")
#: Where packages come from is the reader's choice.
REGISTRY = re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs|index-url\s*=")


def files():
    """Return what a commit would hold; without git, what stands in the folders of the project."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        found = [ROOT / name for name in done.stdout.split("\0") if name]
    else:
        found = [*ROOT.glob("*.*"), *(p for name in FOLDERS for p in (ROOT / name).rglob("*"))]
    return sorted(
        path
        for path in found
        if path.is_file() and path.suffix not in BINARY and "__pycache__" not in path.parts
    )


@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY], ids=["machine path", "registry"])
def test_no_file_names_a_machine_or_a_registry(pattern):
    """A path or a host of the place where something was written is of no use anywhere else."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]

    assert found == []
