"""Records from files: tables, cell by cell, and images."""
