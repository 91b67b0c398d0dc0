"""Methods, metrics and estimators with planted faults: each is caught by one law alone."""
