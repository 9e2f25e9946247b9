"""Models: parts by name, recognisers built from them, and what they cost."""
