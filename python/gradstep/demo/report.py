"""What the demo found, as a table to read and as JSON to compute with."""

import math
import platform
import textwrap
from dataclasses import dataclass

import numpy as np

import gradstep as gs
from gradstep import _core
from gradstep.demo.digits import Split
from gradstep.demo.network import arrays, initial_params
from gradstep.demo.recipes import Recipe
from gradstep.demo.timing import Comparison
from gradstep.demo.training import BATCH_SIZE, SIZES, Run
from gradstep.tables import as_text


@dataclass(frozen=True)
class Row:
    """One recipe: how it trained, and what its step costs in the loop."""

    recipe: Recipe
    run: Run
    times: Comparison


@dataclass(frozen=True)
class Report:
    """The whole demo.

    Attributes:
        required: the test accuracy that every rule has to reach, or None.
    """

    digits: Split
    epochs: int
    seed: int
    required: float | None
    rows: list[Row]

    def failures(self) -> list[str]:
        """Name every rule that misses the required accuracy, with the accuracy it reached."""
        if self.required is None:
            return []
        return [
            f"{row.recipe.rule} reached {row.run.test_accuracy:.2%} test accuracy, "
            f"but {self.required:.4g} is required"
            for row in self.rows
            if not row.run.test_accuracy >= self.required
        ]

    def heading(self, width: int | None = None) -> str:
        """Describe in a few lines what ran, of a width if it is given."""
        train, test = len(self.digits.train_labels), len(self.digits.test_labels)
        params, network = arrays(initial_params(np.random.default_rng(0), SIZES)), "-".join(map(str, SIZES))
        lines = (
            f"UCI optical digits, {train:,} to train and {test} to test; network {network},\n"
            f"{sum(p.size for p in params):,} float32 parameters in {len(params)} arrays; "
            f"epochs: {self.epochs}, mini-batches of {BATCH_SIZE}, seed {self.seed};\n"
            f"gradstep {gs.__version__} ({_core.simd_tier()}, threads: {gs.get_num_threads()}), "
            f"NumPy {np.__version__}"
        )
        if width is None or width > max(map(len, lines.splitlines())):
            return lines
        return textwrap.fill(lines, width)

    def tables(self, width: int | None = None) -> str:
        """Lay out how the rules trained, and what the step costs."""
        trained = [
            (
                row.recipe.rule,
                row.recipe.schedule_name,
                f"{row.run.test_accuracy:.2%}",
                f"{row.run.seconds:.2f}",
            )
            for row in self.rows
        ]
        timed = [
            (
                row.recipe.rule,
                f"{row.times.numpy.step:.1f}",
                f"{row.times.gradstep.step:.1f}",
                f"{row.times.step_ratio:.1f}×",
                f"{row.times.numpy.share:.0%} → {row.times.gradstep.share:.0%}",
                f"{row.times.loop_ratio:.2f}×",
            )
            for row in self.rows
        ]
        return "\n\n".join(
            (
                "Training with gradstep",
                as_text(("rule", "schedule", "test accuracy", "seconds"), trained, left=2, width=width),
                textwrap.fill("The step in this loop, in textbook NumPy and with gradstep", width or 80),
                as_text(
                    ("rule", "NumPy, µs", "gradstep, µs", "faster", "share of loop", "loop faster"),
                    timed,
                    width=width,
                ),
            )
        )

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
            "required_accuracy": self.required,
            "rules": [
                {
                    "rule": row.recipe.rule,
                    "schedule": row.recipe.schedule_name,
                    "schedule_repr": row.run.schedule,
                    "test_accuracy": row.run.test_accuracy,
                    "seconds": row.run.seconds,
                    "microseconds_per_step": row.times.gradstep.step,
                    "numpy_microseconds_per_step": row.times.numpy.step,
                    "ratio": row.times.step_ratio,
                    "microseconds_of_passes": row.times.gradstep.passes,
                    "numpy_microseconds_of_passes": row.times.numpy.passes,
                    "share_of_loop": row.times.gradstep.share,
                    "numpy_share_of_loop": row.times.numpy.share,
                    "loop_ratio": row.times.loop_ratio,
                    "curves": {
                        # JSON has no NaN or infinity, which a run that diverges may come to.
                        name: [x if math.isfinite(x) else None for x in row.run.curve(name)]
                        for name in ("test_accuracy", "training_loss", "lr")
                    },
                }
                for row in self.rows
            ],
        }
