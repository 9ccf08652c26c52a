"""A real training run: a NumPy network learns digits with every rule, each under its own schedule.

`gradstep demo` is its command line. Data flows `digits` → `network` → `training` (with `recipes` of rule and
schedule) → `report` and `figure`; `textbook` and `timing` measure the same optimizer step as it is written in
plain NumPy.
"""
