"""Leave-one-out memorization in closed form, one learner a file."""
