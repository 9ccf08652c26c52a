from gradstep import _core
class Schedule(_core.Schedule): pass
