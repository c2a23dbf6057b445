"""Idempotent batches: the ledger, whole jobs, records against millions of keys, keys, memory."""
