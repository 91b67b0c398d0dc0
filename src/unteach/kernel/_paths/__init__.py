"""Paths of a row's weight: leave-one-out, reweighting, forgetting by degrees."""
