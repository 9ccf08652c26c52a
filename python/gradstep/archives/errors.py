"""The error for files that hold no checkpoint, or another one."""


class CheckpointError(ValueError):
    """A file that cannot be loaded: damaged, of something else, of another version, or of another optimizer.

    Its message names the file, and says what is wrong with it. Unless it says otherwise, nothing was changed.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> import gradstep as gs
        >>> opt = gs.Adam({"w": np.ones(2)})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "run.npz")
        ...     gs.save(path, opt)
        ...     _ = path.write_bytes(path.read_bytes()[:-1])
        ...     try:
        ...         gs.load(path, opt)
        ...     except gs.CheckpointError as error:
        ...         print(str(error).replace(folder, ""))
        /run.npz: its end is missing, or it is no zip file as gradstep writes them
    """
