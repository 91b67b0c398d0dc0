"""Estimators that own an exact forget, and what they share."""
