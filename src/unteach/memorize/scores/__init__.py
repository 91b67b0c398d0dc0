"""Scores of memorization and influence, one a file."""
