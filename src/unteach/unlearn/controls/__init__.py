"""Two controls that stand in every comparison: doing nothing, and over-forgetting."""
