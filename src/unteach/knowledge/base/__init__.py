"""A knowledge base: facts, rules, closure, proofs, and the files they are read from."""
