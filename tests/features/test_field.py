"""What may be declared as an input."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from prodml.errors import FeatureDefinitionError
from prodml.features import FeatureSet, Field

MOMENT = "timestamp[us, UTC]"


@pytest.mark.parametrize(
    ("dtype", "kind", "nullable_kind"),
    [
        ("float64", "f", "f"),
        ("int64", "i", "f"),
        ("bool", "b", "f"),
        ("string", "s", "s"),
        (MOMENT, "i", "f"),
    ],
)
def test_what_features_see(dtype, kind, nullable_kind):
    """Numbers that may be missing are floats, text is text."""
    assert Field("x", dtype).kind == kind
    assert Field("x", dtype, nullable=True).kind == nullable_kind


@pytest.mark.parametrize(
    ("field", "told"),
    [
        (Field("x", "float64"), "Field('x', 'float64')"),
        (Field("x", "int64", nullable=True), "Field('x', 'int64', nullable=True)"),
        (
            Field("x", MOMENT, tz="Europe/Rome", coerce=True),
            "Field('x', 'timestamp[us, UTC]', tz='Europe/Rome', coerce=True)",
        ),
    ],
)
def test_it_reads_as_it_is_written(field, told):
    """Options are shown where they are not at their default; it hashes, compares and pickles."""
    assert repr(field) == told
    assert eval(told, {"Field": Field}) == field  # noqa: S307 - our own text
    assert hash(pickle.loads(pickle.dumps(field))) == hash(field)


@pytest.mark.parametrize(
    ("arguments", "options", "told"),
    [
        (("", "float64"), {}, "`name` must be an identifier"),
        (("two words", "float64"), {}, "got 'two words'. Rename the column."),
        ((5, "float64"), {}, "`name` must be an identifier"),
        (("x", "float32"), {}, "`dtype` of 'x' must be one of 'float64', "),
        (("x", None), {}, "`dtype` of 'x' must be one of"),
        (("x", ["float64"]), {}, "`dtype` of 'x' must be one of"),
        (("x", float), {}, "`dtype` of 'x' must be one of"),
        (("x", "float64"), {"nullable": 1}, "`nullable` of 'x' must be True or False, got 1."),
        (("x", "float64"), {"coerce": None}, "`coerce` of 'x' must be True or False, got None."),
        (("x", "string"), {"coerce": True}, "`coerce` of 'x' is for what may be written as text"),
        (("x", "string"), {"tz": "UTC"}, "`tz` of 'x' is for timestamps, not for 'string'."),
        (("x", MOMENT), {"tz": "Mars"}, "`tz` of 'x' must be an IANA name; got 'Mars'."),
        (("x", MOMENT), {"tz": "Europe"}, "`tz` of 'x' must be an IANA name; got 'Europe'."),
        (("x", MOMENT), {"tz": ""}, "`tz` of 'x' must be an IANA name; got ''."),
        (("x", MOMENT), {"tz": "../x"}, "`tz` of 'x' must be an IANA name; got '../x'."),
        (("x", MOMENT), {"tz": 1}, "`tz` of 'x' must be an IANA name; got 1."),
    ],
)
def test_what_cannot_be_an_input_is_refused_at_once(arguments, options, told):
    """The message says what was given and what may be."""
    with pytest.raises(FeatureDefinitionError) as caught:
        Field(*arguments, **options)
    assert told in str(caught.value)
    assert len(caught.value.faults) == 1


def test_all_faults_are_told():
    """A sentence for each."""
    with pytest.raises(FeatureDefinitionError) as caught:
        Field("two words", "text", nullable="no", tz="Mars", coerce=2)
    assert len(caught.value.faults) == 6
    assert str(caught.value) == " ".join(caught.value.faults)


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        (["x"], "got 'x'."),
        ("x", "got 'x'."),
        ([("x", "float64")], "got ('x', 'float64')."),
        (None, "got None."),
        (Field("x", "float64"), "got Field('x', 'float64')."),
        (pd.DataFrame({"x": [1]}), "got 'DataFrame'."),
        (np.array([1.0]), "got np.float64(1.0)."),
        ([Field("x", "int64"), Field("x", "bool")], "`inputs` name ['x'] more than once."),
    ],
)
def test_inputs_are_fields(inputs, told):
    """Each once; a frame is none, though it describes itself."""
    with pytest.raises(FeatureDefinitionError) as caught:
        FeatureSet("set", version="1", inputs=inputs)
    assert told.replace("np.float64(1.0)", repr(np.float64(1.0))) in str(caught.value)
    assert len(caught.value.faults) == 1
