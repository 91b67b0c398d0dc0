"""One learner on many subsets of the records at once."""
