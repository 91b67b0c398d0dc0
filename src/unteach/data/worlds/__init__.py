"""Generated worlds whose answers are known."""
