"""Layers that several families share: activations, channel attention, blurred pooling, convolution with normalisation."""
