"""Static int8: the convolutions and the linear layers of a model file in whole numbers, chosen and measured on real lines.

plain       the graph of a model file with float weights, each normalisation folded into its convolution
observe     what real lines give at the layers: ranges, and which inputs occur together
rounding    weights to 7 bits, the error of each carried on to those that are still to be rounded
rewrite     the graph with some of its layers in int8
recurrent   LSTM layers with int8 weights
fallback    which layers stay in float so that no more than a given accuracy is lost
quantize    a model file to a quantised one, measured
outcome     what came of it, as a table, JSON and a page

All of it works on the model file alone: ONNX and NumPy, no torch.
"""
