"""Pooling for JAX's libraries: `Pool` for any spec, functions in Flax's words, classes with Equinox's constructors.

Nothing here imports Flax or Equinox. `Pool` is a pytree without leaves, so it passes through `jax.jit`, `jax.tree.map`
and `equinox.filter_jit`, and is a static attribute of a Flax module. So are specs and mixes, once this is imported.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import jax

from poolkit.lowering.geometry import MORE_SPATIAL, SPATIAL
from poolkit.running.layers import Named, Pooling, pool_through
from poolkit.spec.fields import Padding, Sizes
from poolkit.spec.messages import shown, wrong
from poolkit.spec.operation import Operation
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.signatures import explained, explained_class
from poolkit.spec.values import is_many

for _operation in Operation.ALL:
    with contextlib.suppress(ValueError):  # its user has registered it
        jax.tree_util.register_static(_operation)


@jax.tree_util.register_static
class Pool(Named, Pooling):
    """A callable that pools by a spec: a member of a Flax module, or an element of an `equinox.nn.Sequential`.

    `route` asks for one of `poolkit.routes`, or "native" for `lax.reduce_window` or `jnp.mean`. A pool that draws uses
    the `key` that `equinox.nn.Sequential` hands to each of its layers; the others do not look at it.

    >>> import jax.numpy as jnp
    >>> from poolkit import MaxPool
    >>> Pool(MaxPool(2, layout="NHWC"))(jnp.ones((1, 8, 8, 3))).shape
    (1, 4, 4, 3)
    """

    before = "C"

    def __init_subclass__(cls, **facts: object) -> None:
        super().__init_subclass__(**facts)
        jax.tree_util.register_static(cls)


# -------------------------------------------------------------------------------------------------------- Flax's words


def _flax(
    kind: str, x: jax.Array, window: Sequence[int], strides: Sequence[int] | None, padding: Padding, **options: Any
) -> jax.Array:
    for name, given in (("window_shape", window), ("strides", () if strides is None else strides)):
        if not is_many(given):
            rule = f"Flax's pools take {name} as a sequence of ints, one for each spatial axis"
            raise wrong(f"{name}={shown(given)}", rule, f"write it as in {name}=(2, 2)")
    count = len(window)
    spatial = SPATIAL.get(count, MORE_SPATIAL[:count])
    lower = padding.lower() if isinstance(padding, str) else padding
    stride = (1,) * count if strides is None else tuple(strides)
    spec = PoolSpec(kind, window=tuple(window), stride=stride, padding=lower, layout=f"...{spatial}C", **options)
    pooled: jax.Array = pool_through(x, spec, None)
    return pooled


@explained
def max_pool(
    inputs: jax.Array, window_shape: Sequence[int], strides: Sequence[int] | None = None, padding: Padding = "VALID"
) -> jax.Array:
    """`flax.linen.max_pool`: channels last, stride 1 unless it is given, any number of leading axes.

    >>> import jax.numpy as jnp
    >>> max_pool(jnp.ones((1, 8, 8, 3)), (3, 3), strides=(2, 2), padding="SAME").shape
    (1, 4, 4, 3)
    """
    return _flax("max", inputs, window_shape, strides, padding)


@explained
def min_pool(
    inputs: jax.Array, window_shape: Sequence[int], strides: Sequence[int] | None = None, padding: Padding = "VALID"
) -> jax.Array:
    """`flax.nnx.min_pool`.

    >>> import jax.numpy as jnp
    >>> min_pool(jnp.array([[[4.0], [2.0], [3.0]]]), (2,)).ravel()
    Array([2., 2.], dtype=float32)
    """
    return _flax("min", inputs, window_shape, strides, padding)


@explained
def avg_pool(
    inputs: jax.Array,
    window_shape: Sequence[int],
    strides: Sequence[int] | None = None,
    padding: Padding = "VALID",
    count_include_pad: bool = True,
) -> jax.Array:
    """`flax.linen.avg_pool`, which divides by padding too unless told otherwise.

    >>> import jax.numpy as jnp
    >>> avg_pool(jnp.arange(1.0, 6.0).reshape(1, 5, 1), (2,), strides=(2,), padding="SAME").ravel()
    Array([1.5, 3.5, 2.5], dtype=float32)
    """
    return _flax("avg", inputs, window_shape, strides, padding, count_include_pad=count_include_pad)


# ---------------------------------------------------------------------------------------------- Equinox's constructors


@explained_class
class _Window(Pool):
    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Padding = 0,
        use_ceil: bool = False,
        *,
        layout: str | None = None,
    ) -> None:
        sizes = {"window": kernel_size, "stride": stride, "padding": padding}
        super().__init__(self.spec_of(layout, **sizes, ceil_mode=use_ceil, count_include_pad=self.kind == "avg"))


@explained_class
class _Adaptive(Pool):
    def __init__(self, target_shape: int | Sequence[int | None], *, layout: str | None = None) -> None:
        super().__init__(self.spec_of(layout, output_size=target_shape))


class MaxPool1d(_Window, kind="max", spatial="L"):
    """`equinox.nn.MaxPool1d`: unbatched, channels first. `use_ceil` follows PyTorch's rule for the last window."""


class MaxPool2d(_Window, kind="max", spatial="HW"):
    """`equinox.nn.MaxPool2d`: unbatched, channels first. `use_ceil` follows PyTorch's rule for the last window.

    >>> import jax.numpy as jnp
    >>> MaxPool2d(3, stride=2, padding=1)(jnp.ones((3, 8, 8))).shape
    (3, 4, 4)
    """


class MaxPool3d(_Window, kind="max", spatial="DHW"):
    """`equinox.nn.MaxPool3d`: unbatched, channels first. `use_ceil` follows PyTorch's rule for the last window."""


class AvgPool1d(_Window, kind="avg", spatial="L"):
    """`equinox.nn.AvgPool1d`, which divides by padding too; but not by what `use_ceil` adds, where Equinox does."""


class AvgPool2d(_Window, kind="avg", spatial="HW"):
    """`equinox.nn.AvgPool2d`, which divides by padding too; but not by what `use_ceil` adds, where Equinox does.

    >>> import jax.numpy as jnp
    >>> AvgPool2d(2, stride=2)(jnp.ones((3, 8, 8))).shape
    (3, 4, 4)
    """


class AvgPool3d(_Window, kind="avg", spatial="DHW"):
    """`equinox.nn.AvgPool3d`, which divides by padding too; but not by what `use_ceil` adds, where Equinox does."""


class AdaptiveAvgPool1d(_Adaptive, kind="avg", spatial="L"):
    """`equinox.nn.AdaptiveAvgPool1d` with exact bins: 3 bins of 5 cells overlap, where Equinox's hold 2, 2 and 1."""


class AdaptiveAvgPool2d(_Adaptive, kind="avg", spatial="HW"):
    """`equinox.nn.AdaptiveAvgPool2d` with exact bins: 3 bins of 5 cells overlap, where Equinox's hold 2, 2 and 1.

    >>> import jax.numpy as jnp
    >>> AdaptiveAvgPool2d(3)(jnp.ones((3, 8, 8))).shape
    (3, 3, 3)
    """


class AdaptiveAvgPool3d(_Adaptive, kind="avg", spatial="DHW"):
    """`equinox.nn.AdaptiveAvgPool3d` with exact bins: 3 bins of 5 cells overlap, where Equinox's hold 2, 2 and 1."""


class AdaptiveMaxPool1d(_Adaptive, kind="max", spatial="L"):
    """`equinox.nn.AdaptiveMaxPool1d` with exact bins: 3 bins of 5 cells overlap, where Equinox's hold 2, 2 and 1."""


class AdaptiveMaxPool2d(_Adaptive, kind="max", spatial="HW"):
    """`equinox.nn.AdaptiveMaxPool2d` with exact bins: 3 bins of 5 cells overlap, where Equinox's hold 2, 2 and 1.

    >>> import jax.numpy as jnp
    >>> AdaptiveMaxPool2d(3)(jnp.ones((3, 8, 8))).shape
    (3, 3, 3)
    """


class AdaptiveMaxPool3d(_Adaptive, kind="max", spatial="DHW"):
    """`equinox.nn.AdaptiveMaxPool3d` with exact bins: 3 bins of 5 cells overlap, where Equinox's hold 2, 2 and 1."""
