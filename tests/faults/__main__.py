"""`make faults`: all faults, often; it prints how many there were, and what came of them."""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from faults import damage, disks, kills

KILLS, FLIPS, LIMITS = 200, 1000, 100

FAULTS: dict[str, Callable[[Path], dict[str, int] | None]] = {
    "SIGKILL while saving": lambda folder: kills.kill(folder, KILLS),
    "ENOSPC and EIO at each operation, .npz": disks.fail_everywhere,
    "ENOSPC and EIO at each operation, .safetensors": lambda folder: disks.fail_everywhere(
        folder, ".safetensors"
    ),
    "RLIMIT_FSIZE": lambda folder: disks.limit_size(folder, LIMITS),
    "a tmpfs that is full": disks.fill_up,
    "damaged .npz": lambda folder: damage.damage(folder, FLIPS),
    "damaged .safetensors": lambda folder: damage.damage(folder, FLIPS, ".safetensors"),
}


def main() -> None:
    """Make all of them; a fault that does any harm ends in an AssertionError."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(2**32)
    print(f"seed {seed}", flush=True)
    random.seed(seed)
    for name, fault in FAULTS.items():
        with tempfile.TemporaryDirectory() as folder:
            counts = fault(Path(folder))
        told = [f"{n:,} {what}" for what, n in (counts or {}).items()]
        print(f"{name}: {', '.join(told) or 'left out: nothing may be mounted here'}", flush=True)


if __name__ == "__main__":
    main()
