"""Synthesis: labelled lines out of texts, fonts and backgrounds."""
