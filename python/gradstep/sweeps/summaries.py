"""The seeds of each setting, taken together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradstep.sweeps.trials import described

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradstep.sweeps.trials import Trial


@dataclass(frozen=True)
class Summary:
    """What the seeds of one setting came to.

    Attributes:
        setting: the arguments of the run by name.
        trials: one for each seed.
        values: the last values of the metric, of those trials that neither diverged nor failed.
    """

    setting: dict[str, Any]
    trials: tuple[Trial, ...]
    values: tuple[float, ...]

    @property
    def score(self) -> float:
        """The mean over the seeds, NaN if a trial diverged or failed."""
        return sum(self.values) / len(self.values) if len(self.values) == len(self.trials) else math.nan

    @property
    def is_whole(self) -> bool:
        """Whether every seed was trained to its end."""
        return bool(self.trials) and all(trial.status == "done" for trial in self.trials)

    @property
    def spread(self) -> str:
        """The least and the largest value over the seeds."""
        return f"{min(self.values):.4g} … {max(self.values):.4g}" if len(self.values) > 1 else ""

    @property
    def note(self) -> str:
        """What became of the trials, if not all went well."""
        counts = {
            status: sum(trial.status == status for trial in self.trials)
            for status in ("failed", "diverged", "stopped")
        }
        return ", ".join(f"{count} {status}" for status, count in counts.items() if count)


def summarize(trials: Iterable[Trial], metric: str) -> tuple[Summary, ...]:
    """Put the trials of each setting together, in order."""
    groups: dict[str, list[Trial]] = {}
    for trial in trials:
        groups.setdefault(described(trial.setting), []).append(trial)
    return tuple(
        Summary(
            group[0].setting,
            tuple(group),
            tuple(
                trial.metrics[metric]
                for trial in group
                if trial.status in ("done", "stopped") and metric in trial.metrics
            ),
        )
        for group in groups.values()
    )
