"""Source whose lines double what is before, and calls with a mistake: each is a row, and the file is ported."""

from __future__ import annotations

import resource

import pytest

from poolkit import read
from poolkit.port.python.source import port_source

HEAD = "import torch.nn as nn\nfrom torch.nn import functional as F\n\n"

DOUBLED = {
    "stars": ("(2, 2)", "(*{a}, *{a})", "F.max_pool2d(x, {a})"),
    "pairs of a shape": ("x.shape[2:]", "({a}, {a})", "F.max_pool2d(x, {a})"),
    "pairs": ("(2, 2)", "({a}, {a})", "F.max_pool2d(x, {a})"),
    "lists of stars": ("(2, 2)", "list((*{a}, *tuple({a})))", "F.max_pool2d(x, {a})"),
    "zipped": ("(2, 2)", "tuple(zip({a}, {a}))", "F.max_pool2d(x, {a})"),
    "comprehended": ("[2, 3]", "[(k, k) for k in {a}]", "F.max_pool2d(x, {a})"),
    "layers": ("[nn.MaxPool2d(2)]", "[*{a}, *{a}]", "nn.Sequential(*{a})(x)"),
    "calls": ("x.shape", "g(({a}, {a}))", "F.max_pool2d(x, {a})"),
}


@pytest.mark.parametrize("kind", DOUBLED)
def test_lines_that_double_what_is_before_take_no_more_each(kind: str) -> None:
    # Twenty-four lines of stars took 1.7 GiB and 12 s, and of pairs of a shape four minutes.
    first, step, pool = DOUBLED[kind]
    steps = "".join(f"a{n} = {step.format(a=f'a{n - 1}')}\n" for n in range(1, 40))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert port_source(f"{HEAD}a0 = {first}\n{steps}y = {pool.format(a='a39')}\n", "keras").rows
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


MISTAKES = [
    "einops.reduce(x, 'b h n w c -> b n c', 'max')",
    "einops.reduce(x, 'b b h w c -> b c', 'max')",
    "einops.reduce(x, 'b h w n -> b n', 'max')",
    "einops.reduce(x, 'b c x1 x2 -> b c', 'mean')",
    "einops.reduce(x, 'b (h h2) c -> b h c', 'max')",
    "einops.reduce(x, 'b (h p) c -> b h c', 'max', p=0)",
    "einops.reduce(x, '', 'max')",
    "ops.roi_align(x, b, [7])",
    "ops.roi_align(x, b, None)",
    "ops.roi_align(x, b, 7, 0)",
    "ops.RoIAlign([7], 1., 2)",
    "F.max_unpool2d(x, i, 0)",
    "F.max_unpool2d(x, i, 2, 0)",
    "F.fractional_max_pool2d(x, 3, output_ratio=2)",
    "kornia.filters.max_blur_pool2d(x, 3, 2, [2])",
    "SelectAdaptivePool2d([7], 'avgmax')",
    "global_max_pool(x, b, size=0)",
    "nn.MaxPool2d(0)",
]


@pytest.mark.parametrize("to", ["keras", None])
@pytest.mark.parametrize("call", MISTAKES)
def test_a_call_with_a_mistake_ends_no_file(call: str, to: str | None) -> None:
    # Whatever a reader raised besides NotExactError ended the port of the whole file.
    imports = (
        "import einops, kornia\nfrom torchvision import ops\nfrom timm.layers import SelectAdaptivePool2d\n"
        "from torch_geometric.nn import global_max_pool\n"
    )
    wrong, right = port_source(f"{HEAD}{imports}y = {call}\nz = F.max_pool2d(x, 2)\n", to).rows

    assert (wrong.status, right.spec) == ("failed", read("torch.nn.functional.max_pool2d(x, 2)"))
