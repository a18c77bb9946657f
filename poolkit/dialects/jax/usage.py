"""How programs use JAX and the libraries on it, besides calling their pools."""

from __future__ import annotations

from poolkit.dialects.reductions import NUMPY_AXES
from poolkit.dialects.usage import Methods, Usage

USAGE = Usage(
    shorts={
        "jnp": "jax.numpy",
        "lax": "jax.lax",
        "nn": "flax.linen flax.nnx equinox.nn",
        "fnn": "flax.linen",
        "linen": "flax.linen",
        "nnx": "flax.nnx",
        "hk": "haiku",
        "eqx": "equinox",
    },
    imports={
        "jax.numpy": ("jnp", "import jax.numpy as jnp"),
        "flax.linen": ("linen", "from flax import linen"),
        "flax.nnx": ("nnx", "from flax import nnx"),
    },
    places=("nn", "linen", "nnx", "haiku", "lax"),
    holders=("jax.vmap",),
    public=("equinox", "flax.nnx"),
    functions=(
        *(f"jax.lax.{name}" for name in ("max", "min", "add")),
        *(f"jax.numpy.{name}" for name in ("maximum", "minimum", "add")),
    ),
    axes={
        **NUMPY_AXES,
        1: f"{NUMPY_AXES[1]} concat softmax log_softmax logsumexp standardize glu cumlogsumexp cummax cummin",
    },
    unsaid_axes={
        ("axis", -1): "jax.nn.softmax jax.nn.log_softmax jax.nn.standardize jax.nn.glu "
        "jax.numpy.sort jax.numpy.argsort jax.numpy.diff flax.linen.softmax flax.linen.log_softmax "
        "flax.linen.standardize flax.linen.glu flax.nnx.softmax flax.nnx.log_softmax flax.nnx.standardize flax.nnx.glu"
    },
    methods=Methods("jax.numpy", frozenset({"axis", "keepdims"})),
    none={"stride": 1},  # Flax's
    any_batches=("flax.",),
    last_axes={
        "haiku.": "Haiku's window is over the last axes, channels among them where they come last, and so is the "
        "port's; if the spatial axes are meant, write an entry for each axis"
    },
    resizes="jax.image.resize",
)
