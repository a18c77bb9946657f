"""`native`: a framework's own layer for a spec, where one is exactly equal; and what still differs then."""

from __future__ import annotations

from typing import Any

from poolkit.dialects import table
from poolkit.dialects.calls import Call
from poolkit.dialects.dialect import Caveat, Dialect, not_equal
from poolkit.dialects.normal import normal
from poolkit.errors import NotExactError
from poolkit.running.keras_engine import engine
from poolkit.spec.operation import Operation, as_spec
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.signatures import explained


@explained
def native(spec: Operation, backend: str) -> Any:
    """The framework's own layer that is exactly equal to a spec: windows, divisors, shapes and ties, at every size.

    It is a torch.nn.Module or Sequential, a keras.layers.Layer, or a ``functools.partial`` of a function of TensorFlow,
    JAX, Flax or NumPy. `NotExactError` where there is none, with the reason, and with the nearest one as ``.nearest``.
    For NaN, half precision and long sums see `caveats`. What is equal in Keras depends on its engine, which is the one
    that it has chosen if it is loaded, and otherwise the one that it would choose (see `poolkit.running.keras_engine`).

    >>> from poolkit import GlobalAvgPool
    >>> str(native_call(GlobalAvgPool(layout="NHWC", keepdims=True), "keras"))
    'keras.layers.GlobalAveragePooling2D(keepdims=True)'
    """
    return native_call(spec, backend).make()


def native_call(spec: Operation, backend: str) -> Call:
    """The call that makes `native`'s layer; its framework need not be installed.

    >>> from poolkit import MaxPool
    >>> str(native_call(MaxPool(3, 2, 1, layout="NCHW"), "torch"))
    'torch.nn.MaxPool2d(3, 2, padding=1)'
    """
    as_spec(spec, "native takes (spec, backend)")
    write = table.dialect(backend).native
    try:
        if write is None:
            raise NotExactError(f"poolkit writes no calls of {backend}")
        if not isinstance(spec, PoolSpec):
            return _other(spec, table.dialect(backend))
        made = write(normal(spec))
        for caveat in caveats(spec, backend):
            if caveat.unequal and caveat.engine == engine():
                raise not_equal(str(caveat), made)
        return made
    except NotExactError as error:
        raise _explained(spec, backend, error) from None


def _other(spec: Operation, known: Dialect) -> Call:
    if spec.poolings():
        raise NotExactError("it is a composite of several pools, and a framework's own layers are one")
    if known.others is None:
        raise NotExactError(f"none of its pools takes {' and '.join(spec.needs)} besides")
    return known.others(spec)


def _explained(spec: Operation, backend: str, error: NotExactError) -> NotExactError:
    nearest = f"the nearest is {error.nearest}, which differs; " if error.nearest is not None else ""
    explained = NotExactError(
        f"received {spec}, and {backend} has no layer of its own that is equal: {error}; "
        f'{nearest}use pk.layer(spec, "{backend}")'
    )
    explained.nearest, explained.reason = error.nearest, str(error)
    return explained


@explained
def caveats(spec: Operation, backend: str) -> tuple[Caveat, ...]:
    """Where `native`'s layer for a spec still gives other numbers than the definition, each with a measured example.

    >>> from poolkit import AvgPool
    >>> [caveat.engine for caveat in caveats(AvgPool(2, layout="NCL"), "numpy")]
    []
    """
    as_spec(spec, "caveats takes (spec, backend)")
    plain = normal(spec) if isinstance(spec, PoolSpec) else spec
    alike = [c for c in table.dialect(backend).caveats if isinstance(spec, type(c.measured.spec))]
    return tuple(caveat for caveat in alike if caveat.concerns(plain))
