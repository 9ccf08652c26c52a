"""`gradstep bench`: one optimizer step against the same step in NumPy, torch and numba.

`workloads` says what is stepped, `rules` by which update and `hypers` with which numbers, `contenders` who
does it, `races` who takes part where, `rounds` how time is taken; `steps` and `schedules` measure, `results`
tells it, and `targets` judges it. The demo too compares itself with `textbook`.
"""
