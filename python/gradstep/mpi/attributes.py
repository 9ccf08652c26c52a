"""What is read of an optimizer of many ranks, and assigned to it on all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradstep.mpi.states import seen
from gradstep.optimizers.assignments import RESTORED
from gradstep.optimizers.hypers import Attribute, Fixed

if TYPE_CHECKING:
    from typing import SupportsIndex

    from mpi4py import MPI

    from gradstep.mpi.intakes import Intakes
    from gradstep.mpi.teams import Team
    from gradstep.optimizers.states import State
    from gradstep.types import Params, Rate

READ = (
    *RESTORED,
    "frozen",
    "hyperparameters",
    "micro_step",
    "param_norm",
    "skipped",
    "update_norm",
)
"""What is the same on all ranks, and read from this rank's optimizer."""


def vars_of(one: object, name: str) -> object:
    """Give what the class of an object has by a name, or None."""
    return next((vars(base)[name] for base in type(one).__mro__ if name in vars(base)), None)


class Attributes:
    """The attributes of `Sharded`: its own, and those of this rank's optimizer that are the same on all."""

    _comm: MPI.Intracomm
    _team: Team
    _intakes: Intakes
    _ready = False

    @property
    def parts(self) -> range:
        """The parts of a batch that this rank computes."""
        return self._team.mine

    @property
    def stretch(self) -> dict[str, slice]:
        """The elements of each parameter, in the order of memory, that this rank updates."""
        return dict(zip(self._team.inner._state, self._team.slices, strict=True))

    @property
    def state(self) -> State:
        """Live views of the state of these elements, or `gradstep.Packed` of them."""
        return seen(self._team.inner._state)

    @property
    def loss(self) -> float | None:
        """The mean of the losses of the last step's parts, or None."""
        return self._team.loss

    @property
    def params(self) -> Params:
        """The parameters, in a new structure like the one that was given."""
        return self._team.params

    @property
    def lr(self) -> float | Any:
        """The rate of the next step; a tuple where there are groups. Assign a float or a schedule."""
        return self._team.inner.lr

    @lr.setter
    def lr(self, value: Rate | tuple[Rate, ...]) -> None:
        self._team.inner.lr = value

    @property
    def step_count(self) -> int:
        """The number of updates done."""
        return self._team.inner.step_count

    @step_count.setter
    def step_count(self, value: SupportsIndex) -> None:
        self._team.inner.step_count = value

    @property
    def grad_norm(self) -> float | None:
        """The norm of the last step's gradient of the whole batch, before limits, if it was taken."""
        return self._team.inner.grad_norm

    def __getattr__(self, name: str) -> Any:
        team = self.__dict__.get("_team")
        if team is not None and (name in READ or isinstance(vars_of(team.inner, name), Attribute)):
            return getattr(team.inner, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        own = vars_of(self, name)
        if not self._ready or name in self.__dict__ or (isinstance(own, property) and own.fset is not None):
            if self._ready:
                self._team.changed()
            super().__setattr__(name, value)
            return
        self._team.changed()
        of_inner = vars_of(self._team.inner, name)
        settable = isinstance(of_inner, Attribute) and not isinstance(of_inner, Fixed)
        if not (settable or name in RESTORED):
            what = "does not exist" if own is None and of_inner is None else "cannot be changed"
            raise AttributeError(f"{type(self).__name__}.{name} {what}")
        setattr(self._team.inner, name, value)
