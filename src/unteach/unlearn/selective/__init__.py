"""Methods that change some parameters and leave the others, one a file."""
