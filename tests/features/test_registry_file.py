"""The file of versions: one version stands for one definition, whoever writes and whenever."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from prodml.errors import (
    FormatError,
    NewerSchemaError,
    StorageError,
    UnknownVersionError,
    VersionNotBumpedError,
)
from prodml.features._registry_json import read_registry, written_registry
from prodml.features.fingerprint import CodeFingerprint, fingerprint_function
from prodml.features.registry_file import FeatureRegistry
from prodml.testing import FakeClock
from tests.features.fingerprinted import rates, zoo


@dataclass(frozen=True)
class Features:
    """A set of features, as a registry sees it: a user's own class."""

    functions: dict
    name: str = "credit"
    version: str = "1"
    fields_digest: str = "f" * 64

    def definition(self):
        """Return the fingerprints."""
        return {
            name: one if isinstance(one, CodeFingerprint) else fingerprint_function(one, name=name)
            for name, one in self.functions.items()
        }


SET = Features({"half": rates.halve, "calls": zoo.calls})


@pytest.fixture
def clock():
    """Return a clock that stands."""
    return FakeClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def registry(tmp_path, clock):
    """Return a registry without a file."""
    return FeatureRegistry(tmp_path / "features.json", clock=clock)


def test_a_version_is_remembered(registry):
    """With the source and the digest of each feature, in their order."""
    made = registry.register(SET)

    again = FeatureRegistry(registry.path)
    assert again.get("credit", "1") == made
    assert list(made.features) == ["half", "calls"]
    assert dict(made.features) == SET.definition()
    assert again.names() == ("credit",)
    assert made.at == datetime(2026, 1, 1, tzinfo=UTC)


def test_the_same_definition_again_changes_nothing(registry, clock):
    """Not one byte of the file."""
    first = registry.register(SET)
    content = registry.path.read_bytes()
    clock.advance(60)

    assert registry.register(SET) == first
    assert registry.path.read_bytes() == content


def test_another_source_with_the_same_digest_is_the_same(registry):
    """A comment needs no version."""
    registry.register(SET)
    commented = {
        name: replace(one, source=f"# new\n{one.source}") for name, one in SET.definition().items()
    }

    assert registry.register(replace(SET, functions=commented)).features == SET.definition()


@pytest.mark.parametrize(
    ("change", "changed", "told"),
    [
        ({"functions": {"half": zoo.cached, "calls": zoo.calls}}, ["half"], "+def cached(x):"),
        ({"functions": {"half": rates.halve}}, ["calls"], "The feature was removed."),
        ({"functions": {**SET.functions, "other": zoo.other}}, ["other"], "The feature was added."),
        (
            {"functions": dict(reversed(SET.functions.items()))},
            [""],
            "The order of the features differs: it is now 'calls', 'half'.",
        ),
        ({"fields_digest": "e" * 64}, [""], "The declared inputs differ."),
    ],
)
def test_another_definition_needs_another_version(registry, change, changed, told):
    """The error has a difference for each feature, and nothing is written."""
    registry.register(SET)
    content = registry.path.read_bytes()

    with pytest.raises(VersionNotBumpedError, match="Version '1' of 'credit' is known") as caught:
        registry.register(replace(SET, **change))

    assert (caught.value.name, caught.value.version) == ("credit", "1")
    assert list(caught.value.changes) == changed
    assert told in caught.value.changes[changed[0]]
    assert registry.path.read_bytes() == content
    assert isinstance(caught.value, ValueError)
    assert registry.register(replace(SET, version="2", **change)).version == "2"


def test_a_difference_is_unified(registry):
    """Lines that went, and lines that came."""
    registry.register(SET)
    registry.register(replace(SET, version="2", functions={"half": zoo.other, "calls": zoo.calls}))

    found = registry.diff("credit", "1", "2")

    assert list(found) == ["half"]
    lines = found["half"].splitlines()
    assert "-    return amount / 2" in lines
    assert "+    return mutual(n) + 1" in lines
    assert registry.diff("credit", "1", "1") == {}


def test_a_weak_fingerprint_is_told(registry):
    """By what is returned, and by the error that follows from it."""
    scope = {}
    exec("def f(x): return x", scope)  # noqa: S102 - code without source
    made = registry.register(replace(SET, functions={"f": scope["f"]}))
    assert made.weaknesses == ("f has no source: it is known by its bytecode",)
    exec("def f(x): return -x", scope)  # noqa: S102 - code without source

    with pytest.raises(VersionNotBumpedError, match="Not all code is known by its source") as error:
        registry.register(replace(SET, functions={"f": scope["f"]}))

    assert "these differ: f" in error.value.changes["f"]


def test_states_are_added(registry):
    """A definition may be fitted many times; a known state changes nothing."""
    registry.register(SET, state_digest="b")
    registry.register(SET, state_digest="a")
    content = registry.path.read_bytes()
    registry.register(SET, state_digest="b")
    registry.register(SET)

    assert registry.get("credit", "1").states == ("a", "b")
    assert registry.path.read_bytes() == content


def test_versions_come_in_the_order_of_registration(registry, clock):
    """Not in that of their names."""
    for version in ("9", "10", "2"):
        registry.register(replace(SET, version=version))
        clock.advance(1)

    assert registry.versions("credit") == ("9", "10", "2")


@pytest.mark.parametrize(
    ("ask", "name", "version", "told"),
    [
        (lambda one: one.versions("kredit"), "kredit", "", "'credit'"),
        (lambda one: one.get("other", "1"), "other", "", "'credit'"),
        (lambda one: one.get("credit", "1.1"), "credit", "1.1", "'1'"),
        (lambda one: one.diff("credit", "1", "3"), "credit", "3", "'1'"),
    ],
)
def test_what_is_not_known_is_told_with_what_is(registry, ask, name, version, told):
    """The error is a KeyError."""
    registry.register(SET)

    with pytest.raises(UnknownVersionError, match=told) as caught:
        ask(registry)

    assert (caught.value.name, caught.value.version) == (name, version)
    assert isinstance(caught.value, KeyError)


def test_an_absent_file_is_an_empty_registry(registry):
    """Nothing is made by asking."""
    assert registry.names() == ()
    with pytest.raises(UnknownVersionError, match="There are none yet"):
        registry.versions("credit")
    assert not registry.path.exists()


# ------------------------------------------------------------------------------------- the file


def test_the_file_can_be_reviewed(registry):
    """A line of source is a line, keys are sorted, and it ends with one."""
    registry.register(SET)

    text = registry.path.read_text(encoding="utf-8")

    assert text.endswith("}\n")
    assert '"    return amount / 2",\n' in text
    content = json.loads(text)
    assert text == json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def test_the_order_of_keys_does_not_matter(registry):
    """What was sorted by hand, or merged, is read all the same, and written as ever."""
    registry.register(SET)
    content = registry.path.read_bytes()

    def turned(value):
        if isinstance(value, dict):
            return {key: turned(item) for key, item in reversed(value.items())}
        return value

    other = json.dumps(turned(json.loads(content))).encode()
    assert other != content
    assert written_registry(read_registry(other, location="x")) == content


def test_any_text_survives(registry):
    """Lone surrogates, and what would end a line."""
    odd = CodeFingerprint(
        name="\udc80", digest="0", source="a\u2028b\udc80\n\x85 ß", parts={"é": ""}
    )
    made = registry.register(replace(SET, functions={"ß\udc80": odd}, name="naïve"))

    assert registry.get("naïve", "1") == made


def damaged(change):
    """Return the bytes of a registry after a change to its content."""
    sets = {"credit": {"1": registered()}}
    content = json.loads(written_registry(sets))
    change(content)
    return json.dumps(content).encode()


def registered():
    """Return a version as a registry keeps it."""
    from prodml.features._registry_json import RegisteredVersion

    return RegisteredVersion(
        name="credit",
        version="1",
        fields_digest="0",
        features=SET.definition(),
        states=(),
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def entry(content):
    """Return the one version of a registry."""
    return content["sets"]["credit"]["1"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"format": "other"}',
        damaged(lambda content: content.pop("sets")),
        damaged(lambda content: content.update(sets=[])),
        damaged(lambda content: content.update(sets={"a": 1})),
        damaged(lambda content: entry(content).pop("at")),
        damaged(lambda content: entry(content).update(at="yesterday")),
        damaged(lambda content: entry(content).update(at="2026-01-01")),
        damaged(lambda content: entry(content).update(fields=1)),
        damaged(lambda content: entry(content).update(states=[1])),
        damaged(lambda content: entry(content).update(order=["half"])),
        damaged(lambda content: entry(content).update(order=["half", "half"])),
        damaged(lambda content: entry(content)["features"]["half"].pop("digest")),
        damaged(lambda content: entry(content)["features"]["half"].update(source=1)),
        damaged(lambda content: entry(content)["features"]["half"].update(parts=1)),
    ],
)
def test_another_file_is_refused(registry, content):
    """And left as it is, also by a writer."""
    registry.path.write_bytes(content)

    for ask in (registry.names, lambda: registry.register(SET)):
        with pytest.raises(FormatError, match=r"features\.json.* is no registry"):
            ask()

    assert registry.path.read_bytes() == content


def test_a_later_layout_is_refused(registry):
    """Rather than read as far as it goes."""
    registry.path.write_bytes(damaged(lambda content: content.update(version=2)))

    with pytest.raises(NewerSchemaError, match="Update prodml") as caught:
        registry.names()

    assert (caught.value.found, caught.value.supported) == (2, 1)


@pytest.mark.parametrize("place", ["absent/features.json", "."])
def test_a_place_without_a_file_is_told(tmp_path, place):
    """The folder is the caller's to make."""
    registry = FeatureRegistry(tmp_path / place)

    with pytest.raises(StorageError, match="registry") as caught:
        registry.register(SET)

    assert caught.value.location == str(tmp_path / place)


# ---------------------------------------------------------------------------------- many writers


def write(path, number):
    """Register a version of its own; run by other processes."""
    FeatureRegistry(path).register(replace(SET, version=str(number)))


@pytest.mark.skipif(os.name != "posix", reason="the lock is one of POSIX systems")
def test_writers_in_many_processes_lose_nothing(registry):
    """Each sees what the others wrote."""
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write, args=(registry.path, one)) for one in range(4)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()

    assert [one.exitcode for one in writers] == [0] * 4
    assert set(registry.versions("credit")) == {"0", "1", "2", "3"}


@pytest.mark.skipif(os.name != "posix", reason="the lock is one of POSIX systems")
def test_writers_in_many_threads_lose_nothing(registry):
    """One registry may be shared."""
    threads = [
        threading.Thread(target=registry.register, args=(replace(SET, version=str(one)),))
        for one in range(8)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len(registry.versions("credit")) == 8


def test_a_writer_that_fails_leaves_the_old_file(registry, monkeypatch):
    """And no draft beside it."""
    registry.register(SET)
    content = registry.path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        registry.register(replace(SET, version="2"))

    assert registry.path.read_bytes() == content
    left = {one.name for one in registry.path.parent.iterdir()}
    assert left <= {"features.json", ".features.json.lock"}


def test_a_registry_and_its_versions_pickle_and_show_themselves(registry):
    """In a line, and as a table in which text is escaped."""
    made = registry.register(replace(SET, name="<b>"))

    assert pickle.loads(pickle.dumps(made)) == made
    assert pickle.loads(pickle.dumps(registry)).names() == ("<b>",)
    assert repr(made) == "<RegisteredVersion <b> 1: 2 features>"
    assert "&lt;b&gt;" in made._repr_html_()
    assert repr(registry).startswith("FeatureRegistry('")
    assert made.to_dict()["order"] == ["half", "calls"]
    assert made.at + timedelta(1) > made.at
