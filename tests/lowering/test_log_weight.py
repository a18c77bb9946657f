"""`log_weight=`: averages with weights exp(logits), which stay finite; LIP's golden value, and both gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit_conformance import oracle, runner
from tests.helpers.differences import slopes

BACKENDS = ["numpy", "torch", "tensorflow", "jax", "keras"]
RNG = np.random.default_rng(7)
SPECS = {
    "tokens": (pk.GlobalAvgPool(layout="NLC", keepdims=False), (2, 7, 3)),
    "same": (pk.AvgPool(3, 2, "same", layout="NCHW"), (2, 3, 5, 6)),
    "bins": (pk.AdaptiveAvgPool((2, 3), layout="NHWC"), (2, 5, 7, 3)),
}
NAMES = list(SPECS)


def drawn(name: str) -> tuple[Any, Any, Any, Any]:
    """A spec, an input, logits that all channels share, and a mask that leaves nothing of one row."""
    spec, shape = SPECS[name]
    cells = tuple(np.delete(shape, spec.layout.index("C")))
    mask = RNG.random(cells) < 0.6
    mask[0] = False
    x, logits = RNG.standard_normal(shape) * 2, RNG.standard_normal(cells) * 3
    return spec, x.astype("float32"), logits.astype("float32"), mask


def by_definition(spec: Any, x: Any, logits: Any, mask: Any = None) -> Any:
    more = {} if mask is None else {"mask": mask}
    weight = np.exp(logits.astype(np.float64) - (logits.max() if np.isfinite(logits.max()) else 0))
    return oracle.answer(spec, x, {"weight": weight, **more}).values


def close(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(found, wanted, rtol=2e-6, atol=5e-6)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", NAMES)
def test_the_weights_are_exponentials(backend: str, name: str) -> None:
    h = runner.harness(backend)
    spec, x, logits, mask = drawn(name)
    t, wanted = h.from_numpy(x), by_definition(spec, x, logits)
    for shift in (0.0, 8192.0, -8192.0):  # beyond float32's exponentials; differences stay, but for rounding
        moved = (logits + np.float32(shift)).astype("float32")
        found = h.to_numpy(pk.pool(t, spec, log_weight=h.from_numpy(moved)))
        close(found, by_definition(spec, x, moved) if shift else wanted)
    at = spec.layout.index("C")
    close(h.to_numpy(pk.pool(t, spec, log_weight=h.from_numpy(np.expand_dims(logits, at)))), wanted)
    close(h.to_numpy(pk.pool_direct(t, spec, log_weight=h.from_numpy(logits))), wanted)
    unseen = np.where(mask, logits, np.nan).astype("float32")
    found = h.to_numpy(pk.pool(t, spec, mask=h.from_numpy(mask), log_weight=h.from_numpy(unseen)))
    close(found, by_definition(spec, x, logits, mask))


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "jax"])
@pytest.mark.parametrize("name", NAMES)
def test_gradients_of_both(backend: str, name: str) -> None:
    h = runner.harness(backend)
    spec, x, logits, mask = drawn(name)
    g: Any = RNG.standard_normal(spec.output_shape(x.shape)).astype("float32")
    t, w, m = (h.from_numpy(a) for a in (x, logits, mask))

    def value(a: Any, b: Any) -> float:
        return float((by_definition(spec, a, b, mask) * g).sum())

    by_x = h.to_numpy(h.vjp(lambda a: pk.pool(a, spec, mask=m, log_weight=w), t, h.from_numpy(g)))
    np.testing.assert_allclose(by_x, slopes(lambda a: value(a, logits), x), rtol=1e-4, atol=1e-4)
    by_w = h.to_numpy(h.vjp(lambda b: pk.pool(t, spec, mask=m, log_weight=b), w, h.from_numpy(g)))
    np.testing.assert_allclose(by_w, slopes(lambda b: value(x, b), logits), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("backend", "how"), [("torch", "aot_eager"), ("jax", "jit"), ("tensorflow", "function")])
def test_compiled(backend: str, how: str) -> None:
    h = runner.harness(backend)
    spec, x, logits, _ = drawn("same")
    run = h.compiled(lambda t, w: pk.pool(t, spec, log_weight=w), how)
    close(h.to_numpy(run(h.from_numpy(x), h.from_numpy(logits))), by_definition(spec, x, logits))


@pytest.mark.parametrize("backend", BACKENDS)
def test_windows_of_weight_0_and_the_golden_value(backend: str) -> None:
    h = runner.harness(backend)
    spec, x = pk.AvgPool(4, layout="NCL"), np.array([[[1, 2, 3, 4, 5, 6, 7, np.inf]]], "float32")
    lip = 12 / (1 + np.exp(-np.array([0.0, 1.0, -1.0, 2.0])))
    logits = np.array([[*lip, *[-np.inf] * 4]], "float32")
    found = h.to_numpy(pk.pool(h.from_numpy(x), spec, log_weight=h.from_numpy(logits)))
    close(found, [[[3.691227890686186, 0]]])


@pytest.mark.parametrize(
    ("spec", "names", "message"),
    [
        (pk.AvgPool(2, layout="NCL"), ("weight", "log_weight"), "received log_weight with weight, and an average"),
        (pk.AvgPool(2, layout="NCL", divisor_override=3), ("log_weight",), "with divisor_override=3, and an average"),
        (pk.SumPool(2, layout="NCL"), ("log_weight",), "besides its input are: mask and weight; leave log_weight out"),
    ],
)
def test_errors(spec: Any, names: tuple[str, ...], message: str) -> None:
    x = np.ones((1, 2, 4), "float32")
    with pytest.raises(pk.InputError) as caught:
        pk.pool(x, spec, **dict.fromkeys(names, x))
    assert message in str(caught.value)
