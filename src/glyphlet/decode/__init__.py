"""From the output of a model to readings; NumPy only."""
