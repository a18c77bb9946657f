"""An input of any layout as torch.nn.functional pools it: (N, C, pooled axes…), and the result put back.

Nothing is copied where it need not be: channels-last data becomes a permuted view, which PyTorch's two-dimensional
kernels know as ``torch.channels_last`` and answer in the same form; axes before the pooled ones are flattened into N,
axes behind them into C.
"""

from __future__ import annotations

from typing import Any

from poolkit.lowering.backend import Situation, Tensor
from poolkit.lowering.plan import AnyPlan, Plan
from poolkit.lowering.routes.both_sides import adjacent
from poolkit.programs.recorder import together

# Bins that are put together one by one lose the memory format of their input, which the next convolution asks for.
KEPT = '''\
def in_its_format(pool):
    """The result in the memory format channels_last, where the input is."""
    last = {"memory_format": torch.channels_last}
    return lambda x: pool(x).contiguous(**last) if x.is_contiguous(**last) else pool(x)


@in_its_format'''


def puts_together(plan: AnyPlan) -> bool:
    """Whether maps of a batch are pooled in bins, and that is all there is."""
    maps = plan.rank == 4 and {a.at for a in plan.axes} <= {2, 3} and any(a.form == "bins" for a in plan.axes)
    return maps and plan.spec.keepdims and not plan.spec.several and not plan.further


def before(plan: Plan) -> int:
    return plan.at[0]


def behind(plan: Plan) -> int:
    """The axes that stand behind the pooled ones: none in channels-first layouts."""
    return plan.rank - 1 - plan.at[-1]


def lifted(plan: Plan) -> bool:
    """Whether a single axis is pooled as (1, L): only 2-d pools know channels-last data and `divisor_override`."""
    return len(plan.at) == 1 and (behind(plan) > 0 or plan.kind == "sum" or plan.spec.divisor_override is not None)


def arranged(x: Tensor, plan: Plan) -> Tensor:
    """(N, C, pooled…), or (C, pooled…) where there is one axis before the pooled ones and none behind."""
    lead, count = before(plan), len(plan.at)
    if behind(plan) > 1:
        x = x.flatten(lead + count)
    if lead == 0:
        x = x.unsqueeze(0)
    most = 1 if behind(plan) else 2  # axes before the pooled ones that a pool takes as they are
    if lead > most:
        x = x.flatten(0, lead - most)
    if behind(plan):
        x = x.permute(0, count + 1, *range(1, count + 1))
    return x.unsqueeze(-2) if lifted(plan) else x


def put_back(y: Tensor, x: Tensor, plan: Plan) -> Tensor:
    """A result of `arranged(x, plan)` in the layout of `x`."""
    lead, count = before(plan), len(plan.at)
    if lifted(plan):
        y = y.squeeze(-2)
    if behind(plan):
        y = y.permute(0, *range(2, count + 2), 1)
    most = 1 if behind(plan) else 2
    if lead > most:
        y = y.unflatten(0, x.shape[: lead - most + 1])
    if lead == 0:
        y = y.squeeze(0)
    return y.unflatten(-1, x.shape[lead + count :]) if behind(plan) > 1 else y


def paddings(plan: Plan) -> Any:
    """What stands around the pooled axes of an arranged input, as torch.nn.functional.pad takes it."""
    widths: list[Any] = []
    for a in reversed(plan.axes):
        # Where `low` goes by the size, the most that `same` has behind: never a whole stride, so a window, too many.
        high = a.total - a.total // 2 if len(a.lows) > 1 else a.high
        widths += [a.low, high] if a.form == "taps" else [0, 0]
    return together(*widths)


def compiling(situation: Situation) -> bool:
    """Whether a tracer is looking on that will run something else than PyTorch's own kernels."""
    return situation.tracing and situation.format not in ("exporting", "onnx")


def adaptive_size(plan: Plan) -> int | tuple[int | None, ...]:
    size = tuple(None if a.form == "keep" else a.out for a in plan.axes)
    size = (1, *size) if lifted(plan) else size
    return size[0] if len(set(size)) == 1 and size[0] is not None else size


def planes(plan: Plan, situation: Situation) -> bool:
    """Whether the pooled axes are the last ones, in memory too: there PyTorch's pools run cell by cell on a CPU.

    Not of a graph, which may be run anywhere.
    """
    near = situation.format is not False and situation.device in (None, "cpu") and not situation.tracing
    return near and behind(plan) == 0 and adjacent(plan)


def against_order(plan: Plan, situation: Situation) -> bool:
    """Whether the pooled axes come last but channels lie innermost in memory: eager, in the format channels_last."""
    return situation.format is False and not situation.tracing and behind(plan) == 0 and adjacent(plan)
