"""Methods that take gradient steps, one a file."""
