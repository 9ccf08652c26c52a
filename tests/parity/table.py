"""The table that `make parity` ends with."""

from __future__ import annotations

from collections import defaultdict
from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the number of cases of each rule, and the largest difference in each dtype."""
    found: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for report in terminalreporter.stats.get("passed", []):
        of_case = dict(report.user_properties)
        if "error" in of_case:
            found[of_case["library"], of_case["rule"]][of_case["dtype"]].append(of_case["error"])
    if not found:
        return
    terminalreporter.section("the largest difference, over the largest element of the array")
    terminalreporter.write_line(f"{'library':14}{'rule':20}{'cases':>6}{'float64':>10}{'float32':>10}")
    for (library, rule), errors in found.items():
        count = sum(map(len, errors.values()))
        worst = [f"{max(errors[d]):10.0e}" if errors[d] else " " * 10 for d in ("float64", "float32")]
        terminalreporter.write_line(f"{library:14}{rule:20}{count:6}{''.join(worst)}")
    count = sum(len(errors) for by_dtype in found.values() for errors in by_dtype.values())
    terminalreporter.write_line(f"{count} trajectories agree")
