"""What methods share: the split, the copy of the network, the gradient steps."""
