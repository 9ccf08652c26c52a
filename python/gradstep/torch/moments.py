"""Rules that torch has not got, of other moments than Adam's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep import optimizers
from gradstep.torch.base import Optimizer

if TYPE_CHECKING:
    from typing import Unpack

    from torch.optim.optimizer import ParamsT

    from gradstep.torch.words import Number, Options, Pair, RootOptions, Triple


class AdaBelief(Optimizer):
    """`gradstep.AdaBelief` as an optimizer of torch's kind.

    The formula is that of `gradstep.AdaBelief`; torch has no such class.

    Args:
        params: as of `Optimizer`.
        betas: beta1 and beta2.
        lr, eps, eps_root, weight_decay: as of `gradstep.AdaBelief`.
        maximize: take the gradients with the other sign.
        options: those of `gradstep.torch.words.Options`.

    Raises:
        TypeError, ValueError: as of `Optimizer`.

    Example:
        >>> import torch
        >>> import gradstep.torch
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> opt = gradstep.torch.AdaBelief([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([0.8889, 0.8889])
    """

    kind = optimizers.AdaBelief

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-3,
        betas: Pair = (0.9, 0.999),
        eps: Number = 1e-16,
        eps_root: Number = 1e-16,
        weight_decay: Number = 0.0,
        *,
        maximize: bool = False,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(params, locals(), options)


class Adan(Optimizer):
    """`gradstep.Adan` as an optimizer of torch's kind.

    The formula is that of `gradstep.Adan`; torch has no such class.

    Args:
        params: as of `Optimizer`.
        betas: beta1, beta2 and beta3.
        lr, eps, eps_root, weight_decay: as of `gradstep.Adan`.
        maximize: take the gradients with the other sign.
        options: those of `gradstep.torch.words.Options`.

    Raises:
        TypeError, ValueError: as of `Optimizer`.

    Example:
        >>> import torch
        >>> import gradstep.torch
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> opt = gradstep.torch.Adan([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([0.9000, 0.9000])
    """

    kind = optimizers.Adan

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-3,
        betas: Triple = (0.98, 0.92, 0.99),
        eps: Number = 1e-8,
        eps_root: Number = 1e-8,
        weight_decay: Number = 0.0,
        *,
        maximize: bool = False,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(params, locals(), options)


class ADOPT(Optimizer):
    """`gradstep.ADOPT` as an optimizer of torch's kind.

    The formula is that of `gradstep.ADOPT`; torch has no such class.

    Args:
        params: as of `Optimizer`.
        betas: beta1 and beta2.
        lr, eps, weight_decay, use_clipping: as of `gradstep.ADOPT`.
        maximize: take the gradients with the other sign.
        options: those of `gradstep.torch.words.Options`.

    Raises:
        TypeError, ValueError: as of `Optimizer`.

    Example:
        >>> import torch
        >>> import gradstep.torch
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> opt = gradstep.torch.ADOPT([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([1., 1.])
    """

    kind = optimizers.ADOPT

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-3,
        betas: Pair = (0.9, 0.9999),
        eps: Number = 1e-6,
        weight_decay: Number = 0.0,
        *,
        use_clipping: bool = True,
        maximize: bool = False,
        **options: Unpack[RootOptions],
    ) -> None:
        super().__init__(params, locals(), options)


class AdEMAMix(Optimizer):
    """`gradstep.AdEMAMix` as an optimizer of torch's kind.

    The formula is that of `gradstep.AdEMAMix`; torch has no such class.

    Args:
        params: as of `Optimizer`.
        betas: beta1, beta2 and beta3.
        lr, alpha, eps, weight_decay: as of `gradstep.AdEMAMix`.
        maximize: take the gradients with the other sign.
        options: those of `gradstep.torch.words.Options`.

    Raises:
        TypeError, ValueError: as of `Optimizer`.

    Example:
        >>> import torch
        >>> import gradstep.torch
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> opt = gradstep.torch.AdEMAMix([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([0.9000, 0.9000])
    """

    kind = optimizers.AdEMAMix

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-3,
        betas: Triple = (0.9, 0.999, 0.9999),
        alpha: Number = 5.0,
        eps: Number = 1e-8,
        weight_decay: Number = 0.0,
        *,
        maximize: bool = False,
        **options: Unpack[RootOptions],
    ) -> None:
        super().__init__(params, locals(), options)


class Yogi(Optimizer):
    """`gradstep.Yogi` as an optimizer of torch's kind.

    The formula is that of `gradstep.Yogi`; torch has no such class.

    Args:
        params: as of `Optimizer`.
        betas: beta1 and beta2.
        lr, eps, initial_accumulator_value, weight_decay: as of `gradstep.Yogi`.
        maximize: take the gradients with the other sign.
        options: those of `gradstep.torch.words.Options`.

    Raises:
        TypeError, ValueError: as of `Optimizer`.

    Example:
        >>> import torch
        >>> import gradstep.torch
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> opt = gradstep.torch.Yogi([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([0.9001, 0.9001])
    """

    kind = optimizers.Yogi

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-2,
        betas: Pair = (0.9, 0.999),
        eps: Number = 1e-3,
        initial_accumulator_value: float = 1e-6,
        weight_decay: Number = 0.0,
        *,
        maximize: bool = False,
        **options: Unpack[RootOptions],
    ) -> None:
        super().__init__(params, locals(), options)
