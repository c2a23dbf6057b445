"""Private plumbing: the only code that knows foreign containers, files and databases."""
