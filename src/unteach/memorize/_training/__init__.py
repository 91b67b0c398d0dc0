"""The many trainings behind a study of memories: design, tasks, outcomes, shards."""
