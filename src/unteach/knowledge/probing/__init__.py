"""What a model's answers still give away, and the families that studies ask about."""
