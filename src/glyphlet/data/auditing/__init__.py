"""`glyphlet data check`: what spoils a training, found in labels and images, counted, named by file and line, and mended."""
