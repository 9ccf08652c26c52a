"""Headers: the part of a file that is JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from gradstep import _core
from gradstep.archives.errors import CheckpointError
from gradstep.archives.stored import Form, form_of

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = 1
"""The version of the form of the files."""


def write(tree: Any, forms: Mapping[str, Form]) -> bytes:
    """Write the header of a file: its version, a tree without arrays, and the forms of these by name."""
    header = {
        "format": FORMAT,
        "writer": f"gradstep {_core.__version__}",
        "tree": tree,
        "arrays": {name: form.as_json() for name, form in forms.items()},
    }
    return json.dumps(header, allow_nan=False, separators=(",", ":")).encode("ascii")


def read(text: bytes) -> tuple[dict[str, Any], dict[str, Form]]:
    """Read a header, and the forms in it.

    Raises:
        CheckpointError: it is none, or of another version.
    """
    try:
        header = json.loads(text.decode("ascii"), object_pairs_hook=unique, parse_constant=refused)
    except CheckpointError:
        raise
    except RecursionError:
        raise CheckpointError("its header is nested too deeply") from None
    except ValueError:
        raise CheckpointError("its header is no JSON") from None
    if not isinstance(header, dict) or type(header.get("format")) is not int:
        raise CheckpointError("it has no header of gradstep")
    if header["format"] != FORMAT:
        raise CheckpointError(
            f"it has format {header['format']}, but this version of gradstep reads format {FORMAT}; "
            f"it was written by {str(header.get('writer'))[:80]!r}"
        )
    arrays = header.get("arrays")
    if not isinstance(arrays, dict):
        raise CheckpointError("its header describes no arrays")
    return header, {name: form_of(name, record) for name, record in arrays.items()}


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dict, unless a key comes twice."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise CheckpointError("its header has a name twice")
    return made


def refused(constant: str) -> NoReturn:
    """Refuse what Python takes for JSON and others do not."""
    raise CheckpointError(f"its header has {constant}, which is no JSON")


def check_size(size: int, limit: int) -> None:
    """Refuse to read more into memory than was to be expected."""
    if size > limit:
        raise CheckpointError(f"its header has {size:,} bytes, more than the {limit:,} expected")
