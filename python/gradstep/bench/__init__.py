"""`gradstep bench`: one optimizer step against the same step in NumPy, torch and numba.

`workloads` says what is stepped, `rules` by which update, `contenders` who does it, `rounds` how time is
taken; `steps` and `schedules` measure, `report` tells it, and `targets` judges it.
"""
