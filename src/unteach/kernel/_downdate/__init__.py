"""Removing rows from a solution without solving afresh: factors, pivots, the working set."""
