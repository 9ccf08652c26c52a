"""Tensors as arrays of the same memory, and the other way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from gradstep import _core

if TYPE_CHECKING:
    from gradstep.types import Floats

#: What is updated.
DTYPES = (torch.float32, torch.float64, torch.complex64, torch.complex128)


def exchange() -> _core.Exchange | None:
    """Make what looks at tensors natively; versions of torch before 2.10 have nothing for it."""
    try:
        return _core.Exchange(torch.Tensor)
    except AttributeError:
        return None


EXCHANGE = exchange()


def array(label: str, tensor: Any) -> Floats:
    """Give a parameter as an array of the same memory. A copy is never made.

    Raises:
        TypeError: it is not a dense tensor of floats on the CPU.
        ValueError: it has no memory of its own that can be written to as it is.
    """
    if torch.nn.parameter.is_lazy(tensor):
        raise ValueError(f"{label} has no shape as yet; run the model once before its optimizer is made")
    if tensor.layout is not torch.strided or tensor.device.type != "cpu":
        raise TypeError(
            f"{label} is a tensor with layout {tensor.layout} on {tensor.device}; "
            "dense tensors on the CPU are updated"
        )
    if tensor.dtype not in DTYPES:
        raise TypeError(
            f"{label} has dtype {name(tensor.dtype)}; {', '.join(map(name, DTYPES))} are updated"
            + (
                "; keep the parameters in float32, their gradients may be bfloat16"
                if is_narrow(tensor)
                else ""
            )
        )
    if tensor.is_conj() or tensor.is_neg():
        raise ValueError(
            f"{label} is a lazy conjugate or negative; resolve_conj() or resolve_neg() makes its own"
        )
    values: Floats = tensor.detach().numpy()
    return values


def is_narrow(tensor: Any) -> bool:
    """Tell whether a tensor is of a float dtype of two bytes or fewer."""
    return bool(tensor.dtype.is_floating_point and tensor.dtype.itemsize <= 2)


def name(dtype: Any) -> str:
    """Give the name of a dtype without that of its module."""
    return str(dtype).removeprefix("torch.")


def gradient(label: str, tensor: Any) -> Any:
    """Give a gradient as an array, or as a tensor if NumPy has not got its dtype, without the native look."""
    given = tensor.grad
    if given is None:
        return None
    if given.layout is not torch.strided or given.device.type != "cpu":
        raise TypeError(
            f"{label} is a tensor with layout {given.layout} on {given.device}; "
            "dense tensors on the CPU are wanted"
        )
    given = given.detach().resolve_conj().resolve_neg()
    return given if given.dtype is torch.bfloat16 else given.numpy()


def tensor(values: Floats) -> Any:
    """Give an array as a tensor of the same memory."""
    return torch.from_numpy(values)
