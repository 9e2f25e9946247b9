"""Benchmarks: one file a claim."""
