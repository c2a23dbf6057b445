"""Quarantine: writing rejected rows, durably."""
