"""The recogniser that fits a budget: candidates of several families, short trainings, and longer ones of the best.

space       which networks there are to choose from, in ladders of rising width
limits      what a recogniser may cost, and what a network costs in each way of storing it
entrants    the candidates: the widest of each ladder that meet the limits, narrower ones, and wider ones to be cut
plan        how long the rungs are, so that they fit into the time
race        trains one candidate for so many updates, from where it stood
cut         a wider network pruned to the limits
halving     one candidate through one rung
rungs       all for a short time, the best third for longer, and so on
front       which candidates no other beats, who goes on, and which one is chosen
clock state how much time is left, and what is kept in a file to go on with
fit         all of it in order
finish      the chosen one as files
page        the report
"""
