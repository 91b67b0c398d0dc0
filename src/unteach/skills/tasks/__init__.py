"""Tasks that teach skills, as token sequences in four formats."""
