"""Tensors in the place of options: `p=`, `eps=`, `beta=`, one number or one a channel, with gradients of their own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit_conformance import oracle, runner
from tests.helpers.differences import slopes

BACKENDS = ["numpy", "torch", "tensorflow", "jax", "keras"]
RNG = np.random.default_rng(5)

SPECS = {
    "gem": (pk.GeM(layout="NCL", keepdims=False), (2, 3, 6), {"p": (2.5, 1.0, 40.0), "eps": (1e-3, 0.5, 0.1)}),
    "gem_windows": (pk.PoolSpec("gem", window=3, stride=2, padding="same", layout="NHWC"), (2, 4, 5, 3), {"p": (3.0,)}),
    "lp": (pk.LPPool(2, layout="NCHW"), (2, 3, 4, 5), {"p": (2.0, 0.5, 3.0)}),
    "lp_bins": (pk.PoolSpec("lp", output_size=2, layout="NCL", normalize="mean"), (2, 3, 5), {"p": (2.0,)}),
    "logsumexp": (pk.PoolSpec("logsumexp", output_size=1, layout="NCL"), (2, 3, 6), {"beta": (0.5, -2.0, 10.0)}),
    "logsumexp_windows": (
        pk.PoolSpec("logsumexp", window=3, stride=2, padding="same", layout="NCL"),
        (2, 3, 6),
        {"beta": (0.5, -2.0, 10.0)},
    ),
    "softmax": (pk.SoftPool(3, 2, "same", layout="NCL"), (2, 3, 6), {"beta": (0.5, -2.0, 1.0)}),
}
NAMES = list(SPECS)


def by_definition(spec: Any, x: Any, options: dict[str, Any], mask: Any = None) -> Any:
    """Each channel pooled by the spec whose options are its numbers."""
    at = spec.layout.index("C")
    made = []
    for c in range(x.shape[at]):
        own = {name: float(np.broadcast_to(t, x.shape[at])[c]) for name, t in options.items()}
        more = {} if mask is None else {"mask": mask}
        made.append(oracle.answer(spec.replace(**own), np.take(x, [c], at), more).values)
    return np.concatenate(made, at)


def drawn(name: str) -> tuple[Any, Any, dict[str, Any]]:
    spec, shape, options = SPECS[name]
    x = RNG.standard_normal(shape).astype("float32") * 2
    return spec, x, {n: np.array(t, "float32") for n, t in options.items()}


def close(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(found, wanted, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", NAMES)
def test_one_number_a_channel_or_one_for_all(backend: str, name: str) -> None:
    h = runner.harness(backend)
    spec, x, options = drawn(name)
    tensors = {n: h.from_numpy(t) for n, t in options.items()}
    close(h.to_numpy(pk.pool(h.from_numpy(x), spec, **tensors)), by_definition(spec, x, options))
    scalars = {n: t[0] for n, t in options.items()}
    close(
        h.to_numpy(pk.pool(h.from_numpy(x), spec, **{n: h.from_numpy(np.array(t)) for n, t in scalars.items()})),
        by_definition(spec, x, scalars),
    )


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", NAMES)
def test_with_a_mask(backend: str, name: str) -> None:
    h = runner.harness(backend)
    spec, x, options = drawn(name)
    at = spec.layout.index("C")
    mask = RNG.random(tuple(np.delete(x.shape, at))) < 0.7
    mask[0] = False
    tensors = {n: h.from_numpy(t) for n, t in options.items()}
    found = h.to_numpy(pk.pool(h.from_numpy(x), spec, mask=h.from_numpy(mask), **tensors))
    close(found, by_definition(spec, x, options, mask))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["gem", "softmax", "logsumexp"])
def test_layers_take_them(backend: str, name: str) -> None:
    h = runner.harness(backend)
    spec, x, options = drawn(name)
    mask = RNG.random(tuple(np.delete(x.shape, spec.layout.index("C")))) < 0.7
    tensors = {n: h.from_numpy(t) for n, t in {"mask": mask, **options}.items()}
    found = h.to_numpy(spec.layer(backend)(h.from_numpy(x), **tensors))
    close(found, by_definition(spec, x, options, mask))


@pytest.mark.parametrize("backend", BACKENDS)
def test_layers_take_logarithms_of_weights(backend: str) -> None:
    h, spec = runner.harness(backend), pk.AvgPool(2, layout="NLC")
    x = np.array([[[1.0], [2.0], [3.0], [7.0]]], "float32")
    logits = np.log(np.array([[1.0, 3.0, 1.0, 1.0]], "float32"))
    found = h.to_numpy(spec.layer(backend)(h.from_numpy(x), log_weight=h.from_numpy(logits)))
    close(found.ravel(), [1.75, 5.0])


@pytest.mark.filterwarnings("ignore:overflow encountered")  # by NumPy, of differences whose exponential is 0
@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("kind", ["softmax", "logsumexp"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_beta_that_is_infinite_in_float32_is_the_extreme(backend: str, kind: str, learned: bool) -> None:
    """The difference of the largest cell, 0, times an infinite factor would be NaN."""
    h = runner.harness(backend)
    x = np.array([[[1, 2, 2, 3], [3, 3, 3, 3], [0, 0, 0, 0], [1e30, -1e30, 0, 1e30]]], "float32")
    for beta in (1e300, -1e300, 1e38, -1e38):
        spec = pk.PoolSpec(kind, output_size=1, layout="NCL", beta=1.0 if learned else beta)
        number = np.array([beta if abs(beta) < 1e39 else math.copysign(math.inf, beta)], "float32")
        tensors = {"beta": h.from_numpy(number)} if learned else {}
        found = h.to_numpy(pk.pool(h.from_numpy(x), spec, **tensors))
        np.testing.assert_array_equal(found, (x.max if beta > 0 else x.min)(-1, keepdims=True), err_msg=str(beta))


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "jax"])
@pytest.mark.parametrize("name", NAMES)
def test_gradients_of_all(backend: str, name: str) -> None:
    h = runner.harness(backend)
    spec, x, options = drawn(name)
    tensors = {n: h.from_numpy(t) for n, t in options.items()}
    g: Any = RNG.standard_normal(spec.output_shape(x.shape)).astype("float32")
    for by, numbers in options.items():

        def run(t: Any, by: str = by) -> Any:
            return pk.pool(h.from_numpy(x), spec, **{**tensors, by: t})

        def value(t: Any, by: str = by) -> float:
            return float((by_definition(spec, x.astype(np.float64), {**options, by: t}) * g).sum())

        found = h.to_numpy(h.vjp(run, tensors[by], h.from_numpy(g)))
        np.testing.assert_allclose(found, slopes(value, numbers), rtol=1e-4, atol=1e-4, err_msg=by)


@pytest.mark.parametrize(("backend", "how"), [("torch", "aot_eager"), ("jax", "jit"), ("tensorflow", "function")])
@pytest.mark.parametrize("name", ["gem", "logsumexp"])
def test_compiled(backend: str, how: str, name: str) -> None:
    h = runner.harness(backend)
    spec, x, options = drawn(name)
    tensors = [h.from_numpy(t) for t in options.values()]
    run = h.compiled(lambda t, *more: pk.pool(t, spec, **dict(zip(options, more, strict=True))), how)
    close(h.to_numpy(run(h.from_numpy(x), *tensors)), by_definition(spec, x, options))


def test_the_derivative_by_p_that_was_worked_out() -> None:
    import torch

    x = torch.tensor([[[1.0, 2.0, 3.0, 4.0]]], dtype=torch.float64)
    p = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    pk.pool(x, pk.GeM(layout="NCL", keepdims=False), p=p).backward()
    assert p.grad is not None
    assert float(p.grad) == pytest.approx(0.162133738, abs=1e-9)


def test_weights_that_are_constants_have_no_gradient_by_beta() -> None:
    import torch

    beta = torch.tensor([2.0], requires_grad=True)
    spec = pk.SoftPool(2, layout="NCL", grad="semi")
    pk.pool(torch.tensor([[[1.0, 2.0]]], requires_grad=True), spec, beta=beta).sum().backward()
    assert beta.grad is None or float(beta.grad) == 0


def test_a_printed_program_takes_it() -> None:
    spec, x, options = drawn("gem")
    program = pk.lower(spec, "numpy", x.shape, tensors={"p": "C"})
    assert "def pool(x, p):" in program.source
    close(program(x, options["p"]), by_definition(spec, x, {"p": options["p"]}))
    assert program.source == pk.lower(spec, "numpy", x.shape, tensors={"p": ""}).source
    assert "p (3,): in the place of the option" in spec.explain(x.shape, {"p": "C"})
    assert spec.cost(x.shape, {"p": "C"}).bytes == spec.cost(x.shape).bytes + 4 * 3


@pytest.mark.parametrize(
    ("spec", "tensors", "error", "message"),
    [
        (SPECS["lp"][0], {"p": (2,)}, pk.ShapeError, "received p of shape (2,) for"),
        (
            SPECS["lp"][0],
            {"p": (2,)},
            pk.ShapeError,
            "one number, or one for each channel, 3 here; give it one of these",
        ),
        (SPECS["lp"][0], {"p": (1, 3)}, pk.ShapeError, "received p of shape (1, 3) for"),
        (pk.LPPool(2, layout="NHW"), {"p": (3,)}, pk.ShapeError, "one for each channel, 1 here; give it one of"),
        (SPECS["lp"][0], {"normalize": (1,)}, pk.InputError, "besides its input are: mask and p; leave normalize out"),
        (SPECS["lp"][0], {"beta": (1,)}, pk.InputError, "besides its input are: mask and p; leave beta out"),
    ],
)
def test_errors(spec: Any, tensors: dict[str, Any], error: Any, message: str) -> None:
    x = np.ones((2, 3, 4, 4)[: len(spec.layout)], "float32")
    with pytest.raises(error) as caught:
        pk.pool(x, spec, **{n: np.ones(shape, "float32") for n, shape in tensors.items()})
    assert message in str(caught.value)
