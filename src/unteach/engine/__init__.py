"""Many trainings as idempotent tasks of a stored run, in a pool of processes that may die.

A task is a function at the top of a module that takes a JSON payload and returns a JSON result,
the same each time; that is all an engine needs to know, on this machine or on many.
"""

from .local import Pace, TasksFailed, run_tasks

__all__ = ["Pace", "TasksFailed", "run_tasks"]
