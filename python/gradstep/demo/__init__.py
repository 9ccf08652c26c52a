"""A real training run: a NumPy network learns digits with six rules, each under its own schedule.

`gradstep demo` is its command line. Data flows `digits` → `network` → `training` (with `recipes` of rule and
schedule) → `report` and `figure`; `timing` compares the loop with the same one in plain NumPy, whose steps
are those of `gradstep.bench.textbook`.
"""
