"""Smaller models out of trained ones: structured pruning.

trace       which channels of a model hang together, followed with torch-pruning
group       channels that can be removed
graph       all groups of a model by name, and why the other layers cannot be pruned
decoders    what hangs together inside the heads that write step by step
criteria    how much a channel matters
cut         remove channels, or silence them where they are, which must be the same
prune       from a wish to a smaller model
"""
