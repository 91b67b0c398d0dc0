"""What the kernel estimators share: validation, updates, attributes, files."""
