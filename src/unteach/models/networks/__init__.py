"""Torch networks as learners, and the one loop that trains them."""
