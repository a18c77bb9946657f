"""What poolkit has to know about JAX's arrays."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Generator, Hashable
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from poolkit.errors import ShapeError
from poolkit.lowering.backend import Adapter, Situation
from poolkit.lowering.plan import AnyPlan
from poolkit_jax.layers import Pool
from poolkit_jax.learned import layer
from poolkit_jax.ops import CONFIG, LARGE, Ops
from poolkit_jax.routes import ROUTES
from poolkit_jax.routes_mesh import is_on_mesh, sharded


@contextlib.contextmanager
def _decided() -> Generator[None]:
    """An error for what JAX cannot tell of symbolic sizes, which it raises from within."""
    try:
        yield
    except jax.errors.InconclusiveDimensionOperation as error:
        said = str(error).partition(" is inconclusive")[0].partition("comparison ")[2].replace("'", "")
        raise ShapeError(
            f"received an input of symbolic size, for which JAX cannot decide whether {said}; say how small sizes can "
            'be, as in jax.export.symbolic_shape("b, h, w, c", constraints=["h >= 16", "w >= 16"]), or give numbers'
        ) from error


class JaxAdapter(Adapter):
    """JAX: programs are jitted; sizes are known, but under `jax.export` they may be expressions."""

    name = "jax"
    takes = "a dense jax.Array; convert it with jax.numpy.asarray(x) (a sparse array: x.todense())"
    ops = Ops
    layers = Pool
    learned = staticmethod(layer)
    routes = ROUTES
    derives = True
    executables: int | None = 256  # of up to 3 MiB each

    def dense(self, x: object) -> bool:
        return isinstance(x, jax.Array)

    def known_size(self, x: Any, at: int) -> int | None:
        n = x.shape[at]
        return n if isinstance(n, int) else None

    def situation(self, x: Any) -> Situation:
        if not all(isinstance(n, int) for n in x.shape):
            return Situation(tracing=True)
        size, mesh = "large" if x.size >= LARGE else None, is_on_mesh(x)
        device, large = "mesh" if mesh else None, math.prod(x.shape[1:]) >= 8 * LARGE  # each of a batch, 0.1 ms
        return Situation(tracing=True, empty=x.size == 0, large=large, shipped=mesh, device=device, format=size)

    def within(self, x: Any) -> contextlib.AbstractContextManager[Any]:
        return _decided()

    def branches(self, plan: AnyPlan, situation: Situation) -> bool:
        """Of windows that overlap, and where there are none; those that do not are folded as fast."""
        forms = {a.form for a in plan.axes}
        return forms == {"keep"} or any(a.form == "taps" and a.stride < a.window for a in plan.axes)

    def key(self, x: Any, spec: Any) -> Hashable:
        if not isinstance(x, jax.Array):
            return None  # a sparse array; `check` says so
        for n in x.shape:
            if not isinstance(n, int):
                return None
        return spec, x.shape, x.dtype, x.aval.sharding.mesh, CONFIG.jax_enable_x64

    def from_numpy(self, array: Any) -> Any:
        return jax.numpy.asarray(array)

    def to_numpy(self, t: Any) -> Any:
        return np.asarray(t)

    def key_of(self, key: Any) -> Any:
        own = isinstance(key, jax.Array) and jax.numpy.issubdtype(key.dtype, jax.dtypes.prng_key)
        return jax.random.key_data(key) if own else key

    def held(self, t: Any) -> Any:
        return None if isinstance(t, Tracer) else np.asarray(t)

    def finish(self, function: Callable[..., Any], plan: AnyPlan | None = None) -> Callable[..., Any]:
        return jax.jit(function if plan is None else sharded(function, plan), inline=True)


ADAPTER = JaxAdapter()
