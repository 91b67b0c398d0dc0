"""What a model can still do after a skill was forgotten or changed."""
