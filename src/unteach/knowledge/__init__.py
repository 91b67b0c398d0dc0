"""What follows from what: facts, rules, closure, cuts, skills and their reductions."""
