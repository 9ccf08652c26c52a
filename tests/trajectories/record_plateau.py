"""Records what torch's ReduceLROnPlateau does, into plateau.json. Run by hand where torch is installed.

python tests/trajectories/record_plateau.py
"""

import json
import random
import warnings
from pathlib import Path

import torch

SEQUENCES = 200
LENGTH = 40


def draw(rng: random.Random) -> dict[str, object]:
    """Draws a sequence with ties and jumps and a configuration, and counts torch's falls of the rate."""
    mode = rng.choice(["min", "max"])
    options = {
        "mode": mode,
        "threshold_mode": rng.choice(["rel", "abs"]),
        "threshold": rng.choice([0.0, 1e-4, 0.05, 0.5]),
        "patience": rng.choice([0, 1, 2, 5]),
        "cooldown": rng.choice([0, 1, 4]),
    }
    value, losses = rng.choice([5.0, -5.0, 0.5]), []
    for _ in range(LENGTH):
        value += rng.choice([0.0, 0.0, -0.1, 0.1, -1.0, 2.0]) * (1 if mode == "min" else -1)
        losses.append(round(value, 2))
    sgd = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(sgd, factor=0.5, eps=0.0, **options)
    falls = []
    for loss in losses:
        scheduler.step(loss)
        rate = sgd.param_groups[0]["lr"]
        falls.append(round(-torch.log2(torch.tensor(rate, dtype=torch.float64)).item()))
    return {"options": options, "losses": losses, "falls": falls}


def main() -> None:
    """Writes the file."""
    warnings.simplefilter("ignore")
    rng = random.Random(0)
    recorded = {"torch": torch.__version__, "sequences": [draw(rng) for _ in range(SEQUENCES)]}
    path = Path(__file__).with_name("plateau.json")
    path.write_text(
        json.dumps(recorded, separators=(",", ":")).replace("},{", "},\n{") + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
