"""Facts about a plan that TensorFlow's routes ask for."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow
from tensorflow.python.ops import control_flow_util  # no public call tells of XLA

from poolkit.lowering.backend import Situation, Tensor
from poolkit.lowering.plan import Plan
from poolkit.lowering.routes.volumes import by_maps
from poolkit.lowering.routes.windows import channels_last, sliding

TAPED = "@tf.function(autograph=False)"  # one function, where a tape records eager calls: each has 190 us of Python

TIED = "MaxPool of volumes"  # with a gradient that goes to the first of several equal cells
Steps = list[tuple[list[int], list[int]]]  # windows and strides of pools that follow one another
Padding = str | list[int]  # VALID or SAME, or the cells before and after each pooled axis


class Traced(NamedTuple):
    """What a situation is told of a function that is being traced."""

    open: frozenset[int]  # axes behind the first that have no size yet, and may turn out to be empty
    xla: bool  # XLA compiles it
    loop: bool  # tf.vectorized_map turns it into one of whole batches


class Eager(NamedTuple):
    """What a situation is told of a tensor that is at hand."""

    numbers: int


def compiling() -> bool:
    """Whether XLA compiles the function that is being traced, or one around it (jit_compile=True)."""
    return bool(control_flow_util.GraphOrParentsInXlaContext(tensorflow.compat.v1.get_default_graph()))


def for_xla(o: Any) -> Any:
    """The primitives of what XLA compiles, whatever stands around it."""
    other = o.of_rank(o.rank)
    other.fused = True
    return other


def larger(situation: Situation, numbers: int) -> bool:
    """Whether a tensor that is at hand is larger."""
    return isinstance(situation.format, Eager) and situation.format.numbers > numbers


def never_empty(plan: Plan, situation: Situation) -> bool:
    """A pooled axis is not: a window without a real cell is an error."""
    return not isinstance(situation.format, Traced) or situation.format.open <= {*plan.at}


def without_xla(plan: Plan, situation: Situation) -> bool:
    """Known not to be compiled by XLA; a program that is printed has no situation, and might be."""
    return situation.format is not None and not in_xla(situation)


def in_xla(situation: Situation) -> bool:
    return isinstance(situation.format, Traced) and situation.format.xla


def once(plan: Plan) -> Steps:
    """The plan's windows as a single pool."""
    axes = [sliding(a) for a in plan.axes]
    return [([a.longest for a in axes], [a.stride for a in axes])]


def divided(o: Any, x: Tensor, at: int, through: int, parts: list[int]) -> Tensor:
    """`x` with the axes from `at` to `through` as axes of the sizes `parts`."""
    sizes = kept_sizes(o, x)
    return o.tf.reshape(x, constant(o, [*sizes[:at], *parts, *sizes[through + 1 :]]))


def kept_sizes(o: Any, x: Tensor) -> list[Any]:
    """Of all axes; -1, which is right for any batch, for the first, unless another may turn out to be 0."""
    rest = [size(o, x, at) for at in range(1, o.rank)]
    return [size(o, x, 0) if any(isinstance(n, tensorflow.Tensor) for n in rest) else -1, *rest]


def constant(o: Any, numbers: Sequence[Any]) -> Any:
    """An argument that is a tensor: making one takes 9 us, and converting a list adds 40 to 60 to an eager call.

    A list that holds a tensor, as a size of a graph is, stays one. (`o.tf` is a stand-in while calls are recorded.)
    """
    return numbers if any(isinstance(n, tensorflow.Tensor) for n in numbers) else o.tf.constant(numbers)


def size(o: Any, x: Tensor, at: int) -> Any:
    """The length of an axis, as an int where it is known."""
    n = x.shape[at]
    return o.size(x, at) if n is None else n


def call(o: Any, op: str, x: Tensor, plan: Plan, padded: Padding, steps: Steps) -> Tensor:
    """tf.raw_ops.<op> for each (windows, strides); on a CPU it pools channels last only, so others are transposed.

    tf.raw_ops, because tf.nn's own Python takes 25 of the 50 microseconds of a small eager call.
    """
    if channels_last(plan):
        return _pools(o, op, x, padded, steps)
    last = o.tf.constant([0, *range(2, plan.rank), 1])
    first = o.tf.constant([0, plan.rank - 1, *range(1, plan.rank - 1)])
    return o.tf.transpose(_pools(o, op, o.tf.transpose(x, last), padded, steps), first)


def _pools(o: Any, op: str, x: Tensor, padded: Padding, steps: Steps) -> Tensor:
    if op == TIED:
        pool = functools.partial(_pools, o, "MaxPool", padded=padded)
        return by_maps(o, x, steps[0], lambda t, *how: pool(t, steps=[how]), kept_sizes, constant)
    line = len(steps[0][0]) == 1  # 1-d: as a map that is one cell high
    if line:
        x = o.tf.expand_dims(x, 1)
        steps = [([1, *sizes], [1, *strides]) for sizes, strides in steps]
    pool = getattr(o.tf.raw_ops, op + ("3D" if len(steps[0][0]) == 3 else ""))
    name = "value" if op == "AvgPool" and len(steps[0][0]) == 2 else "input"
    around: dict[str, Any] = {"padding": padded}
    if not isinstance(padded, str):
        around = {"padding": "EXPLICIT", "explicit_paddings": [*[0] * (4 if line else 2), *padded, 0, 0]}
    for sizes, strides in steps:
        x = pool(**{name: x}, ksize=[1, *sizes, 1], strides=[1, *strides, 1], **around)
    return o.tf.squeeze(x, [1]) if line else x
