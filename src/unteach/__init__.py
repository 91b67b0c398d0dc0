"""unteach."""
