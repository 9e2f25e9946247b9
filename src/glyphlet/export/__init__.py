"""From a trained model to the model file, checked on real lines."""
