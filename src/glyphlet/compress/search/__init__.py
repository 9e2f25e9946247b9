"""The recogniser that fits a budget: candidates of several families, short trainings, and longer ones of the best.

space       which networks there are to choose from, in ladders of rising width
limits      what a recogniser may cost, and what a network costs in each way of storing it
entrants    the candidates: the widest of each ladder that meet the limits, narrower ones, and wider ones to be cut
plan        how long the rungs are, so that they fit into the time
race        trains one candidate for so many updates, from where it stood
cut         a wider network pruned to the limits
halving     the rungs: all for a short time, the best third for longer
front       which candidates no other beats, and which one is chosen
fit         all of it in order, kept in a file and gone on with
page        the report
"""
