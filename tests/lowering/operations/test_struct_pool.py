"""`pk.struct_pool` beside the conformance suite: a small set of graphs that is learned, what is refused, texts."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
import torch

import poolkit as pk
from poolkit.spec.operation import operation_from_dict

Array = np.ndarray[Any, Any]
GRAPHS, NODES, CLUSTERS = 24, 6, 3


def rings_and_stars() -> tuple[Array, Array, Array, Array]:
    """Nodes (a one and their degree), adjacency, mask and label of graphs of 4 to 6 nodes, padded to 6."""
    rng = np.random.default_rng(0)
    adjacency, mask = np.zeros((GRAPHS, NODES, NODES), "float32"), np.zeros((GRAPHS, NODES), bool)
    label = np.arange(GRAPHS) % 2
    for graph, star in enumerate(label):
        n = int(rng.integers(4, NODES + 1))
        mask[graph, :n] = True
        for a, b in [(0, i) for i in range(1, n)] if star else [(i, (i + 1) % n) for i in range(n)]:
            adjacency[graph, a, b] = adjacency[graph, b, a] = 1
    x = np.stack([mask, adjacency.sum(-1) / 3], -1).astype("float32")
    x[~mask] = 9  # padding must not matter
    return x, adjacency, mask, label.astype("float32")


X, ADJACENCY, MASK, LABEL = rings_and_stars()
RNG = np.random.default_rng(1)
WEIGHTS = {
    "scores": RNG.standard_normal((2, CLUSTERS)).astype("float32"),
    "filter": np.eye(CLUSTERS, dtype="float32"),
    "compatibility": -np.eye(CLUSTERS, dtype="float32"),
    "out": 0.1 * RNG.standard_normal(CLUSTERS * (2 + CLUSTERS)).astype("float32"),
}


def logits(weights: dict[str, Any], x: Any, adjacency: Any, mask: Any) -> Any:
    """A classifier of graphs, in what the frameworks have in common: a score of each cluster, pooling, a sum."""
    unary = x @ weights["scores"]
    crf = {name: weights[name] for name in ("filter", "compatibility")}
    nodes, links = pk.struct_pool(x, adjacency, unary, steps=2, mask=mask, **crf)
    out = (
        weights["out"][: CLUSTERS * 2].reshape(CLUSTERS, 2),
        weights["out"][CLUSTERS * 2 :].reshape(CLUSTERS, CLUSTERS),
    )
    return (nodes * out[0]).sum((-2, -1)) + (links * out[1]).sum((-2, -1))


def test_pytorch_learns_rings_from_stars() -> None:
    weights = {name: torch.tensor(w, requires_grad=True) for name, w in WEIGHTS.items()}
    given = [torch.from_numpy(t) for t in (X, ADJACENCY, MASK)]
    optimizer, losses = torch.optim.Adam(weights.values(), 0.1), []
    for _ in range(20):
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits(weights, *given), torch.from_numpy(LABEL))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    assert losses[-1] < 0.85 * losses[0]
    for name in ("filter", "compatibility", "scores"):
        assert np.abs(weights[name].detach().numpy() - WEIGHTS[name]).min() > 1e-3


def test_jax_learns_rings_from_stars() -> None:
    def loss(weights: dict[str, jax.Array]) -> jax.Array:
        z = logits(weights, jnp.asarray(X), jnp.asarray(ADJACENCY), jnp.asarray(MASK))
        return jnp.mean(jnp.logaddexp(0, z) - jnp.asarray(LABEL) * z)

    step, losses = jax.jit(jax.value_and_grad(loss)), []
    weights = {name: jnp.asarray(w) for name, w in WEIGHTS.items()}
    for _ in range(20):
        value, slope = step(weights)
        weights = {name: w - 0.02 * jnp.sign(slope[name]) for name, w in weights.items()}
        losses.append(float(value))

    assert losses[-1] < 0.85 * losses[0]
    assert all(np.isfinite(w).all() for w in weights.values())


def test_without_steps_it_is_a_softmax_of_the_scores() -> None:
    x, a, u = X[0], ADJACENCY[0], RNG.standard_normal((NODES, CLUSTERS)).astype("float32")
    shares = torch.softmax(torch.from_numpy(u), -1).numpy()
    nodes, links = pk.struct_pool(x, a, u, steps=0)

    np.testing.assert_allclose(nodes, shares.T @ x, rtol=1e-6)
    np.testing.assert_allclose(links, shares.T @ a @ shares, rtol=1e-5)


def test_padding_changes_no_graph() -> None:
    u = RNG.standard_normal((GRAPHS, NODES, CLUSTERS)).astype("float32")
    nodes, links = pk.struct_pool(np.where(MASK[..., None], X, np.nan), ADJACENCY, u, mask=MASK)
    for graph in range(4):
        n = int(MASK[graph].sum())
        alone = pk.struct_pool(X[graph, :n], ADJACENCY[graph, :n, :n], u[graph, :n])
        np.testing.assert_allclose(nodes[graph], alone[0], rtol=1e-5)
        np.testing.assert_allclose(links[graph], alone[1], rtol=1e-5, atol=1e-6)


def test_a_saved_keras_model_holds_it(tmp_path: Any) -> None:
    x, a, u = (keras.Input((NODES, n)) for n in (2, NODES, CLUSTERS))
    pooled = pk.StructPool(CLUSTERS).layer("keras")(x, adjacency=a, unary=u)
    assert pooled.shape == (None, CLUSTERS, 2 + CLUSTERS)
    keras.Model([x, a, u], pooled).save(tmp_path / "graphs.keras")
    given = [X, ADJACENCY, np.ones((GRAPHS, NODES, CLUSTERS), "float32")]

    found = keras.models.load_model(tmp_path / "graphs.keras")(given)
    np.testing.assert_allclose(found, np.concatenate(pk.struct_pool(*given), -1), rtol=1e-5)


def test_a_layer_of_pytorch_is_loaded_by_its_weights_alone(tmp_path: Any) -> None:
    torch.save(pk.StructPool(2, steps=1).layer("torch"), tmp_path / "pool.pt")

    assert torch.load(tmp_path / "pool.pt", weights_only=True).spec == pk.StructPool(2, steps=1)


U = np.zeros((GRAPHS, NODES, CLUSTERS), "float32")
WRONG: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: pk.struct_pool(X, ADJACENCY[:, :4], U), pk.ShapeError, r"adjacency of shape \(24, 4, 6\).*axes are NLL"),
    (lambda: pk.struct_pool(X, ADJACENCY[0], U), pk.ShapeError, r"adjacency of shape \(6, 6\).*\(24, 6, 6\) here"),
    (lambda: pk.struct_pool(X, ADJACENCY, U[:3]), pk.ShapeError, r"unary of shape \(3, 6, 3\)"),
    (lambda: pk.struct_pool(X, ADJACENCY, U[..., :0]), pk.ShapeError, "with 0 clusters"),
    (lambda: pk.struct_pool(X[0, 0], ADJACENCY, U), pk.ShapeError, "nodes of rank 1"),
    (lambda: pk.struct_pool(X, ADJACENCY, U, filter=np.eye(2)), pk.ShapeError, "filter of shape .*axes are KK"),
    (lambda: pk.struct_pool(X, ADJACENCY, U, mask=MASK[..., None]), pk.ShapeError, "mask of shape .*axes are NL,"),
    (lambda: pk.struct_pool(X, ADJACENCY + 1j, U), pk.DtypeError, "adjacency of dtype complex.*real numbers"),
    (lambda: pk.struct_pool(X.astype("complex64"), ADJACENCY, U), pk.DtypeError, "complex64"),
    (lambda: pk.struct_pool(X, None, U), pk.InputError, "received no adjacency.*pk.struct_pool"),
    (lambda: pk.struct_pool(X, ADJACENCY, None), pk.InputError, "unary: received a NoneType"),
    (lambda: pk.struct_pool(X, [[0]], U), pk.InputError, "adjacency: received a list"),
    (lambda: pk.struct_pool(X, ADJACENCY, U, steps=-1), pk.SpecError, "steps=-1.*from 0 to 100"),
    (lambda: pk.struct_pool(X, ADJACENCY, U, attention="cosine"), pk.SpecError, '"dot" or "softmax"'),
    (lambda: pk.StructPool(3, attention=np.eye(2)), pk.SpecError, '"dot" or "softmax"'),
    (lambda: pk.StructPool(0), pk.SpecError, "clusters=0.*from 1 to"),
    (lambda: pk.StructPool(3, layout="NCL"), pk.SpecError, '"NLC" or "LC"'),
    (lambda: pk.StructPool(3)(X[0], adjacency=ADJACENCY, unary=U), pk.ShapeError, 'of rank 2.*layout="LC"'),
    (lambda: pk.StructPool(3)(X, unary=U), pk.InputError, "received no adjacency"),
    (lambda: pk.StructPool(2**29)(X, adjacency=ADJACENCY, unary=U[..., :0]), pk.ShapeError, "unary of shape"),
    (lambda: pk.lower(pk.StructPool(3), "numpy", tensors={"unary": "NLC"}), pk.InputError, "by its axes, NLK here"),
    (lambda: pk.native(pk.StructPool(3), "torch"), pk.NotExactError, "no layer of its own"),
]


@pytest.mark.parametrize(("attempt", "error", "says"), WRONG, ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_wrong_is_said(attempt: Callable[[], Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        attempt()


SPEC = pk.StructPool(3, layout="LC", steps=1, attention="softmax")


def test_it_comes_back_from_every_form_in_which_it_is_kept() -> None:
    assert eval(repr(SPEC), {"StructPool": pk.StructPool}) == SPEC
    assert repr(SPEC) == 'StructPool(3, layout="LC", steps=1, attention="softmax")'
    assert operation_from_dict(json.loads(json.dumps(SPEC.to_dict()))) == SPEC
    assert pickle.loads(pickle.dumps(SPEC)) == SPEC
    assert str(SPEC) == "struct clusters=3 layout=LC steps=1 attention=softmax"


def test_it_is_explained_and_counted() -> None:
    told = pk.StructPool(3).explain((2, 5, 4), {"adjacency": "NLL", "unary": "NLK", "mask": ("NL", "int32")})

    assert told.startswith("struct clusters=3 layout=NLC\nNLC (2, 5, 4) -> NLC (2, 3, 7)")
    assert "unary (2, 5, 3): each node's own score for each cluster" in told


def test_a_program_for_every_size_serves_every_graph() -> None:
    program = pk.lower(pk.StructPool(CLUSTERS, steps=1), "numpy", tensors={"adjacency": "NLL", "unary": "NLK"})
    for n in (1, 4, NODES):
        given = X[:, :n], ADJACENCY[:, :n, :n], U[:, :n]
        np.testing.assert_allclose(program(*given), np.concatenate(pk.struct_pool(*given, steps=1), -1), rtol=1e-6)
