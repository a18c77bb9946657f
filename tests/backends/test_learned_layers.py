"""Layers with weights: the same numbers from the same weights on each framework, saved and trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import poolkit as pk

SPECS = {
    "gem": pk.LearnedOption(pk.GeM(layout="NHWC", keepdims=False), channels=6),
    "mix": pk.LearnedMix(*[pk.PoolSpec(kind, window=2, layout="NHWC") for kind in ("max", "avg")], channels=6),
    "adapool": pk.AdaPool(2, layout="NHWC", channels=6),
    "gate": pk.GatedMix(*[pk.PoolSpec(kind, window=2, layout="NHWC") for kind in ("max", "avg")]),
    "lip": pk.LIPPool(layout="NHWC", channels=6, logits="bottleneck", hidden=3),
    "attention": pk.AttentionPool(layout="NHWC", keepdims=False, channels=6, hidden=3),
    "latent": pk.LatentAttentionPool(layout="NHWC", keepdims=False, channels=6, heads=2, hidden=4),
}
RNG = np.random.default_rng(3)
X = RNG.standard_normal((4, 4, 4, 6)).astype("float32")


def weights_of(spec: pk.Learned) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    return {n: np.asarray(p.start + 0.3 * rng.standard_normal(p.shape), "float32") for n, p in spec.parameters.items()}


def target_of(spec: pk.Learned) -> Any:
    """What the layer with other weights gives, which training has to come near."""
    return pk.pool(X, spec, **{n: np.asarray(t + np.float32(0.2)) for n, t in weights_of(spec).items()})


def close(found: Any, spec: pk.Learned) -> None:
    np.testing.assert_allclose(np.asarray(found), pk.pool(X, spec, **weights_of(spec)), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", SPECS)
def test_torch(name: str, tmp_path: Path) -> None:
    torch: Any = pytest.importorskip("torch")
    spec = SPECS[name]
    layer, x = spec.layer("torch"), torch.from_numpy(X)
    layer.load_state_dict({n: torch.from_numpy(np.array(t)) for n, t in weights_of(spec).items()})
    close(layer(x).detach(), spec)
    torch.save(layer.state_dict(), tmp_path / "weights.pt")
    again = pk.layer(spec, "torch")
    again.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    close(again(x).detach(), spec)
    torch.save(layer, tmp_path / "layer.pt")
    close(torch.load(tmp_path / "layer.pt", weights_only=True)(x).detach(), spec)
    step = torch.optim.Adam(layer.parameters(), 0.01)
    losses = []
    for _ in range(6):
        loss = ((layer(x) - torch.from_numpy(target_of(spec))) ** 2).mean()
        step.zero_grad()
        loss.backward()
        step.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
@pytest.mark.parametrize("name", SPECS)
def test_keras(name: str, tmp_path: Path) -> None:
    keras: Any = pytest.importorskip("keras")
    spec = SPECS[name]
    model = keras.Sequential([keras.Input(X.shape[1:]), spec.layer("keras")])
    held = weights_of(spec)
    assert model.output_shape[1:] == spec.output_shape((None, *X.shape[1:]))[1:]
    model.set_weights([held[w.name] for w in model.layers[0].weights])
    close(model.predict(X, verbose=0), spec)
    model.save(tmp_path / "model.keras")
    close(keras.saving.load_model(tmp_path / "model.keras").predict(X, verbose=0), spec)
    model.compile("adam", "mse")
    model.optimizer.learning_rate = 0.01
    losses = model.fit(X, target_of(spec), epochs=6, batch_size=4, verbose=0).history["loss"]
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("name", SPECS)
def test_jax(name: str) -> None:
    jax: Any = pytest.importorskip("jax")
    from poolkit_jax import apply, init

    spec, x, target = SPECS[name], jax.numpy.asarray(X), target_of(SPECS[name])
    assert {n: w.shape for n, w in init(spec, jax.random.key(1)).items()} == {
        n: p.shape for n, p in spec.parameters.items()
    }
    weights = {n: jax.numpy.asarray(t) for n, t in weights_of(spec).items()}
    close(jax.jit(apply, static_argnums=0)(spec, weights, x), spec)

    def loss(w: Any) -> Any:
        return ((apply(spec, w, x) - target) ** 2).mean()

    step = jax.jit(jax.value_and_grad(loss))
    losses: list[float] = []
    for _ in range(6):
        value, slope = step(weights)
        losses.append(float(value))
        size = sum(float((g**2).sum()) for g in slope.values())
        weights = {n: w - 0.2 * losses[-1] / size * slope[n] for n, w in weights.items()}
    assert losses[-1] < 0.9 * losses[0]


def squares(layer: Any, x: Any) -> Any:
    return (layer(x) ** 2).sum()


def weights_in(tree: Any) -> Any:
    return tree.weights


def test_equinox(tmp_path: Path) -> None:
    """The callable is a pytree, which is a module of Equinox's: among others, filtered, and written to a file."""
    eqx: Any = pytest.importorskip("equinox")
    jax: Any = pytest.importorskip("jax")
    spec = SPECS["latent"]
    layer = spec.layer("jax", key=jax.random.key(1))
    filled = eqx.tree_at(weights_in, layer, {n: jax.numpy.asarray(t) for n, t in weights_of(spec).items()})
    model = eqx.nn.Sequential([filled])
    close(eqx.filter_jit(model)(jax.numpy.asarray(X)), spec)
    eqx.tree_serialise_leaves(tmp_path / "model.eqx", model)
    close(eqx.tree_deserialise_leaves(tmp_path / "model.eqx", eqx.nn.Sequential([layer]))(jax.numpy.asarray(X)), spec)
    slope = eqx.filter_grad(squares)(model, jax.numpy.asarray(X))
    assert float(abs(slope.layers[0].weights["latent"]).sum()) > 0


def test_flax() -> None:
    nnx: Any = pytest.importorskip("flax.nnx")
    jax: Any = pytest.importorskip("jax")
    from poolkit_jax import nnx as module

    spec, x = SPECS["latent"], jax.numpy.asarray(X)
    layer = module(spec, rngs=nnx.Rngs(0))
    nnx.update(layer, {n: jax.numpy.asarray(t) for n, t in weights_of(spec).items()})
    np.testing.assert_allclose(nnx.jit(squares)(layer, x), squares(layer, x), rtol=1e-5)
    close(layer(x), spec)
    graph, state = nnx.split(layer)
    close(nnx.merge(graph, state)(x), spec)
    slope = nnx.grad(squares)(layer, x)
    assert set(dict(nnx.to_pure_dict(slope))) == set(spec.parameters)


RATES, STEPS = {"gem": 3.0, "lip": 0.1, "attention": 1.0}, 5  # of plain gradient descent


def trained_by_torch(spec: pk.Learned, rate: float) -> tuple[list[float], dict[str, Any]]:
    torch: Any = pytest.importorskip("torch")
    layer, x, target = spec.layer("torch"), torch.from_numpy(X), torch.from_numpy(target_of(spec))
    layer.load_state_dict({n: torch.from_numpy(t) for n, t in weights_of(spec).items()})
    step, losses = torch.optim.SGD(layer.parameters(), rate), list[float]()
    for _ in range(STEPS):
        step.zero_grad()
        loss = ((layer(x) - target) ** 2).mean()
        loss.backward()
        step.step()
        losses.append(loss.item())
    return losses, {n: p.detach() for n, p in layer.named_parameters()}


def trained_by_keras(spec: pk.Learned, rate: float) -> tuple[list[float], dict[str, Any]]:
    keras: Any = pytest.importorskip("keras")
    layer = spec.layer("keras")
    model = keras.Sequential([keras.Input(X.shape[1:]), layer])
    held = weights_of(spec)
    model.set_weights([held[w.name] for w in layer.weights])
    model.compile(keras.optimizers.SGD(rate), "mse")
    losses = model.fit(X, target_of(spec), epochs=STEPS, batch_size=len(X), verbose=0).history["loss"]
    return losses, {w.name: keras.ops.convert_to_numpy(w) for w in layer.weights}


def squared_error(layer: Any, x: Any, target: Any) -> Any:
    return ((layer(x) - target) ** 2).mean()


def trained_by_nnx(spec: pk.Learned, rate: float) -> tuple[list[float], dict[str, Any]]:
    nnx: Any = pytest.importorskip("flax.nnx")
    jax: Any = pytest.importorskip("jax")
    from poolkit_jax import nnx as module

    layer, losses = module(spec, rngs=nnx.Rngs(0)), list[float]()
    nnx.update(layer, {n: jax.numpy.asarray(t) for n, t in weights_of(spec).items()})

    @nnx.jit
    def step(layer: Any, x: Any, target: Any) -> Any:
        loss, slopes = nnx.value_and_grad(squared_error)(layer, x, target)
        nnx.update(layer, jax.tree.map(lambda p, g: p - rate * g, nnx.state(layer), slopes))
        return loss

    for _ in range(STEPS):
        losses.append(float(step(layer, jax.numpy.asarray(X), target_of(spec))))
    return losses, {n: getattr(layer, n)[...] for n in spec.parameters}


def trained_by_equinox(spec: pk.Learned, rate: float) -> tuple[list[float], dict[str, Any]]:
    eqx: Any = pytest.importorskip("equinox")
    jax: Any = pytest.importorskip("jax")
    held = {n: jax.numpy.asarray(t) for n, t in weights_of(spec).items()}
    model, losses = eqx.tree_at(weights_in, spec.layer("jax"), held), list[float]()

    @eqx.filter_jit
    def step(model: Any, x: Any, target: Any) -> Any:
        loss, slopes = eqx.filter_value_and_grad(squared_error)(model, x, target)
        return loss, eqx.apply_updates(model, jax.tree.map(lambda g: -rate * g, slopes))

    for _ in range(STEPS):
        loss, model = step(model, jax.numpy.asarray(X), target_of(spec))
        losses.append(float(loss))
    return losses, model.weights


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
@pytest.mark.parametrize("name", RATES)
def test_training_goes_the_same_way_everywhere(name: str) -> None:
    spec = SPECS[name]
    runs = [run(spec, RATES[name]) for run in (trained_by_torch, trained_by_keras, trained_by_nnx, trained_by_equinox)]
    wanted_losses, wanted = runs[0]
    assert wanted_losses == sorted(wanted_losses, reverse=True)
    assert wanted_losses[-1] < 0.9 * wanted_losses[0]
    for losses, weights in runs[1:]:
        np.testing.assert_allclose(losses, wanted_losses, rtol=1e-4)
        for n, t in wanted.items():
            np.testing.assert_allclose(weights[n], t, rtol=1e-4, atol=1e-5, err_msg=n)


def test_masks_and_half_types() -> None:
    torch: Any = pytest.importorskip("torch")
    spec = pk.AttentionPool(layout="NLC", keepdims=False, channels=6, hidden=3)
    layer, x = spec.layer("torch"), torch.from_numpy(X.reshape(4, 16, 6))
    mask = torch.arange(16) < torch.tensor([[16], [3], [1], [0]])
    found = layer(x, mask=mask)
    np.testing.assert_allclose(found[1].detach(), layer(x[1:2, :3])[0].detach(), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found[2:].detach(), np.stack([X[2, 0, 0], np.zeros(6)]))
    half = layer(x.bfloat16(), mask=mask)
    assert half.dtype == torch.bfloat16
    np.testing.assert_allclose(half.float().detach(), found.detach(), rtol=0.02, atol=0.02)
