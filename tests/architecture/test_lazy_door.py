"""The door of the package: names come when they are asked for."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

import prodml
from prodml._lazy import attach


@pytest.fixture
def door(monkeypatch):
    """Yield a package whose door leads to two modules of Python itself."""
    package = ModuleType("json")
    package.__path__ = []
    monkeypatch.setitem(sys.modules, "json", package)
    package.__getattr__, package.__dir__ = attach(
        "json", submodules=["decoder"], attributes={"JSONDecoder": "decoder"}
    )
    return package


def test_a_name_is_the_one_its_module_defines():
    """The short way and the long way lead to the same object."""
    from prodml.evidence import Evidence

    assert prodml.Evidence is Evidence
    assert prodml.evidence is sys.modules["prodml.evidence"]


def test_a_name_is_looked_up_once(door):
    """After the first use it is an ordinary attribute."""
    assert "JSONDecoder" not in vars(door)

    found = door.JSONDecoder

    assert vars(door)["JSONDecoder"] is found


def test_a_module_comes_through_the_door(door):
    """A sub-module need not be imported by name."""
    assert door.decoder is sys.modules["json.decoder"]


def test_dir_lists_what_is_not_loaded_yet(door):
    """Completion in a notebook shows every name."""
    assert {"decoder", "JSONDecoder", "__name__"} <= set(dir(door))
    assert set(prodml.__all__) <= set(dir(prodml))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Evidense", r"module 'prodml' has no attribute 'Evidense'\. Did you mean 'Evidence'\?"),
        ("zzz", r"module 'prodml' has no attribute 'zzz'\.$"),
        ("_private", r"module 'prodml' has no attribute '_private'\.$"),
    ],
)
def test_an_unknown_name_is_an_attribute_error(name, message):
    """The message names the nearest name, when one is near."""
    with pytest.raises(AttributeError, match=message):
        getattr(prodml, name)
