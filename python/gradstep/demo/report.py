"""What the demo found, as a table to read and as JSON to compute with."""

import math
import platform
from dataclasses import dataclass

import numpy as np

import gradstep as gs
from gradstep import _core
from gradstep.demo.digits import Split
from gradstep.demo.network import arrays, initial_params
from gradstep.demo.recipes import Recipe
from gradstep.demo.timing import StepTimes
from gradstep.demo.training import BATCH_SIZE, SIZES, History
from gradstep.tables import as_text

REQUIRED_ACCURACY = 0.95
TABLE_HEAD = ("rule", "schedule", "test accuracy", "seconds", "µs/step", "NumPy µs/step", "NumPy/gradstep")


@dataclass(frozen=True)
class Row:
    """One recipe: how it trained, and how long its step takes."""

    recipe: Recipe
    history: History
    times: StepTimes

    @property
    def test_accuracy(self) -> float:
        """The accuracy after the last epoch, from 0 to 1."""
        return self.history.test_accuracy[-1]


@dataclass(frozen=True)
class Report:
    """The whole run."""

    digits: Split
    epochs: int
    seed: int
    rows: list[Row]

    def failures(self) -> list[str]:
        """Name every rule that misses the required accuracy, with the accuracy it reached."""
        return [
            f"{row.recipe.rule} reached {row.test_accuracy:.2%} test accuracy, "
            f"but {REQUIRED_ACCURACY:.0%} is required"
            for row in self.rows
            if not row.test_accuracy >= REQUIRED_ACCURACY
        ]

    def heading(self) -> str:
        """Describe in two lines what ran."""
        train, test = len(self.digits.train_labels), len(self.digits.test_labels)
        params = arrays(initial_params(np.random.default_rng(0), SIZES))
        return (
            f"UCI optical digits, {train:,} to train and {test} to test; "
            f"network {'-'.join(map(str, SIZES))}, "
            f"{sum(p.size for p in params):,} float32 parameters in {len(params)} arrays;\n"
            f"epochs: {self.epochs}, mini-batches of {BATCH_SIZE}, seed {self.seed}; "
            f"gradstep {gs.__version__} ({_core.simd_tier()}, threads: {gs.get_num_threads()}), "
            f"NumPy {np.__version__}"
        )

    def table(self) -> str:
        """Lay the rows out as a table."""
        rows = [
            (
                row.recipe.rule,
                row.recipe.schedule_name,
                f"{row.test_accuracy:.2%}",
                f"{row.history.seconds:.2f}",
                f"{row.times.gradstep:.1f}",
                f"{row.times.numpy:.1f}",
                f"{row.times.ratio:.1f}×",
            )
            for row in self.rows
        ]
        return as_text(TABLE_HEAD, rows, left=2)

    def as_json(self) -> dict[str, object]:
        """Collect all that the table says, with the curves, in types that JSON knows."""
        return {
            "gradstep": gs.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
            "platform": platform.platform(),
            "simd": _core.simd_tier(),
            "threads": gs.get_num_threads(),
            "data": "UCI optical digits",
            "train_images": len(self.digits.train_labels),
            "test_images": len(self.digits.test_labels),
            "layers": list(SIZES),
            "batch_size": BATCH_SIZE,
            "epochs": self.epochs,
            "seed": self.seed,
            "required_accuracy": REQUIRED_ACCURACY,
            "rules": [
                {
                    "rule": row.recipe.rule,
                    "schedule": row.recipe.schedule_name,
                    "schedule_repr": row.history.schedule,
                    "test_accuracy": row.test_accuracy,
                    "seconds": row.history.seconds,
                    "microseconds_per_step": row.times.gradstep,
                    "numpy_microseconds_per_step": row.times.numpy,
                    "ratio": row.times.ratio,
                    "curves": {
                        "test_accuracy": row.history.test_accuracy,
                        # JSON has no NaN or infinity, which a run that diverges may come to.
                        "training_loss": [
                            loss if math.isfinite(loss) else None for loss in row.history.training_loss
                        ],
                        "lr": row.history.lr,
                    },
                }
                for row in self.rows
            ],
        }
