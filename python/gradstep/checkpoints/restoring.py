"""Optimizers and their parameters brought back from files, of which nothing is trusted."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from gradstep import archives
from gradstep.archives import CheckpointError, Content, Stored
from gradstep.checkpoints.faults import check_parts
from gradstep.checkpoints.loading import Loading, warn
from gradstep.checkpoints.saving import ROOM, header_size, named, put_down

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO

    from numpy.typing import NDArray

    from gradstep.optimizers.resumable import Resumable


def load(
    path: str | os.PathLike[str] | BinaryIO,
    opt: Resumable | Mapping[str, Resumable],
    /,
    *,
    params: bool = True,
    strict: bool = True,
    rename: Mapping[str, Any] | None = None,
    hyperparameters: bool = False,
    convert: bool = False,
) -> dict[str, Any]:
    """Bring an optimizer and its parameters to where those were that a file was saved of.

    The arrays are changed in place, and the next steps have the bits of those that the other optimizer
    would have made. Before anything is changed, all of the file is read and checked, and compared with the
    optimizer. Nothing in the file is run, and it takes no more memory than the optimizer lets expect,
    besides what comes back.

    Args:
        path: the file that `save` wrote, or a binary file open for reading that can seek.
        opt: an optimizer of the same class and parameters; or a dict of several, as it was saved.
        params: whether the parameters are loaded, too, if they are in the file.
        strict: as of `Optimizer.load_state_dict`.
        hyperparameters: as of `Optimizer.load_state_dict`.
        convert: as of `Optimizer.load_state_dict`.
        rename: as of `Optimizer.load_state_dict`; for several optimizers, a dict of such dicts by their
            names.

    Returns:
        What was saved as ``extra``.

    Raises:
        CheckpointError: the file is damaged, of something else, of another version or of another
            optimizer; all differences are listed. Nothing was changed, unless the message says that the
            file failed when it was read for the second time, into the arrays.
        OSError: the file cannot be opened or read.
        RuntimeError: inside ``swap_averaged``, or the optimizer is in the middle of a step.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> import gradstep as gs
        >>> first = gs.SGD({"w": np.ones(2)}, lr=0.5, momentum=0.9)
        >>> first.step({"w": np.ones(2)})
        True
        >>> params = {"w": np.zeros(2)}
        >>> opt = gs.SGD(params, lr=0.5, momentum=0.9)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "run.npz")
        ...     gs.save(path, first, best=[0.25, np.ones(1)])
        ...     gs.load(path, opt)
        {'best': [0.25, array([1.])]}
        >>> params["w"], opt.step_count
        (array([0.5, 0.5]), 1)
    """
    owners = named(opt)
    own = {name: put_down(one, params, "loaded") for name, one in owners.items()}
    renames = dict.fromkeys(owners, rename) if "" in owners else (rename or {})
    with opened(path) as file, named_in_errors(file):
        content = archives.read(file, ROOM + 4 * header_size({"optimizers": own}))
        saved, stored_extra = taken_apart(content, owners)
        loadings = [
            Loading(one, one.rule, saved[name], renames.get(name), hyperparameters, convert)
            for name, one in owners.items()
        ]
        if strict and (found := [line for one in loadings for line in one.found]):
            raise CheckpointError("\n  ".join(["it does not fit this optimizer:", *found]))
        targets = [pair for one in loadings for pair in parameters(one)] if params else []
        for stored in content.arrays.values():
            stored.verify()
        for one in loadings:
            one.try_conversions()
        extra: dict[str, Any] = in_memory(stored_extra)
        with ExitStack() as undo:
            for one in loadings:
                undo.callback(one.advance())
            undo.pop_all()
        read_again(loadings, targets)
    warn([line for one in loadings for line in one.notes], stacklevel=3)
    return extra


@contextmanager
def opened(path: str | os.PathLike[str] | BinaryIO) -> Iterator[BinaryIO]:
    """Open a file for the length of a ``with`` block, unless it is open."""
    if isinstance(path, str | os.PathLike):
        with open(path, "rb") as file:
            yield file
    else:
        yield path


@contextmanager
def named_in_errors(file: BinaryIO) -> Iterator[None]:
    """Make every complaint about what is in a file a CheckpointError that begins with its name."""
    try:
        yield
    except (TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(f"{getattr(file, 'name', 'the file')}: {error}") from error.__cause__


def taken_apart(content: Content, owners: Mapping[str, Resumable]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the state dict of each optimizer, and the extras."""
    tree: dict[str, dict[str, Any]] = content.tree()
    check_parts(tree, {"optimizers": dict, "extra": dict}, "its tree")
    saved = tree["optimizers"]
    if saved.keys() != owners.keys():
        theirs, mine = (", ".join(map(repr, names)) or "none" for names in (saved, owners))
        raise CheckpointError(f"it has the optimizers {theirs}, but opt has {mine}; '' is one without a dict")
    return saved, tree["extra"]


def parameters(
    loading: Loading, own: Mapping[str, NDArray[Any]] | None = None
) -> Iterator[tuple[NDArray[Any], Stored]]:
    """Give the parameters that are to be changed, and what is to be read into them, if the file has any.

    ``own`` are those of the optimizer, unless it says so itself.
    """
    wanted = {name: loading.saved["parameters"][name] for name in loading.fits.slots}
    if not any("array" in of_one for of_one in wanted.values()):
        return
    if own is None:
        own = dict(zip(loading.own["parameters"], loading.optimizer._arrays, strict=True))
    for name, of_one in wanted.items():
        stored, array = of_one.get("array"), own[name]
        if not isinstance(stored, Stored) or (stored.shape, stored.dtype) != (array.shape, array.dtype):
            raise CheckpointError(f"{name!r} has no array of dtype {array.dtype} and shape {array.shape}")
        if not array.flags.writeable:
            raise ValueError(f"params[{name!r}] is read-only, so nothing can be loaded into it")
        yield array, stored


def in_memory(tree: Any) -> Any:
    """Read the arrays of a tree."""
    if isinstance(tree, dict):
        return {key: in_memory(part) for key, part in tree.items()}
    if isinstance(tree, list):
        return [in_memory(part) for part in tree]
    return tree.read() if isinstance(tree, Stored) else tree


def read_again(loadings: list[Loading], targets: list[tuple[NDArray[Any], Stored]]) -> None:
    """Read everything into its place."""
    try:
        for one in loadings:
            one.copy()
        for array, stored in targets:
            stored.read_into(array)
        for one in loadings if targets else []:
            one.optimizer.refresh_copies()
    except (OSError, CheckpointError) as error:
        raise CheckpointError(
            f"it was whole when it was checked, but could not be read a second time ({error}); "
            "parameters and state are partly those of the file: load another one before the next step"
        ) from error
