"""Records, requests to forget some of them, and the cases that audits look at."""
