"""The exact solver: quadratic programs, active sets, and the conditions that a solution meets."""
