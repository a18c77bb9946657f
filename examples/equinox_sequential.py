"""poolkit's pools inside an equinox.nn.Sequential, trained for one step.

Equinox models one image at a time, so the layout is CHW, and the batch is `jax.vmap`'s. `poolkit_jax.Pool` is a pytree
without leaves: there is nothing in it to train, and gradients pass through it.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import poolkit as pk
import poolkit_jax
from poolkit.tools.demo import photograph


def build() -> eqx.nn.Sequential:
    key = jax.random.key(0)  # any: the weights are replaced below
    model = eqx.nn.Sequential(
        [
            eqx.nn.Conv2d(3, 8, kernel_size=1, use_bias=False, key=key),
            eqx.nn.Lambda(jax.nn.relu),
            poolkit_jax.Pool(pk.MaxPool(3, 2, "same", layout="CHW")),
            poolkit_jax.Pool(pk.AdaptiveAvgPool(6, layout="CHW")),
            poolkit_jax.Pool(pk.GlobalAvgPool(layout="CHW", keepdims=False)),
            eqx.nn.Linear(8, 2, use_bias=False, key=key),
        ]
    )
    # The same random weights in every example of this folder, so that their numbers can be compared.
    random = np.random.default_rng(0)
    first, last = (jnp.asarray(random.normal(size=shape), "float32") for shape in ((3, 8), (8, 2)))
    return eqx.tree_at(lambda m: (m[0].weight, m[-1].weight), model, (first.T[:, :, None, None], last.T))


def loss(model: eqx.nn.Sequential, photos: jax.Array) -> tuple[jax.Array, jax.Array]:
    output = jax.vmap(model)(photos)
    return jnp.mean((output - 1) ** 2), output


def main() -> None:
    model, photos = build(), jnp.asarray(np.moveaxis(photograph(), 3, 1))
    step = eqx.filter_jit(eqx.filter_value_and_grad(loss, has_aux=True))

    (before, output), gradient = step(model, photos)
    model = eqx.apply_updates(model, jax.tree.map(lambda g: -0.1 * g, gradient))
    (after, _), _ = step(model, photos)
    print(f"output {output.shape}, loss {before:.6f}, after one step {after:.6f}")


if __name__ == "__main__":
    main()
