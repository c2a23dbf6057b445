"""Events reach the program's own logging, and never the standard output."""

from __future__ import annotations

import logging

import pytest
import structlog

from prodml._core.log import get_logger


@pytest.fixture
def structlog_reset():
    """Give structlog back as it was found."""
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("structlog_reset")
def test_events_go_to_the_standard_library_by_default(caplog, capsys):
    """Fields are attributes of the record; nothing is printed."""
    with caplog.at_level(logging.INFO, logger="prodml.test"):
        get_logger("prodml.test").info("rows_quarantined", n_new=3)

    (record,) = caplog.records
    assert (record.getMessage(), record.n_new, record.name) == (
        "rows_quarantined",
        3,
        "prodml.test",
    )
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("structlog_reset")
def test_a_configuration_of_structlog_applies():
    """Where the program has chosen its processors, they get the event."""
    captured = structlog.testing.LogCapture()
    structlog.configure(processors=[captured])
    get_logger("prodml.test").info("rows_quarantined", n_new=3)

    assert captured.entries == [{"event": "rows_quarantined", "n_new": 3, "log_level": "info"}]
