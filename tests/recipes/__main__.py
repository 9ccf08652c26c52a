"""`make recipes`: every program of docs/recipes runs, prints what it shows, and is held to its word."""

from __future__ import annotations

import sys
import time
import traceback

import test_recipes
from recipes.libraries import CHECKS

EVERY_CHECK = {**test_recipes.CHECKS, **CHECKS}


def main() -> int:
    """Run those that are named, or all; count them."""
    chosen = sys.argv[1:] or sorted(EVERY_CHECK)
    failed = [name for name in chosen if not keeps_its_word(name)]
    with_libraries = sum(name in CHECKS for name in chosen)
    print(f"\n{len(chosen)} recipes, {with_libraries} of them with another library; {len(failed)} failed")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def keeps_its_word(name: str) -> bool:
    """Run a recipe, and check what it came to."""
    module = test_recipes.load(name)
    first_line = (module.__doc__ or "").partition("\n")[0]
    print(f"\n== {name}: {first_line}", flush=True)
    begin = time.perf_counter()
    try:
        EVERY_CHECK[name](module.main())
    except Exception:
        traceback.print_exc()
        return False
    print(f"({time.perf_counter() - begin:.1f} s)", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
