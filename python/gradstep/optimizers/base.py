"""What all optimizers share."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Never, NoReturn, Self, TypedDict

from gradstep import directories
from gradstep.importing import bring
from gradstep.optimizers.assignments import may_be_set, refusal
from gradstep.optimizers.dialects import dialect
from gradstep.optimizers.hypers import Fixed, Hyper, Limit, Option
from gradstep.optimizers.resumable import SAVING, Resumable
from gradstep.optimizers.states import Slots, State

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from gradstep.types import Arrays, Floats, Params, Rate


class Options(TypedDict, total=False):
    """The arguments that every optimizer takes besides those of its rule; see `Optimizer`."""

    clip_norm: Rate | None
    clip_value: Rate | None
    clip_norm_each: Rate | None
    clip_eps: float
    decoupled: bool | Literal["after"] | None
    l1: Rate
    maximize: bool
    bounds: tuple[float | None, float | None] | None
    ema: Rate | None
    nonfinite: Literal["raise", "skip", "propagate"] | None
    accumulate: int
    measure: bool
    state_dtype: Literal["bfloat16", "8bit"] | None
    seed: int
    copy_to: Params | None
    groups: Mapping[str, Mapping[str, Any]] | None
    state_dir: str | os.PathLike[str] | None


class Optimizer(Resumable):
    """What all optimizers share. Not to be made directly: take a rule such as `Adam`.

    One call of `step` updates every array of every group in a single pass over memory. A step is all or
    nothing: everything is checked before the first write, and an error leaves parameters, state and
    ``step_count`` as they were.

    Args:
        params: the arrays to update in place; see `gradstep.optimizers`. Without any, they come with `bind`
            or `apply_gradients`.
        clip_norm: the largest global norm of the gradients, ≥ 0, or None. With ``clip_norm=c``, the gradients
            of all groups are scaled by min(1, c/(‖g‖ + 10⁻⁶)), where ‖g‖ is the norm of all of them together,
            as by torch's ``clip_grad_norm_``; ``float("inf")`` only measures it. Gradients with a non-finite
            norm are refused with a ValueError, unlike torch, which would make every parameter NaN.
        clip_value: the largest magnitude of an element of the gradients, ≥ 0, or None; after the scaling.
            Both happen inside the update; the caller's gradients stay as they are.
        clip_norm_each: the largest norm of the gradient of each array, before clip_norm; a group may have
            its own.
        clip_eps: what is added to a norm before a limit is divided by it; 10⁻⁶.
        decoupled: whether weight_decay shrinks p before the rule (True), enters the gradient (False), or
            shrinks p after the step ("after"). None: as the class has it.
        l1: λ₁ ≥ 0; after the step p ← sign(p)·max(abs(p) − ηλ₁, 0).
        bounds: (low, high), either of which may be None: after the step and l1, p is held within them.
        ema: β in [0, 1] of an average A ← βA + (1−β)p, which starts as p; see `averaged`, `swap_averaged`.
        maximize: take the gradients with the other sign.
        nonfinite: what to do with gradients that have NaN or infinite elements. None: refuse them where a
            norm is limited; "raise": refuse them, naming the arrays; "skip": leave everything as it is and
            count in ``skipped``; "propagate": take them.
        accumulate: the number of calls that make one update, with the mean of their gradients. Schedules and
            counts see updates only.
        measure: take the norms ``update_norm`` and ``param_norm`` of each update.
        state_dtype: keep the state of float32 parameters in fewer bits, rounded up or down at random such
            that its mean is exact: ``"bfloat16"`` in half the memory, ``"8bit"`` in a quarter, but for arrays
            of fewer than 4,096 elements. Its slots are then `Packed`; averages, and what has to be exact,
            stay as they are. A group may have its own. With ``"8bit"`` nonfinite is "raise" unless it is
            given.
        seed: an integer ≥ 0. The random bits are a function of it, of the number of the update, of the place
            of the array in ``state`` and of the element in memory: the same at any number of threads.
        copy_to: arrays of bfloat16 (of ``ml_dtypes``, or uint16 of the bits) in the structure of the
            parameters, which are float32. From here on they hold the parameters, rounded to nearest, brought
            up to date by the pass of each update: for a forward pass in fewer bits. `refresh_copies` is for
            changes of your own.
        groups: ``{pattern: options}``, patterns of path names with the wildcards of `fnmatch`; the first that
            matches has the parameter. One that matches none is an error.
        state_dir: a directory for the arrays of ``state``, a .npy file for each, instead of memory. A state
            that `flush` has left there is gone on with. It wants params.
        hypers: those of the rule.

    Attributes:
        step_count: the number of updates done; the next one is update number ``step_count``, counted
            from 0. Assign it, with the arrays of ``state``, to resume a run exactly.
        lr: the value that the next step will use; a tuple in group order where there are several groups.
            Assign a float or a schedule to replace it in all groups, or a tuple of one for each. So do
            weight_decay, clip_norm, clip_value and every other hyperparameter of the rule.
        hyperparameters: all of them as they were given, floats and schedules: a tuple of a dict for each
            group.
        params: the structure that was given, with the arrays that are updated.
        counts: how many updates each parameter has had, by name; bias corrections go by it. Assign it to
            resume.
        frozen: the names of the parameters that are frozen.
        micro_step: how many gradients wait for their update, with accumulate.
        skipped: how many steps were skipped, with nonfinite="skip".
        update_norm, param_norm: with measure, the norms of what the last update added to the parameters, and
            of the parameters before it; else None.
        state: ``{name: {slot: ndarray}}``, live views of the optimizer's own arrays, or `Packed` of them. The
            array of an optimizer of one lone array is named ``"0"``.
        grad_norm: the global norm of the last step's gradients before clipping, a float, or None if that
            step needed none, for ``clip_norm`` or for `gradstep.feedback.GradNormScaled`.
        scalars: the numbers that a rule remembers beside the state, a tuple of a dict for each group, mostly
            empty; assign it to resume.
        feedback_state: the states of the `gradstep.feedback` schedules among the hyperparameters, a tuple
            of dicts of plain numbers; assign it to resume.

    Raises:
        TypeError: an array or a hyperparameter is of the wrong type, or there is no such argument.
        ValueError: an array cannot be updated in place, or a hyperparameter is out of range.
        MemoryError: there is no memory for the state.
        OSError: there is no room for it on the disk, or state_dir has files of another optimizer: a
            FileExistsError where they may be a mix of two steps, a BlockingIOError where it still lives.
        AttributeError: on assignment to an attribute that does not exist or cannot be changed. A subclass
            may have attributes of its own if their names begin with an underscore or stand in the class.

    Threads: one thread steps an optimizer at a time; a second one that steps it meanwhile, assigns a
    hyperparameter or asks for ``state``, ``params``, ``scalars`` or ``feedback_state`` gets a RuntimeError,
    with nothing changed, and may try again. The count, the hyperparameters, ``grad_norm`` and ``repr`` can
    be read at any time. While a step runs, no other thread may write to the parameters or the gradients, or
    read parameters and state if it cannot do with values half way through: large steps let go of Python's
    lock, as NumPy does.
    """

    lr = Hyper()
    weight_decay = Hyper()
    decoupled = Option()
    l1 = Hyper()
    maximize = Option()
    bounds = Option()
    ema = Option()
    clip_norm_each = Option()
    clip_norm = Limit()
    clip_value = Limit()
    clip_eps = Option()
    nonfinite = Option()
    accumulate = Fixed()
    measure = Option()
    state_dtype = Fixed()
    seed = Fixed()

    def __init__(
        self, params: Params | None = None, *, state_dir: str | os.PathLike[str] | None = None, **hypers: Any
    ) -> None:
        if not hasattr(self, "rule"):
            raise TypeError(f"{type(self).__name__} has no rule of its own; take one such as gradstep.Adam")
        bring(*SAVING)
        decoupled = self.decoupled_weight_decay
        if state_dir is None:
            super().__init__(self.rule, params, decoupled_weight_decay=decoupled, **hypers)
            return
        if params is None:
            raise ValueError("state_dir needs params, got None")
        bring("gradstep.directories.flushing", "gradstep.directories.resuming")
        with directories.opened(state_dir) as directory:
            super().__init__(self.rule, params, directory, decoupled_weight_decay=decoupled, **hypers)
            if directory.resumed:
                directories.resume(self, self.rule, directory)

    @classmethod
    def like(cls, library: str, params: Params | None = None, **overrides: Any) -> Self:
        """Make an optimizer that computes what another library does, with its defaults.

        Args:
            library: ``"torch"``, ``"keras"``, ``"optax"``, ``"mlx"``, ``"sklearn"``, ``"autograd"``,
                ``"thinc"``, ``"flower"``, ``"pennylane"`` or ``"openai_es"``, as far as it has the rule.
            params: as of the class.
            overrides: options of the class that are to be others than the library's defaults. ``eps`` stands
                where the library has it.

        What it sets is seen in `hyperparameters` and in ``repr``; docs/variants.md tabulates it.

        Raises:
            ValueError: there is no such library, or it has not got the rule.

        Example:
            >>> import gradstep as gs
            >>> gs.RMSprop.like("keras", lr=0.01, eps=1e-6).hyperparameters[0]["eps_root"]
            1e-06
        """
        return cls(params, **dialect(cls.__name__, library, overrides))

    @property
    def params(self) -> Arrays:
        """The arrays that are updated, in a new structure like the one that was given.

        Where there are parameter groups it is a list of one structure for each, as gradients are given to
        `step`. Lists, tuples, named tuples and dicts are made again; other subclasses come back as these.
        """
        return self._params

    @property
    def copy_to(self) -> Any:
        """The arrays that hold copies, in a new structure like that of `params`; None where there are none.

        Those of an optimizer that was copied or unpickled are its own, as its parameters are.
        """
        return self._structured(copies) if (copies := self._copies) else None

    @property
    def averaged(self) -> Arrays:
        """The averages of the parameters, in a new structure like that of `params`.

        They are what to evaluate and to keep with ``ema``: copies, which later steps do not change.

        Raises:
            ValueError: the optimizer keeps no averages.
        """
        return self._structured(self._averages())

    @contextmanager
    def swap_averaged(self) -> Iterator[None]:
        """Put the averages into the parameters for the length of a ``with`` block, to evaluate a model.

        At its end the parameters are what they were before, bit for bit. No step is made inside, and no
        arrays are bound.

        Raises:
            ValueError: the optimizer keeps no averages.
            RuntimeError: they are in the parameters already.

        Example:
            >>> import numpy as np
            >>> import gradstep as gs
            >>> w = np.ones(2)
            >>> opt = gs.SGD(w, lr=0.5, ema=0.75)
            >>> opt.step(np.ones(2))
            True
            >>> with opt.swap_averaged():
            ...     print(w)
            [0.875 0.875]
            >>> w
            array([0.5, 0.5])
        """
        averages, arrays = self._averages(), self._arrays
        self._unseal()
        kept = [array.copy(order="K") for array in arrays]
        if self._swap(True):
            raise RuntimeError("the averages are in the parameters already")
        try:
            for array, average in zip(arrays, averages, strict=True):
                array[...] = average
            self.refresh_copies()
            yield
        finally:
            try:
                for array, own in zip(arrays, kept, strict=True):
                    array[...] = own
                self.refresh_copies()
            finally:
                self._swap(False)

    def _averages(self) -> list[Floats]:
        """Copy the average of each array."""
        averages = [slots["ema"] for slots in self._state.values() if "ema" in slots]
        if len(averages) < len(self._state):
            raise ValueError(f"this {type(self).__name__} keeps no averages; make it with ema=0.999")
        return [average.copy(order="K") for average in averages]

    @property
    def hyperparameters(self) -> tuple[dict[str, Rate | bool | None], ...]:
        """What was given for each group: floats, schedules and flags by name, limits among them."""
        return self._hyperparameters

    @property
    def state(self) -> State:
        """The optimizer's own arrays, ``{name: {slot: ndarray}}``: live views, to read and to write into."""
        return State({name: Slots(name, slots) for name, slots in self._state.items()})

    @state.setter
    def state(self, _: Never) -> NoReturn:
        raise TypeError("state cannot be replaced, only written into: state[name][slot][...] = value")

    def __setattr__(self, name: str, value: Never) -> None:
        if not may_be_set(type(self), name):
            raise AttributeError(refusal(type(self), name))
        super().__setattr__(name, value)
