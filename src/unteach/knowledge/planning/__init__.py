"""Plans: which facts to remove so that some conclusions fall and others stay."""
