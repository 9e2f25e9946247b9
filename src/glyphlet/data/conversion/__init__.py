"""`glyphlet data convert`: lines decoded and checked by workers, written in order, to go on with after any stop."""
