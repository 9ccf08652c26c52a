"""What all optimizers of torch's kind share."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch._C._autograd import _profiler_enabled as is_profiled
from torch.autograd.graph import increment_version
from torch.optim.optimizer import _global_optimizer_post_hooks, _global_optimizer_pre_hooks

from gradstep.torch.averages import Averaging
from gradstep.torch.common import Common, Told
from gradstep.torch.engine import CHANGED, FIRST, PARTIAL, UPDATED, Engine
from gradstep.torch.packing import merged, packed, unpacked, warn_of_counts
from gradstep.torch.slots import moved
from gradstep.torch.states import Changes, State
from gradstep.torch.words import COMMON, ELSEWHERE, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradstep import optimizers


class Optimizer(Averaging, torch.optim.Optimizer):
    """What all optimizers of ``gradstep.torch`` share. Not to be made directly: take a rule such as `Adam`.

    Each is a ``torch.optim.Optimizer``, whose step is gradstep's: one native pass over all parameters, in the
    memory of the tensors.

    Args:
        params: as in torch: tensors, pairs of names and tensors, or groups. They are dense tensors of
            float32, float64, complex64 or complex128 on the CPU; gradients may be bfloat16 or of another
            float dtype, too. A parameter without a gradient is left alone.
        arguments: those of the class by name: the hyperparameters of the rule by torch's names, and what else
            there may be. A group may have its own of the hyperparameters.
        options: those of `Options`.

    Attributes:
        param_groups, defaults, state: as in torch; what is changed in them has its effect at the next step.
        step_count: the number of steps so far, by which schedules go.
        lr: the rate of the next step, a schedule's value.
        clip_norm, clip_value, clip_eps, nonfinite, measure: the options, which may be set.
        accumulate, seed: the options, which may not.
        grad_norm, update_norm, param_norm, skipped: as of `gradstep.Optimizer`.

    Every number may be a float, a `gradstep.schedules` schedule, or, as in torch, a tensor of one element. A
    ``torch.optim.lr_scheduler`` writes its rates into the groups, and so works as ever.

    Raises:
        TypeError: a parameter is no dense tensor of floats on the CPU, or a hyperparameter is of the wrong
            type.
        ValueError: a hyperparameter is out of range, parameters share memory, or ``capturable`` or
            ``differentiable`` is asked for. ``foreach`` and ``fused`` only say how torch would go about the
            same step: each value is taken, and none makes a difference.
    """

    kind: ClassVar[type[optimizers.Optimizer]]
    words: ClassVar[Words]

    clip_norm = Common()
    clip_value = Common()
    clip_eps = Common()
    nonfinite = Common()
    accumulate = Common()
    measure = Common()
    seed = Common()
    step_count = Told()
    skipped = Told()
    grad_norm = Told()
    update_norm = Told()
    param_norm = Told()

    _engine: Engine
    param_groups: list[dict[str, Any]]
    _optimizer_state_dict_post_hooks: OrderedDict[int, Any]

    def __init__(self, params: Any, arguments: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        if not hasattr(self, "kind"):
            raise TypeError(
                f"{type(self).__name__} has no rule of its own; take one such as gradstep.torch.Adam"
            )
        for name in options:
            why = ELSEWHERE.get(name) or self.words.instead(name)
            if why is not None:
                raise TypeError(f"{type(self).__name__} takes no {name}: {why}")
        self._common = {name: value for name, value in options.items() if name in COMMON}
        own = {name: value for name, value in options.items() if name not in COMMON}
        self.kind(**self._common, **own)  # which refuses by name what it does not know
        self._state = State(Changes())
        super().__init__(params, {key: arguments[key] for key in self.words.form.keys} | own)
        self._assemble({}, {})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "kind" in vars(cls):
            cls.words = Words(cls.kind.__name__)

    @property
    def state(self) -> State:
        """The state of each parameter that has any: live tensors by their names, and its count, ``"step"``.

        As in torch, what is assigned takes effect at the next step: tensors in the place of others, a dict in
        the place of another, or none, to start afresh.

        With ``state_dtype="bfloat16"`` the tensors are of that dtype. With ``"8bit"`` there are two for one,
        ``"exp_avg.codes"`` and ``"exp_avg.exponents"``.
        """
        if "mu_product" in self.words.numbers and not self._state.changes.made:
            for i, p in enumerate(self._engine.tensors):
                if self._state.get(p):
                    self._state[p]["mu_product"].fill_(self._engine.product(i))
        return self._state

    @state.setter
    def state(self, state: Mapping[Any, Mapping[str, Any]]) -> None:
        given = [(p, dict(entries)) for p, entries in state.items()]
        self._state.clear()
        for p, entries in given:
            self._state.put(p, entries)

    @property
    def lr(self) -> Any:
        """The rate of the next step, a tuple in group order if there are several. Assign it to all groups."""
        self._heed()
        return self._engine.native.lr

    @lr.setter
    def lr(self, lr: Any) -> None:
        for group in self.param_groups:
            group["lr"] = lr

    def step(
        self, closure: Callable[[], Any] | None = None, *, loss: Any = None, scale: float | None = None
    ) -> Any:
        """Update the parameters in place by their gradients, once.

        Args:
            closure: evaluates the model anew and returns the loss; gradients are enabled in it.
            loss: told to the feedback schedules before the update. None: what the closure returned.
            scale: what the gradients are multiplied by before anything else is done with them.

        Returns:
            What the closure returned, or None.

        Raises:
            TypeError: a gradient is no dense tensor of floats on the CPU.
            ValueError: a shape differs, a hyperparameter is out of range, or gradients are not finite where
                their norm is needed.

        After an error everything is as it was before.
        """
        if (
            self._optimizer_step_pre_hooks
            or self._optimizer_step_post_hooks
            or _global_optimizer_pre_hooks
            or _global_optimizer_post_hooks
            or is_profiled()
        ):
            # Hooks see what was given, and no more.
            given = () if closure is None else (closure,)
            own = {name: value for name, value in (("loss", loss), ("scale", scale)) if value is not None}
            return _watched_step(self, *given, **own)
        return self._step(closure, loss=loss, scale=scale)

    # Not to be wrapped by torch, whose wrapper takes longer than a step: `_watched_step` has it.
    step.hooked = True  # type: ignore[attr-defined]

    def _step(self, closure: Any = None, *, loss: Any = None, scale: Any = None) -> Any:
        result = None
        if closure is not None:
            with torch.enable_grad():
                result = closure()
            if loss is None and result is not None and self._engine.native.feedback_state:
                loss = float(result.detach() if isinstance(result, torch.Tensor) else result)
        engine = self._engine
        done = CHANGED
        if engine.settled and not self._state.changes.made:
            done = engine.step(self.param_groups, loss, scale)
        if done == CHANGED:
            engine, done = self._step_anew(loss, scale)
        if done & UPDATED:
            tensors = engine.tensors
            if done & PARTIAL and self.accumulate == 1:
                tensors = [p for p in tensors if p.grad is not None]
            increment_version(tensors)
            if done & FIRST:
                self._state.add(engine.entries())
        return result

    def _step_anew(self, loss: Any, scale: Any) -> tuple[Engine, int]:
        """Find out what has changed, and make the step."""
        self._heed()
        if (done := self._engine.step(self.param_groups, loss, scale)) == CHANGED:
            self._renew()
            if (done := self._engine.step(self.param_groups, loss, scale)) == CHANGED:
                raise RuntimeError("parameters or groups were changed by other code during the step")
        return self._engine, done

    def _heed(self) -> None:
        """Take over what has been changed in groups and state."""
        engine, groups = self._engine, self.param_groups
        if self._state.changes.made or not engine.heed(groups):
            self._renew()

    def _renew(self) -> None:
        """Start afresh from groups and state as they are now."""
        self._assemble(self._state, self._engine.progress())

    def _assemble(self, state: Mapping[Any, dict[str, Any]], progress: dict[str, Any]) -> None:
        engine = Engine(self.kind, self.words, self.param_groups, self._common)
        engine.restore(state, progress)
        own, before = {*engine.tensors}, {*self._engine.tensors} if "_engine" in vars(self) else set()
        # As in torch, those that are in no group any more keep what they had; not in the memory of all.
        strangers = {
            p: moved(entries) if p in before else entries for p, entries in state.items() if p not in own
        }
        self._engine = engine
        self._state.put_all(strangers | engine.entries(), engine.tensors)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Update more parameters, in a group of their own; as of ``torch.optim.Optimizer``."""
        super().add_param_group(param_group)
        if "_engine" in vars(self):
            try:
                self._renew()
            except BaseException:
                del self.param_groups[-1]
                raise

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Reset the gradients of all parameters; as of ``torch.optim.Optimizer``."""
        if not set_to_none or is_profiled():
            super().zero_grad(set_to_none)
            return
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None

    def state_dict(self, *, decoded: bool = False) -> dict[str, Any]:
        """Give the state as torch's class of this name does, whose ``load_state_dict`` takes it.

        The value that schedules have now stands in their place. ``"gradstep"`` has what torch has no place
        for: the number of steps, by which schedules go, what feedback schedules and rules remember.

        Args:
            decoded: give the state in the parameters' dtype where ``state_dtype`` keeps fewer bits. With
                ``"8bit"`` torch's class needs that: it has no 8 bits.

        Raises:
            RuntimeError: gradients that were accumulated wait for their update.
        """
        self._heed()
        hooks, self._optimizer_state_dict_post_hooks = self._optimizer_state_dict_post_hooks, OrderedDict()
        try:
            given = packed(super().state_dict(), self._engine.progress())
            if decoded:
                self._engine.decode(given)
        finally:
            self._optimizer_state_dict_post_hooks = hooks
        for hook in hooks.values():
            result = hook(self, given)
            given = given if result is None else result
        return given

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state dict, of this class or of torch's of this name; as of ``torch.optim.Optimizer``.

        Hyperparameters are those of the dict, as in torch, but schedules stay, and so do options that torch
        has not got. The tensors are copied. After an error everything is as it was before.

        Raises:
            TypeError, ValueError: it does not fit this optimizer.
        """
        before = [*self.param_groups]
        self._loaded = unpacked(state_dict, self._engine.tensors)
        try:
            super().load_state_dict(state_dict)
        except BaseException:
            self.param_groups = before
            raise
        finally:
            del self._loaded

    def __getstate__(self) -> dict[str, Any]:
        self._heed()
        own = {"_common": self._common, "_progress": self._engine.progress()}
        return {**super().__getstate__(), **own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        given, progress = state.pop("state"), state.pop("_progress", None)
        before = vars(self).get("param_groups")
        super().__setstate__(state)
        if before is None:
            self._state = State(Changes())
        else:
            for group, old in zip(self.param_groups, before, strict=True):
                merged(group, old)
            progress = self._loaded
        for group in self.param_groups:
            for name, value in self.defaults.items():
                group.setdefault(name, value)
        self._assemble(given, progress)
        if not (progress or self.words.numbers):
            warn_of_counts(self.param_groups, self.step_count, stacklevel=4)


_watched_step = torch.optim.Optimizer.profile_hook_step(Optimizer._step)
