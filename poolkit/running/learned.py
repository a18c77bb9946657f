"""What layers of poolings with weights are written with."""

from __future__ import annotations

from collections.abc import Mapping

from poolkit.spec.messages import quoted, wrong
from poolkit.spec.operation import Operation, Parameter, as_spec


def weights_of(spec: Operation) -> Mapping[str, Parameter]:
    """The weights that a layer holds, by name; `SpecError` where there are none."""
    held = as_spec(spec, "a layer takes (spec, route)").parameters
    if len(held) == 0:
        rule = "only a pooling with weights has a layer that holds them"
        raise wrong(quoted(str(spec)), rule, "take pk.Learned, as pk.LearnedOption makes it, or the layer Pool")
    return held
