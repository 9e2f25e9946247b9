"""Training: the loop, its optimisers and schedules, its checkpoints, and what it reports."""
