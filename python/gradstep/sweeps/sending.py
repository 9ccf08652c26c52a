"""What can be sent to worker processes, and what to write where it cannot."""

from __future__ import annotations

import pickle
import sys
from typing import TYPE_CHECKING, Any

from gradstep.sweeps.trials import described

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = "workers=0 trains in this process, one run after the other"
IMPORTABLE = "run must be a function that worker processes can import"


def pickled(run: Callable[..., object], settings: list[dict[str, Any]]) -> bytes:
    """Pickle the function of a sweep.

    Raises:
        TypeError: processes that are started anew cannot have it, or one of the settings.
    """
    try:
        sent = pickle.dumps(run)
    except Exception:
        name = getattr(run, "__qualname__", type(run).__name__)
        raise TypeError(
            f"{IMPORTABLE}, got {name}: write it with def at the top level of a file; {HERE}"
        ) from None
    if b"__main__" in sent and is_typed_in():
        raise TypeError(
            f"{IMPORTABLE}, got one of a notebook or a console: write it into a file such as training.py, "
            f"and `from training import run`; {HERE}"
        )
    for setting in settings:
        try:
            pickle.dumps(setting)
        except Exception as error:
            raise TypeError(
                f"the setting {described(setting)} cannot be sent to workers: {error}; {HERE}"
            ) from None
    return sent


def is_typed_in() -> bool:
    """Tell whether the main module is no file: a notebook, a console, or `python -c`."""
    main = sys.modules["__main__"]
    return getattr(main, "__spec__", None) is None and not hasattr(main, "__file__")
