"""Programs that run on several ranks, and what is the same on one."""
