"""Optimizers and their parameters put into files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from gradstep import _core, archives
from gradstep.archives import headers
from gradstep.archives.stored import Form
from gradstep.checkpoints.generations import shift
from gradstep.checkpoints.names import Names
from gradstep.checkpoints.records import record
from gradstep.files import replacing

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradstep.optimizers.resumable import Resumable

    Owners = dict[str, Resumable]

ROOM = 4 << 20
"""Bytes of a header for what nobody can expect: the values of ``extra`` that are no arrays."""


def save(
    path: str | os.PathLike[str],
    opt: Resumable | Mapping[str, Resumable],
    /,
    *,
    params: bool = True,
    keep: int = 1,
    **extra: Any,
) -> None:
    """Save an optimizer and its parameters to a file, from which `load` goes on bit for bit.

    The file is written beside the old one, brought to the disk, and then takes its name: whenever the
    program or the machine stops, the old file is there or the new one, whole. Arrays are written in
    pieces, without a copy of them.

    Args:
        path: where the file is, or will be; it ends in ``.npz``, which `numpy.load` reads by names such as
            ``params/fc1.w`` and ``state/fc1.w/exp_avg``, or in ``.safetensors``. docs/checkpoints.md has
            the forms.
        opt: an optimizer, or a dict of several, whose names then begin with ``actor/`` and the like.
        params: whether the parameters are saved, too.
        keep: how many files to keep: 3 for the newest and the two before it, ``run.1.npz`` and ``run.2.npz``.
        extra: what else is to be in the file: str, int, float, bool, None and ndarrays, and dicts with str
            keys and lists of these. Tuples come back as lists, NumPy's numbers as Python's.

    Raises:
        TypeError: ``extra`` has something else in it, or ``opt`` is no optimizer.
        ValueError: the suffix is another one, the optimizer has no parameters, or what is in ``extra``
            besides arrays takes more than 4 MB.
        RuntimeError: inside ``swap_averaged``, or another thread made a step meanwhile.
        OSError: the file cannot be written. After any error the old file is as it was.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> import gradstep as gs
        >>> params = {"w": np.ones(2)}
        >>> opt = gs.Adam(params)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "run.npz")
        ...     gs.save(path, opt, epoch=3)
        ...     with np.load(path) as arrays:
        ...         print(arrays["params/w"])
        ...     gs.load(path, opt)
        [1. 1.]
        {'epoch': 3}
    """
    path = Path(path)
    archives.writer(path)
    owners = named(opt)
    check_keep(keep)
    records = {name: put_down(one, params, "saved") for name, one in owners.items()}
    before = {name: one._progress for name, one in owners.items()}

    def check() -> None:
        if before != {name: one._progress for name, one in owners.items()}:
            raise RuntimeError("another thread made a step meanwhile, so nothing was saved")

    write(path, records, extra, keep, check)


def write(
    path: Path,
    records: Mapping[str, Any],
    extra: Mapping[str, Any],
    keep: SupportsIndex,
    check: Callable[[], None],
) -> None:
    """Write what was put down of optimizers to a file; see `save`. ``check`` may object at the end."""
    write = archives.writer(path)
    tree, arrays = archives.flattened({"optimizers": records, "extra": extra}, Names().name)
    if (of_extra := header_size({"extra": extra})) > ROOM:
        raise ValueError(f"extra must have at most {ROOM:,} bytes besides its arrays, got {of_extra:,}")
    with replacing(path) as file:
        write(file, tree, arrays)
        check()
        file.flush()
        os.fsync(file.fileno())
        shift(path, index(keep))


def check_keep(keep: SupportsIndex) -> None:
    """Refuse what is no number of files to keep."""
    if not isinstance(keep, SupportsIndex):
        raise TypeError(f"keep must be an integer, got {type(keep).__name__}")
    if index(keep) < 1:
        raise ValueError(f"keep must be at least 1, got {keep}")


def header_size(tree: Any) -> int:
    """Tell how many bytes of a header a tree takes."""
    flat, arrays = archives.flattened(tree, Names().name)
    forms = {name: Form(array.dtype, array.shape, "C") for name, array in arrays.items()}
    return len(headers.write(flat, forms))


def named(opt: Any) -> Owners:
    """Give one optimizer an empty name, and check that several have names."""
    several = isinstance(opt, Mapping)
    owners = dict(opt) if several else {"": opt}
    for name, one in owners.items():
        if not isinstance(one, _core.Optimizer):
            label = f"opt[{name!r}]" if several else "opt"
            raise TypeError(f"{label} must be an optimizer or a dict of them, got {type(one).__name__}")
        if several and not (isinstance(name, str) and name):
            raise ValueError(f"a key of opt must be a str that is not empty, got {name!r}")
    if not owners:
        raise ValueError("opt has no optimizers")
    return owners


def put_down(optimizer: Resumable, params: bool, done: str) -> dict[str, Any]:
    """Put down where an optimizer is, with its own arrays, and not where this must not be ``done``."""
    optimizer._check_own(f"no optimizer is {done}")
    whole = record(optimizer, optimizer.rule, live=True)
    if params:
        for of_one, array in zip(whole["parameters"].values(), optimizer._arrays, strict=True):
            of_one["array"] = np.asarray(array)
    return whole
