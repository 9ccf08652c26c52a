"""A page for every rule: its docstring, its way down a valley, other libraries' forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradstep as gs

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = """\
{name}
{line}

.. py:currentmodule:: gradstep

.. autoclass:: gradstep.{name}

On Rosenbrock's function
------------------------

.. path:: {name}

In other libraries
------------------

.. libraries:: {name}

`Optimizer.like` takes a library's formula and defaults; :doc:`/variants` has the formulas, and where a
library cannot be followed.
:doc:`/formulas` has this rule beside what textbooks print.

See also
--------

- `Optimizer`: the options that every rule takes, and the methods: `step <Optimizer.step>` and its kin.
- `gradstep.functional.{function}`: the same update of one array, for those who keep their own state.
- :doc:`/choosing-a-rule`: what this rule changes against Adam.
"""

INDEX = """\
# Rules

Every rule has a page: the formula, the arguments, what is kept for each parameter, an example, its way down a
valley, and how other libraries compute it. [Choosing a rule](../choosing-a-rule.md) helps to pick one.

```{{eval-rst}}
.. costs::
```

Every rule also takes [the options of every optimizer](#gradstep.Optimizer).

```{{toctree}}
:hidden:

{names}
```
"""


def names() -> list[str]:
    """Name the rules."""
    return sorted((name for name in gs.optimizers.__all__ if name != "Optimizer"), key=str.lower)


def pages() -> Iterator[tuple[str, str]]:
    """Write the pages."""
    for name in names():
        text = PAGE.format(name=name, line="=" * len(name), function=name.lower())
        yield f"rules/{name.lower()}.rst", text
    yield "rules/index.md", INDEX.format(names="\n".join(name.lower() for name in names()))
