"""TensorFlow's primitives."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tensorflow

from poolkit.lowering.derived import Branch, Sizes
from poolkit.lowering.operators import Functions, Operators
from poolkit.lowering.primitives import Tensor
from poolkit_tensorflow.routes_facts import compiling, constant, size


class Ops(Functions, Operators):
    """The primitives of `poolkit.lowering.primitives.Ops` in TensorFlow."""

    imports: ClassVar[dict[str, str]] = {"tf": "import tensorflow as tf"}
    tf: Any = tensorflow
    module = "tf"
    slices_by_size = calls_are_dear = True  # an eager call takes 20 to 60 us
    spelled: ClassVar[dict[str, str]] = {
        "concatenate": "concat",
        "isnan": "math.is_nan",
        "log": "math.log",
        **{name: f"reduce_{name}" for name in ("max", "min", "any", "sum")},
    }

    def __init__(self, rank: int, dtype: str) -> None:
        super().__init__(rank, dtype)
        self.pairwise_sums = dtype == "float64"  # which has no wider type to accumulate in
        self.fused = compiling()
        self.puts = self.drops = tensorflow.executing_eagerly()  # LiteRT does not scatter so

    def reduced(self, name: str, x: Tensor, ats: int | tuple[int, ...], **more: Any) -> Tensor:
        one = ats[0] if isinstance(ats, tuple) and len(ats) == 1 else ats  # a tuple takes 55 us more of an eager call
        return self.function(name)(x, one, keepdims=True, **more)

    @property
    def bits(self) -> Any:
        return self.tf.bitwise

    def rows(self, x: Tensor, parts: tuple[int, ...], at: int | None = None) -> Tensor:
        return self.tf.reshape(x, constant(self, [-1, *parts, *([] if at is None else [size(self, x, at)])]))

    def size(self, x: Tensor, at: int) -> Any:
        return self.tf.shape(x)[at]

    def pad(self, x: Tensor, at: int, low: Any, high: Any, value: float) -> Tensor:
        widths = [(low, high) if i == at else (0, 0) for i in range(self.rank)]
        return self.tf.pad(x, widths, constant_values=self.tf.constant(value, x.dtype))

    def slice(self, x: Tensor, at: int, start: Any, stop: Any, step: int) -> Tensor:
        """What is left of an axis by a split, where no compiler makes loops of the calls; eagerly few cells by Slice.

        The gradient of a strided slice, a shorter text, fills a map of 64x64x32 in 2.6 ms, that of a split in 0.5; in
        eager calls its Python takes 4 times as long. In XLA Slice has no second gradient. LiteRT splits no bools.
        """
        marks = isinstance(x, tensorflow.Tensor) and x.dtype == tensorflow.bool
        counted = not (self.fused or marks) and step == 1 and type(start) is int and isinstance(stop, int | None)
        if counted and start >= 0 and (start > 0 if stop is None else stop < 0):
            rest = [n for n in (start, -1, -(stop or 0)) if n]
            ends = self.tf.constant(rest)
            return self.tf.raw_ops.SplitV(value=x, size_splits=ends, axis=at, num_split=len(rest))[int(start > 0)]
        if not (counted and self.puts):
            return super().slice(x, at, start, stop, step)
        begin, sizes = [0] * self.rank, [-1] * self.rank
        begin[at] = start if start >= 0 else size(self, x, at) + start
        sizes[at] = -1 if stop is None else stop - start
        return self.tf.raw_ops.Slice(input=x, begin=self.tf.constant(begin), size=self.tf.constant(sizes))

    def broadcast(self, x: Tensor, like: Tensor) -> Tensor:
        return self.tf.broadcast_to(x, self.tf.shape(like))

    def where(self, condition: Tensor, a: Any, b: Any) -> Tensor:
        if isinstance(a, int | float):
            a = self.tf.constant(a, b.dtype)
        elif isinstance(b, int | float):
            b = self.tf.constant(b, a.dtype)
        return self.tf.where(condition, a, b)

    def between(self, x: Tensor, low: float, high: float) -> Any:
        if -low == high == math.inf:  # one call of 10 us, where two extremes and what compares them take 250
            squares = self.tf.raw_ops.L2Loss(t=x)
            return squares.numpy() < math.inf if self.puts else self.tf.math.is_finite(squares)
        return super().between(x, low, high)

    def clip(self, x: Tensor, low: float, high: float) -> Tensor:
        if high == math.inf:  # one call, where clip_by_value makes two, each a pass
            return self.tf.maximum(x, low)
        return self.tf.clip_by_value(x, low, high)

    def take(self, x: Tensor, places: Tensor, at: int) -> Tensor:
        return self.tf.gather(x, places, axis=at)

    def take_along(self, x: Tensor, places: Tensor, at: int) -> Tensor:
        return self.tf.experimental.numpy.take_along_axis(x, places, at)

    def scattered(self, x: Tensor, places: Tensor, n: Any) -> Tensor:
        return self.tf.tensor_scatter_nd_update(self.tf.zeros((n,), x.dtype), places[:, None], x)

    def segment(self, x: Tensor, ids: Tensor, n: int, how: str, or_zero: bool = False) -> Tensor:
        wide = self.tf.cast(x, "float64") if how == "sum" and self.exact else x
        return self.tf.cast(getattr(self.tf.math, f"unsorted_segment_{how}")(wide, ids, n), x.dtype)

    def beside(self, x: Tensor, widths: tuple[tuple[int, int], tuple[int, int]], mirrored: bool) -> Tensor:
        if mirrored:
            return self.tf.pad(x, ((0, 0), *widths, (0, 0)), "REFLECT")
        for at, (low, high) in enumerate(widths, 1):
            x = self.edged(x, at, low, high)
        return x

    def weigh(self, x: Tensor, kernel: Tensor, stride: tuple[int, int], dilation: tuple[int, int]) -> Tensor:
        each = self.tf.repeat(kernel[..., None, None], self.size(x, 3), 2)
        return self.tf.nn.depthwise_conv2d(x, each, (1, *stride, 1), "VALID")

    def convolve(self, x: Tensor, window: Sizes, stride: Sizes, dilation: Sizes) -> Tensor:
        ones = self.tf.ones((*window, 1, 1), x.dtype)
        # Of three axes an eager gradient fails where the format is left out.
        form = ("NWC", "NHWC", "NDHWC")[len(window) - 1]
        return self.tf.nn.convolution(x[..., None], ones, stride, "VALID", form, dilation)[..., 0]

    def order(self, x: Tensor, at: int) -> Tensor:
        return self.tf.argsort(x, at)

    def running_sum(self, x: Tensor, at: int) -> Tensor:
        return self.tf.cumsum(x, at)

    def integer_sum(self, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        return self.reduced("sum", x, ats)

    def sum(self, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        # reduce_sum in float32 is 37 eps off at 512x512 (NHWC), and 15,261 at 1024x1024 under jit_compile.
        if self.dtype == "float64":
            for at in ats:
                x = self._shortened(x, at)
            return self.reduced("sum", x, ats)
        wide = self.reduced("sum", self.tf.cast(x, "float64"), ats)
        return self.tf.cast(wide, x.dtype)

    def own_sum(self, x: Tensor, ats: tuple[int, ...], few: bool = False) -> Tensor:
        # In float32, for LiteRT has no float64.
        return self.sum(x, ats) if self.dtype == "float64" and not few else self.running(x, ats)

    def _shortened(self, x: Tensor, at: int) -> Tensor:
        """Eighths of an axis added in pairs, three times over: a running sum is left 2 cells of 1024.

        For float64 axes of unknown length: a constant 112x112 is 380 eps off in one running sum.
        """
        for _ in range(3):
            p = self.tf.split(self.pad(x, at, 0, -self.tf.shape(x)[at] % 8, 0), 8, at)
            x = ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]))
        return x

    def count(self, chosen: Tensor, at: int, dtype: str) -> Tensor:
        return self.tf.math.count_nonzero(chosen, at, keepdims=True, dtype=dtype)

    def pick(self, chosen: Tensor, x: Tensor, at: int) -> Tensor:
        return self.tf.reduce_sum(self.where(chosen, x, 0), at, keepdims=True)

    def iota(self, x: Tensor, at: int) -> Tensor:
        return self.tf.reshape(self.tf.range(self.tf.shape(x)[at]), self.along(at))

    def line(self, values: tuple[int, ...], at: int, dtype: str, like: Tensor) -> Tensor:
        return self.tf.reshape(self.tf.constant(values, dtype), self.along(at))

    def branch(self, right: Any, near: Branch, far: Branch, x: Tensor) -> Tensor:
        return self.tf.cond(right, lambda: near(x), lambda: far(x))

    def copy(self, x: Tensor) -> Tensor:
        return self.tf.identity(x)  # tensors cannot be changed, a tf.Variable can
