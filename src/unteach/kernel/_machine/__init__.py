"""A solved machine as a value: its Gram matrix, its pairs of classes, its decision function."""
