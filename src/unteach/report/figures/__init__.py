"""Figures, one kind a file: a table in, a drawing out."""
