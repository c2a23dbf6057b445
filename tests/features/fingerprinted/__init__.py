"""Functions whose fingerprints are known."""
