"""Evaluation: models on labelled lines, as figures, tables, charts and pages."""
