"""prodml beside its peers: the same work in one run, as medians, ratios and peak memory."""
