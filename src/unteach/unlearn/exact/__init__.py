"""Exact methods: retraining, the model's own forget, shards."""
