"""Whole pages: where the lines stand, what they say, and the page as text, JSON, hOCR, ALTO or a searchable PDF.

    source -> binarize -> skew -> components -> lines -> columns -> cut -> Reader -> words -> Page -> writers

OpenCV and pypdfium2 come with the extra `pages`; no torch. All of it is classical: nothing here is trained.
"""
