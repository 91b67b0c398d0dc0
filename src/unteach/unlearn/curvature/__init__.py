"""Methods that take one step by the loss's curvature, one a file."""
