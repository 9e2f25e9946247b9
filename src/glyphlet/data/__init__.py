"""Labelled lines: read from label files, checked, split, and fed to the training."""
