"""Why there is no schedule, for the commands that find out that there is none."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from chipweave.output import visible

if TYPE_CHECKING:
    from instances.instance import Instance
    from schedules.goal import Goal


def why_not(instance: Instance, goal: Goal, workers: int | None) -> list[str]:
    """The explanation of a proof of infeasibility, line by line; none after Ctrl-C.

    The proof stands whether or not it can be explained, so a failure here is only noted.
    """
    import chipweave as cw

    try:
        found = cw.explain(instance, goal, workers=workers)
    except KeyboardInterrupt:
        return []
    except (ValueError, RuntimeError, ImportError) as error:
        print(f"warning: no explanation: {visible(str(error))}", file=sys.stderr)
        return []
    if found is None:
        return []
    if instance.compression is None:
        return list(found.lines())
    return ["without compression:", *found.lines()]
