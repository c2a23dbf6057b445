"""Features beside their peers."""
