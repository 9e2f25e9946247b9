"""Smaller models out of trained ones: structured pruning.

trace       which channels of a model hang together, followed with torch-pruning
group       channels that can be removed
graph       all groups of a model by name, and why the other layers cannot be pruned
decoders    what hangs together inside the heads that write step by step
criteria    how much a channel matters
cut         remove channels, or silence them where they are, which must be the same
prune       from a wish to a smaller model
store       a pruned model as a checkpoint

adapt       adaptive batch normalisation
accuracy    how well smaller models read
cost        multiply-adds, parameters, kB, ms, and a budget for one of them
sensitivity what each group costs when some of it goes; threshold and fitting make a model of that
eagleeye    the best of many smaller models that are drawn by chance
record      what was measured, kept in a file to go on with
page        the reports
"""
