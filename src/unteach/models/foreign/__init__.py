"""Estimators of other packages as learners, and whether their recipe gives them again."""
