"""Skills, the programs that compute them, and what each stands on."""
