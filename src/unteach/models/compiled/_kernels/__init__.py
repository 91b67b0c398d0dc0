"""The compiled training loops, and the parts they are made of."""
