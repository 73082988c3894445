"""The forms of a report: each is made of `model.Results` and of nothing else."""
