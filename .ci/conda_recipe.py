"""Write the recipe of conda-forge's feedstock for the sdist in dist/ into build/conda-forge.

`conda-smithy recipe-lint build/conda-forge` judges it, where conda is.
"""

import argparse
import hashlib
from pathlib import Path

from environments import CHECKOUT, Failure

TEMPLATE = CHECKOUT / ".ci" / "conda-forge.yaml"
RECIPE = CHECKOUT / "build" / "conda-forge" / "recipe.yaml"


def main() -> None:
    """Fill in what only a release knows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("maintainers", nargs="+", help="GitHub accounts that conda-forge is to ask")
    maintainers = "\n    - ".join(parser.parse_args().maintainers)
    sdist = the_sdist()
    version = sdist.name.removeprefix("gradstep-").removesuffix(".tar.gz")
    sha256 = hashlib.sha256(sdist.read_bytes()).hexdigest()
    lines = TEMPLATE.read_text(encoding="utf-8").splitlines(keepends=True)
    recipe = "".join(line for line in lines if not line.startswith("#"))
    RECIPE.parent.mkdir(parents=True, exist_ok=True)
    for mark, value in (("version", version), ("sha256", sha256), ("maintainers", maintainers)):
        recipe = recipe.replace(f"{{{mark}}}", value)
    RECIPE.write_text(recipe, encoding="utf-8")
    print(f"{RECIPE.relative_to(CHECKOUT)}: gradstep {version}")


def the_sdist() -> Path:
    """Return the one sdist in dist/."""
    sdists = sorted((CHECKOUT / "dist").glob("*.tar.gz"))
    if len(sdists) != 1:
        found = ", ".join(sdist.name for sdist in sdists) or "none"
        raise Failure(f"dist/ has to hold one sdist, but holds {found}; `make wheel` makes it")
    return sdists[0]


if __name__ == "__main__":
    main()
