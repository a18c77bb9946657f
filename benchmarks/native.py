"""The pooling calls that each framework's documentation shows for a site.

Where a framework pools one layout only, data in the other goes through the transposition that its user would write.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.frameworks import Framework, Function, Tensor
from benchmarks.sites import Site


def native(f: Framework, site: Site, layout: str) -> Function:
    """The documented call, of an input, and of a mask where the site has one."""
    call: Function = CALLS[f.name](f, site, layout)
    return call


def to_first(rank: int) -> tuple[int, ...]:
    return (0, rank - 1, *range(1, rank - 1))


def to_last(rank: int) -> tuple[int, ...]:
    return (0, *range(2, rank), 1)


def _bins(site: Site, layout: str, reduce: Function, stack: Function) -> Function:
    """Bins that do not divide, for a framework that has none: a loop of slices, for two axes."""
    h, w = site.axes(layout)
    before = (slice(None),) * h

    def pool(x: Tensor) -> Tensor:
        cut = [
            [reduce(x[(*before, slice(*rows), slice(*columns))], (h, w)) for columns in site.bins(site.size[1])]
            for rows in site.bins(site.size[0])
        ]
        return stack([stack(line, h) for line in cut], h)

    return pool


# -------------------------------------------------------------------------------------------------------------- NumPy


def _numpy(f: Framework, site: Site, layout: str) -> Function:
    """NumPy documents no pooling: a mean, or a reduction of `sliding_window_view`."""
    axes = site.axes(layout)
    average = site.kind == "avg"
    if site.masked:
        mean: Any = np.mean
        return lambda x, mask: mean(x, axes, keepdims=True, where=mask)
    if site.whole:
        return lambda x: (x.mean if average else x.max)(axes, keepdims=True)
    if site.output_size and not site.divides:
        return _bins(site, layout, np.mean if average else np.max, np.stack)
    # NaN is left out by nanmean, as padding has to be.
    reduce: Any = np.nanmean if average else np.max
    fill = np.nan if average else -np.inf
    widths = [(site.pad, site.pad) if at in axes else (0, 0) for at in range(len(axes) + 2)]
    steps = tuple(slice(None, None, site.strides[0]) if at in axes else slice(None) for at in range(len(axes) + 2))

    def pool(x: Tensor) -> Tensor:
        padded = np.pad(x, widths, constant_values=fill) if site.pad else x
        views: Any = np.lib.stride_tricks.sliding_window_view(padded, site.windows, axis=axes)
        return reduce(views[steps], axis=tuple(range(-len(axes), 0)))

    return pool


# ------------------------------------------------------------------------------------------------------------ PyTorch


def _torch(f: Any, site: Site, layout: str) -> Function:
    """torch.nn.functional, which pools channels first."""
    F, torch = f.torch.nn.functional, f.torch  # noqa: N806  # the name that every PyTorch user gives it
    d, (first, *_) = len(site.size), site.axes(layout)
    if site.masked:  # as sentence-transformers takes the mean of its tokens
        return lambda x, mask: torch.sum(x * mask.float(), first, True) / mask.float().sum(first, True).clamp(min=1e-9)
    if site.output_size:
        call = getattr(F, f"adaptive_{site.kind}_pool{d}d")
        pool: Function = lambda x: call(x, site.output_size)  # noqa: E731
    else:
        call, options = getattr(F, f"{site.kind}_pool{d}d"), {"count_include_pad": False} if site.kind == "avg" else {}
        pool = lambda x: call(x, site.window, site.stride, site.pad, **options)  # noqa: E731
    if layout == "channels_first":
        return pool
    return lambda x: pool(x.permute(to_first(d + 2))).permute(to_last(d + 2))


# --------------------------------------------------------------------------------------------------------- TensorFlow


def _tensorflow(f: Any, site: Site, layout: str) -> Function:
    """tf.nn, which pools channels last on a CPU."""
    tf = f.tf
    d, axes = len(site.size), site.axes(layout)
    reduce = tf.reduce_mean if site.kind == "avg" else tf.reduce_max
    if site.masked:
        total: Any = tf.reduce_sum

        def mean(x: Tensor, mask: Tensor) -> Tensor:
            real = tf.cast(mask, x.dtype)
            return total(x * real, axes, True) / total(real, axes, True)

        return mean
    if site.whole:
        return lambda x: reduce(x, axes, True)
    if site.output_size and not site.divides:
        return _bins(site, layout, reduce, tf.stack)
    call = getattr(tf.nn, f"{site.kind}_pool{d}d")
    padding: Any = site.padding.upper() if isinstance(site.padding, str) else None
    if padding is None:
        padding = [[0, 0], *[[site.pad, site.pad]] * d, [0, 0]]
    if layout == "channels_last":
        return lambda x: call(x, site.windows, site.strides, padding)

    def channels_first(x: Tensor) -> Tensor:
        y = call(tf.transpose(x, to_last(d + 2)), site.windows, site.strides, padding)
        return tf.transpose(y, to_first(d + 2))

    return channels_first


# ---------------------------------------------------------------------------------------------------------------- JAX


def _jax(f: Any, site: Site, layout: str) -> Function:
    """jax.lax.reduce_window, which flax's pooling calls too, and jnp's reductions."""
    lax, jnp = f.jax.lax, f.jax.numpy
    axes = site.axes(layout)
    reduce = jnp.mean if site.kind == "avg" else jnp.max
    if site.masked:
        return lambda x, mask: jnp.mean(x, axes, keepdims=True, where=mask)
    if site.whole:
        return lambda x: reduce(x, axes, keepdims=True)
    if site.output_size and not site.divides:
        return _bins(site, layout, reduce, jnp.stack)

    def along(values: tuple[Any, ...], other: Any) -> tuple[Any, ...]:
        return tuple(values[at - axes[0]] if at in axes else other for at in range(len(axes) + 2))

    dims, steps = along(site.windows, 1), along(site.strides, 1)
    around = along(((site.pad, site.pad),) * len(axes), (0, 0))

    def total(x: Tensor) -> Tensor:
        return lax.reduce_window(x, 0.0, lax.add, dims, steps, around)

    if site.kind == "max":
        return lambda x: lax.reduce_window(x, -jnp.inf, lax.max, dims, steps, around)
    return lambda x: total(x) / (total(jnp.ones_like(x)) if site.pad else site.cells)


CALLS: dict[str, Any] = {"numpy": _numpy, "torch": _torch, "tensorflow": _tensorflow, "jax": _jax}
