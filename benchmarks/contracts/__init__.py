"""Contracts: the split of a frame, one record, small frames, memory."""
