"""Plain slow twins of what is fast; the tests compare them."""
