"""What the certified methods share: noisy learners, paths, and the budget."""
