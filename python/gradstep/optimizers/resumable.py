"""What is there to save an optimizer, to load it, to copy and to send it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from gradstep import _core, checkpoints, directories

if TYPE_CHECKING:
    from collections.abc import Mapping


SAVING = (
    "gradstep.archives",
    "gradstep.checkpoints.loading",
    "gradstep.checkpoints.pickles",
    "gradstep.checkpoints.records",
    "gradstep.checkpoints.restoring",
    "gradstep.checkpoints.saving",
    "gradstep.history",
)
"""What an optimizer and its history are saved with, and loaded."""


class Resumable(_core.Optimizer):
    """The native optimizer, of which everything that it remembers can be had and given back."""

    #: The name of the native rule.
    rule: ClassVar[str]
    #: Whether weight decay shrinks the parameter instead of entering the gradient.
    decoupled_weight_decay: ClassVar[bool] = False

    def state_dict(self) -> dict[str, Any]:
        """Give all that the optimizer remembers but the parameters, by their names, to be saved.

        It is made of dicts with str keys, lists, str, int, float, bool, None and ndarrays, which are copies:

        - ``"format"``, the version of this form, 1; ``"class"``, ``"rule"``, ``"step_count"``, ``"skipped"``;
        - ``"parameters"``: for each its ``"shape"``, ``"dtype"``, number of the ``"group"``, own ``"count"``,
          whether it is ``"frozen"`` and whether a gradient of it is ``"waiting"`` for an update; and its
          ``"slots"``, the arrays of ``state``, averages and gradients that were added up among them. Slots
          in fewer bits are their parts, ``"exp_avg.bits"``, or ``"exp_avg.codes"`` and
          ``"exp_avg.exponents"``, for whose blocks there is the ``"order"`` of the axes in memory;
        - ``"groups"``: for each the ``"switches"``, which decide on the formula or the state; the other
          ``"hyperparameters"`` as texts, their ``repr``, or None for a schedule with a Python function
          inside (`gradstep.schedules.Lambda`), for which no text stands; and the ``"scalars"``;
        - ``"feedback"``, the entries of ``feedback_state``;
        - ``"window"``: how many gradients wait, their scale and their losses.

        What the last step measured, ``grad_norm`` and its like, is no part of it: no step depends on that.

        Raises:
            ValueError: the optimizer has no parameters as yet.
            RuntimeError: it is in the middle of a step.

        Example:
            >>> import numpy as np
            >>> import gradstep as gs
            >>> opt = gs.Adam({"w": np.ones(2)}, lr=gs.schedules.Linear(0.5, 0.0, 10))
            >>> opt.step({"w": np.ones(2)})
            True
            >>> saved = opt.state_dict()
            >>> saved["step_count"], saved["parameters"]["w"]["slots"]["exp_avg"]
            (1, array([0.1, 0.1]))
            >>> saved["groups"][0]["hyperparameters"]["lr"]
            'Linear(start=0.5, end=0.0, steps=10)'
        """
        return checkpoints.record(self, self.rule)

    def load_state_dict(
        self,
        state_dict: Mapping[str, Any],
        strict: bool = True,
        rename: Mapping[str, str] | None = None,
        hyperparameters: bool = False,
        convert: bool = False,
    ) -> dict[str, Any]:
        """Go on from where the optimizer was that gave a state dict; the parameters are not in it.

        The next steps have the bits of those that the other one would have made. Everything is compared
        before anything is changed. Hyperparameters stay as the constructor has them; a `CheckpointWarning`
        says which differ.

        Args:
            state_dict: what `state_dict` gave.
            strict: refuse it if names, shapes, dtypes, groups, class, switches, slots or feedback schedules
                differ. Otherwise what fits is taken, and a `CheckpointWarning` says what does not.
            rename: ``{old: new}``, names in the state dict and here: ``{"fc1.*": "layers.0.*"}``.
            hyperparameters: take those of the state dict, but not those with a Python function inside, nor
                what the state started from.
            convert: bring slots that are kept in another ``state_dtype`` into the optimizer's, rounded to
                nearest. Without it they are differences.

        Returns:
            What was not taken, in the form of a state dict: empty if ``strict``.

        Raises:
            TypeError: it is no state dict.
            ValueError: it is none of this version, or it differs; all differences are listed.
            RuntimeError: the optimizer is in the middle of a step.

        Example:
            >>> import numpy as np
            >>> import gradstep as gs
            >>> w = np.ones(2)
            >>> opt = gs.Adam({"w": w}, lr=0.1)
            >>> opt.step({"w": w})
            True
            >>> again = gs.Adam({"w": w.copy()}, lr=0.1)
            >>> again.load_state_dict(opt.state_dict())
            {}
            >>> again.step_count
            1
        """
        return checkpoints.load(self, self.rule, state_dict, strict, rename, hyperparameters, convert)

    @property
    def state_dir(self) -> str | None:
        """The directory whose files hold the state, as it was given; None where memory holds it."""
        return None if self._directory is None else str(self._directory.path)

    def flush(self) -> None:
        """Bring the state in ``state_dir`` and parameters in maps of files to the disk.

        Until the next step, `state_dir` is then what an optimizer of the same kind goes on with, bit for bit,
        and may be copied. Without files there is nothing to do. Nor is there for maps of mode ``"c"``, whose
        changes belong to the process.

        Raises:
            OSError: the system could not write.
            RuntimeError: inside ``swap_averaged``, or in the middle of a step.

        Example:
            >>> import tempfile
            >>> import numpy as np
            >>> import gradstep as gs
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     opt = gs.Adam({"w": np.ones(2)}, state_dir=folder)
            ...     opt.step({"w": np.ones(2)})
            ...     opt.flush()
            ...     np.load(f"{folder}/0-w-exp_avg.npy", mmap_mode="r")
            True
            memmap([0.1, 0.1])
        """
        directories.flush(self, self.rule)

    def __getstate__(self) -> dict[str, Any]:
        return checkpoints.reduced(self, self.rule)

    def __setstate__(self, state: dict[str, Any]) -> None:
        checkpoints.restore(self, self.rule, self.decoupled_weight_decay, state)

    def __reduce__(self) -> tuple[Any, ...]:
        return checkpoints.empty, (type(self),), self.__getstate__()

    def __copy__(self) -> Self:
        """Make a deep copy: no two optimizers share their memory."""
        from copy import deepcopy  # who has called us, has it

        return deepcopy(self)
