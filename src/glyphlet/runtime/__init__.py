"""The model file and the reader that serves it; NumPy, Pillow and onnxruntime only."""
