"""A mean between powers, or between an exponential and a logarithm, is one pool."""

from __future__ import annotations

import pytest

from tests.helpers.ports import ported, row, same_numbers

TORCH = "import torch\nimport torch.nn.functional as F\n"
GEM = 'pk.PoolSpec("gem", output_size=1'
LSE = 'pk.PoolSpec("logsumexp", output_size=1'
POWERS = {
    "methods": ("x.clamp(min=1e-6).pow(3).mean((2, 3)).pow(1 / 3)", f'{GEM}, layout="NHWC", keepdims=False)(x)'),
    "a whole map": (
        "F.avg_pool2d(x.clamp(min=e).pow(p), (x.size(-2), x.size(-1))).pow(1. / p)",
        f'{GEM}, p=p, eps=e, layout="NHWC")(x)',
    ),
    "adaptive": ("F.adaptive_avg_pool2d(x.clamp(min=e) ** p, 1) ** (1 / p)", f'{GEM}, p=p, eps=e, layout="NHWC")(x)'),
    "functions": (
        "torch.pow(torch.mean(torch.pow(torch.clamp(x, min=0.1), 2.0), (2, 3), keepdim=True), 0.5)",
        f'{GEM}, layout="NHWC", p=2.0, eps=0.1)(x)',
    ),
    "a window": ("F.avg_pool2d(x.clamp(min=e).pow(p), 2).pow(1 / p)", 'window=2, p=p, eps=e, layout="NHWC")(x)'),
    "an exponential": ("torch.log(torch.exp(x).mean((2, 3)))", f'{LSE}, layout="NHWC", keepdims=False)(x)'),
    "one with a factor": (
        "torch.log(torch.mean(torch.exp(x * 5.0), (2, 3), keepdim=True)) / 5.0",
        f'{LSE}, layout="NHWC", beta=5.0)(x)',
    ),
    "a factor first": (
        "(1 / p) * torch.log(torch.exp(p * x).mean((2, 3)))",
        'pk.PoolSpec("logsumexp", keepdims=False, output_size=1, beta=p, layout="NHWC")(x)',
    ),
}


@pytest.mark.parametrize("kind", POWERS)
def test_it_has_the_numbers_of_the_original(kind: str) -> None:
    before, after = POWERS[kind]
    source = f"{TORCH}def f(x, p=3.0, e=1e-6):\n    return {before}\n"

    assert after in ported(source, "keras").text
    same_numbers(source, of="torch", to="keras")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("tf.pow(tf.reduce_mean(tf.maximum(x, 1e-6) ** 3.0, [1, 2]), 1 / 3.0)", GEM),
        ("tf.math.log(tf.reduce_mean(tf.exp(5.0 * x), axis=[1, 2])) / 5.0", LSE),
    ],
)
def test_a_reduction_of_tensorflow_has_it_in_pytorch(before: str, after: str) -> None:
    source = f"import tensorflow as tf\ndef f(x):\n    return {before}\n"

    assert after in ported(source).text
    same_numbers(source, of="tensorflow")


def test_a_learned_power_is_given_with_the_tensor() -> None:
    source = f"""\
{TORCH}class Pool(torch.nn.Module):
    def __init__(self, p=3):
        super().__init__()
        self.p = torch.nn.Parameter(torch.ones(1) * p)
    def forward(self, x):
        return F.adaptive_avg_pool2d(x.clamp(min=1e-6).pow(self.p), 1).pow(1.0 / self.p)
"""
    assert row(source, "keras").after == f'{GEM}, layout="NHWC")(x, p=self.p)'


@pytest.mark.parametrize(
    "before",
    [
        "x.clamp(min=1e-6).pow(p).mean((2, 3)).pow(1 / e)",
        "x.clamp(max=9.0).pow(p).mean((2, 3)).pow(1 / p)",
        "x.pow(p).mean((2, 3)).pow(1 / p)",
        "F.avg_pool2d(x.clamp(min=e).pow(p), 2, padding=1).pow(1 / p)",
        "x.clamp(min=e).pow(q).mean((2, 3)).pow(1 / q)",
        "torch.log(torch.exp(p * x).mean((2, 3)))",
        "torch.log(torch.exp(p * x).mean((2, 3))) / e",
        "torch.log1p(torch.exp(x).mean((2, 3)))",
    ],
)
def test_anything_else_stays_a_mean(before: str) -> None:
    text = ported(f"{TORCH}def f(x, q, p=3.0, e=1e-6):\n    return {before}\n", "keras").text

    assert "gem" not in text
    assert "logsumexp" not in text
