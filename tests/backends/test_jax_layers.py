"""The layers of the JAX adapter: inside Flax and Equinox, and the same numbers as theirs."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import poolkit as pk
import poolkit_jax as pj
from tests.helpers.support import environment


def array(*shape: int) -> Any:
    return jnp.asarray(np.random.default_rng(0).standard_normal(shape), "float32")


def test_specs_and_mixes_in_a_pytree_are_constants() -> None:
    """Equal ones are compiled once, also one that was made before JAX's side of poolkit was imported."""
    early = pk.MaxPool(2, layout="NCL")
    assert isinstance(pj.Pool(early), pj.Pool)  # the package imports its modules when they are asked for
    traced = list[pk.PoolSpec | pk.Mix]()

    @jax.jit
    def run(tree: Any) -> Any:
        traced.append(tree["spec"])
        return pk.pool(tree["x"], tree["spec"])

    def mix(coefficients: tuple[float, float]) -> pk.Mix:
        return pk.Mix((pk.AvgPool(2, layout="NCL"), pk.MaxPool(2, layout="NCL")), how="add", coefficients=coefficients)

    x = array(1, 2, 6)
    for spec in (early, pk.MaxPool(2, layout="NCL"), mix((0.5, 0.5)), mix((1, 2)), mix((1, 2))):
        np.testing.assert_allclose(run({"spec": spec, "x": x}), pk.pool(x, spec), rtol=1e-6)
        assert jax.tree.leaves(spec) == []
    assert len(traced) == 3
    grads = jax.grad(lambda tree: pk.pool(tree["x"], tree["spec"]).sum())({"spec": mix((1, 2)), "x": x})
    assert grads["spec"] == mix((1, 2))


def test_pool_is_a_pytree_without_leaves() -> None:
    pool = pk.MaxPool(2, layout="NCHW").layer("jax", route="fold")
    assert isinstance(pool, pj.Pool)
    assert jax.tree.leaves(pool) == []
    assert jax.tree.map(lambda leaf: leaf, pool) == pool
    assert hash(pool) == hash(pj.Pool(pk.MaxPool(2, layout="NCHW"), route="fold"))
    assert jax.jit(lambda pool, x: pool(x))(pool, array(1, 3, 4, 4)).shape == (1, 3, 2, 2)
    assert jax.tree.leaves(pj.MaxPool2d(2)) == []
    assert pj.MaxPool2d(2) == pj.MaxPool2d(2, 1) != pj.MaxPool2d(2, 2)


def test_neither_flax_nor_equinox_is_imported() -> None:
    code = "import sys, poolkit_jax; assert not {'flax', 'equinox'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], env=environment(), check=True)


# ---------------------------------------------------------------------------------------------------------------- Flax


@pytest.mark.parametrize("options", [
    {},
    {"strides": (2, 2)},
    {"strides": (2, 1), "padding": "SAME"},
    {"padding": ((1, 0), (0, 1))},
], ids=str)  # fmt: skip
def test_functions_in_flax_s_words_give_flax_s_numbers(options: dict[str, Any]) -> None:
    from flax import linen, nnx

    x = array(2, 7, 8, 3)
    assert (pj.max_pool(x, (3, 2), **options) == linen.max_pool(x, (3, 2), **options)).all()
    assert (pj.min_pool(x, (3, 2), **options) == nnx.min_pool(x, (3, 2), **options)).all()
    for counted in (True, False):
        mine = pj.avg_pool(x, (3, 2), count_include_pad=counted, **options)
        theirs = linen.avg_pool(x, (3, 2), count_include_pad=counted, **options)
        np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-6)


def test_leading_axes_and_one_spatial_axis() -> None:
    from flax import linen

    for shape in ((7, 3), (2, 7, 3), (4, 2, 7, 3)):
        x = array(*shape)
        assert (pj.max_pool(x, (3,), (2,)) == linen.max_pool(x, (3,), (2,))).all()


def test_inside_a_linen_module() -> None:
    from flax import linen

    class Net(linen.Module):
        pool: pj.Pool

        @linen.compact
        def __call__(self, x: Any) -> Any:
            return self.pool(linen.Dense(4)(x))

    net = Net(pj.Pool(pk.GlobalAvgPool(layout="NHWC", keepdims=False)))
    x = array(2, 5, 5, 3)
    params = net.init(jax.random.key(0), x)
    assert jax.jit(net.apply)(params, x).shape == (2, 4)


def test_inside_an_nnx_module() -> None:
    from flax import nnx

    class Net(nnx.Module):
        def __init__(self, rngs: Any) -> None:
            self.dense = nnx.Linear(3, 4, rngs=rngs)
            self.pool = pj.Pool(pk.MaxPool(2, layout="NHWC"))

        def __call__(self, x: Any) -> Any:
            return self.pool(self.dense(x))

    net = Net(nnx.Rngs(0))
    x = array(2, 6, 6, 3)
    assert nnx.jit(lambda net, x: net(x))(net, x).shape == (2, 3, 3, 4)
    assert nnx.grad(lambda net, x: net(x).sum())(net, x)["dense"]["kernel"].shape == (3, 4)


# ------------------------------------------------------------------------------------------------------------- Equinox


def test_inside_an_equinox_sequential() -> None:
    import equinox as eqx

    net = eqx.nn.Sequential([
        eqx.nn.Conv2d(3, 4, 3, key=jax.random.key(0)),
        pj.MaxPool2d(2, 2),
        pj.Pool(pk.GlobalAvgPool(layout="CHW", keepdims=False)),
    ])  # fmt: skip
    x = array(2, 3, 10, 10)
    run = eqx.filter_jit(lambda net, x: jax.vmap(net)(x))
    assert run(net, x).shape == (2, 4)
    assert len(jax.tree.leaves(eqx.filter_grad(lambda net: run(net, x).sum())(net))) == 2


@pytest.mark.parametrize(("name", "shape"), [
    ("MaxPool1d", (3, 9)), ("MaxPool2d", (3, 9, 8)), ("MaxPool3d", (2, 5, 6, 7)),
    ("AvgPool1d", (3, 9)), ("AvgPool2d", (3, 9, 8)), ("AvgPool3d", (2, 5, 6, 7)),
])  # fmt: skip
def test_classes_with_equinox_s_constructors_give_its_numbers(name: str, shape: tuple[int, ...]) -> None:
    import equinox as eqx

    x = array(*shape)
    for arguments in ({"kernel_size": 3}, {"kernel_size": 3, "stride": 2, "padding": 1}):
        mine, theirs = getattr(pj, name)(**arguments)(x), getattr(eqx.nn, name)(**arguments)(x)
        np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", ["Avg", "Max"])
def test_adaptive_classes(kind: str) -> None:
    import equinox as eqx

    for n, shape in ((1, (2, 8)), (2, (2, 8, 4)), (3, (2, 4, 4, 6))):
        name = f"Adaptive{kind}Pool{n}d"
        mine, theirs = getattr(pj, name)(2)(array(*shape)), getattr(eqx.nn, name)(2)(array(*shape))
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)
    exact = pj.AdaptiveAvgPool1d(3)(jnp.arange(5.0)[None])
    np.testing.assert_allclose(exact, [[0.5, 2.0, 3.5]], rtol=1e-6)  # Equinox gives 0.5, 2.5, 4
