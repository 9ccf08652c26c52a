"""Files that a command will write, checked before its work is done."""

import argparse
import os
from pathlib import Path


def writable_path(text: str) -> Path:
    """Check that a file can be written, by opening it; what is in it stays.

    For argparse's `type=`.

    Raises:
        argparse.ArgumentTypeError: if the file cannot be opened for writing.
    """
    path = Path(text)
    existed = os.path.lexists(path)
    try:
        path.open("ab").close()
        if not existed:
            path.unlink()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"cannot write {text!r}: {error.strerror}") from None
    return path
