"""What goes wrong with files: programs that are killed, disks that fail, bytes that have changed.

`python -m faults` (`make faults`) does it often, tests/test_faults.py a few times.
"""
