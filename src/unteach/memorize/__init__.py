"""How much a model holds of each record: leave-one-out, subsampled, screens, influence."""
