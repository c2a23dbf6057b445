"""Constants and functions that other modules read as `rates.name`."""

from __future__ import annotations

RATE = 0.25
NEVER_READ = "anything"


def halve(amount):
    """Return half of it."""
    return amount / 2
