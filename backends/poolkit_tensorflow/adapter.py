"""What poolkit has to know about TensorFlow's tensors."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Hashable
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import record  # no public call tells of tapes

from poolkit.errors import InputError
from poolkit.lowering.backend import Adapter, Situation
from poolkit.lowering.plan import AnyPlan
from poolkit.lowering.products import STAGES
from poolkit.lowering.routes.by_convolution import channelwise, square
from poolkit.lowering.routes.by_name import convolution
from poolkit_tensorflow import routes_fold, routes_max, routes_max_global, routes_sum
from poolkit_tensorflow.layers import Pool
from poolkit_tensorflow.ops import Ops
from poolkit_tensorflow.routes_facts import Eager, Traced, compiling

# On a CPU TensorFlow has no gradient of a dilated convolution.
CONVOLUTIONS = convolution(lambda plan, situation: all(a.dilation == 1 for a in plan.axes)), channelwise(square)


def vectorizing() -> bool:
    """Whether tf.vectorized_map traces what it maps, and cannot take a gradient through a branch."""
    return "loop_body" in tf.compat.v1.get_default_graph().get_name_scope()


class Traces:
    """A `tf.function` for eager calls, whose traces are kept by shape: its own search takes 50 to 180 us more."""

    def __init__(self, function: Any) -> None:
        @functools.lru_cache(maxsize=64)
        def trace(shape: tuple[int, ...], dtype: Any) -> Any:
            return function.get_concrete_function(tf.TensorSpec(shape, dtype))

        self.trace = trace

    def __call__(self, x: Any) -> Any:
        return self.trace(tuple(x.shape), x.dtype)(tf.convert_to_tensor(x))


class TensorFlowAdapter(Adapter):
    """TensorFlow: sizes may be None in a `tf.function`, which does not tell whether a derivative is taken.

    An eager call tells: without a tape or a ForwardAccumulator on this thread none can be.
    """

    name = "tensorflow"
    takes = "a dense tf.Tensor; convert it with x.to_tensor() (ragged) or tf.sparse.to_dense(x) (sparse)"
    ops = Ops
    layers = Pool
    silent = True
    routes = (*routes_sum.ROUTES, *routes_max_global.ROUTES, *routes_max.ROUTES, *routes_fold.ROUTES, *CONVOLUTIONS)

    def dense(self, x: object) -> bool:
        return isinstance(x, tf.Tensor | tf.Variable)

    def rank(self, x: Any, letters: int) -> tuple[Any, int]:
        if x.shape.rank is not None:
            return x, x.shape.rank
        if not letters:
            raise InputError(
                "received a tensor of unknown rank with a layout that does not tell it; "
                'give a layout such as "NHWC", or set the rank with tf.ensure_shape'
            )
        return tf.ensure_shape(x, [None] * letters), letters

    def known_size(self, x: Any, at: int) -> int | None:
        n: Any = x.shape[at]
        return None if n is None else int(n)

    def situation(self, x: Any) -> Situation:
        shape: list[Any] = x.shape.as_list() if x.shape.rank is not None else [None]
        if tf.executing_eagerly():
            numbers = math.prod(shape)
            return Situation(derivative=record.could_possibly_record(), empty=numbers == 0, format=Eager(numbers))
        unknown = frozenset([at for at, n in enumerate(shape) if at > 0 and n is None])
        traced = Traced(open=unknown, xla=compiling(), loop=vectorizing())
        return Situation(tracing=True, empty=0 in shape, format=traced)

    def wide(self, situation: Situation) -> bool:
        return isinstance(situation.format, Eager)  # a graph may be run where there is no float64

    def branches(self, plan: Any, situation: Situation) -> bool:
        how: Any = situation.format  # XLA makes loops of the fold
        return isinstance(how, Eager) or not (how is None or how.xla or how.loop)

    def multiplies(self, situation: Situation) -> str:
        """Eager and where there is no GPU, whose products of matrices may be rounded to 11 bits."""
        here = isinstance(situation.format, Eager) and not tf.config.get_visible_devices("GPU")
        return STAGES if here else ""

    def key(self, x: Any, spec: Any) -> Hashable:
        if not isinstance(x, tf.Tensor | tf.Variable):
            return None  # ragged or sparse; `check` says so
        shape: Any = x.shape
        if shape.rank is None:
            return None
        sizes = tuple(shape.as_list())
        if None in sizes:
            return None
        if tf.executing_eagerly():
            return spec, sizes, x.dtype, "tape" if record.could_possibly_record() else "eager"
        return spec, sizes, x.dtype, compiling(), vectorizing()

    def from_numpy(self, array: Any) -> Any:
        return tf.constant(array)

    def gradient(self, run: Callable[[Any], Any], x: Any, cotangent: Any = None) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = run(x)
        return tape.gradient(y[0] if isinstance(y, tuple) else y, x, cotangent)

    def to_numpy(self, t: Any) -> Any:
        return t.numpy()

    def finish(self, function: Callable[..., Any], plan: AnyPlan | None = None) -> Callable[..., Any]:
        return Traces(function) if hasattr(function, "get_concrete_function") else function


ADAPTER = TensorFlowAdapter()
