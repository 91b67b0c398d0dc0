"""What figures are drawn with: axes, scales, labels, panels."""
