"""How the conformance suite works with TensorFlow's tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import tensorflow as tf

from poolkit_conformance.case import Case
from poolkit_conformance.harness import HANDFUL, OPERATIONS, Function, Harness, Tensor, Which, shared

LITE = (  # of which LiteRT's operators are found with care
    "std_of_k3x2*",
    "min_mask_tokens",  # within a tf.cond
    "causal_dilated_maximum",  # of unknown sizes with marks, which are bool
    "lp_mask_p_1",
    "stochastic_of_1_to_4",
    "median_mask_k3_s2_same",
)


class TensorFlowHarness(Harness):
    """TensorFlow compiles in two ways: a graph that its optimiser rewrites, and the same through XLA."""

    backend = "tensorflow"
    # LiteRT has no arithmetic of float64, and no maxima of the others, which it does not compare.
    lacks: ClassVar[Mapping[str, frozenset[str]]] = {
        "exported:lite*": frozenset({"float64", "float16", "bfloat16", "int8", "uint8"})
    }
    modes: ClassVar[Mapping[str, Which]] = {
        **dict.fromkeys(("eager", "gradient", "routes"), "every"),
        **dict.fromkeys(("direct", "route_gradients", "standalone"), "few"),
        **dict.fromkeys(("standalone_any_size", "second_gradient", "dynamic"), "few"),
        **shared("routes_inside:graph", "dynamic_gradient", "forward"),
        **dict.fromkeys(("compiled:graph", "compiled_gradient:graph", "compiled:xla"), "few"),
        **dict.fromkeys(("routes_inside:xla", "vmap", "layer"), HANDFUL),
        "exported:saved any": (*HANDFUL, *OPERATIONS),
        **dict.fromkeys(("exported:lite", "exported:lite any"), (*HANDFUL, *OPERATIONS, *LITE)),
        "exported:saved batch": HANDFUL,
        "exported:lite batch": (*HANDFUL, "blur_k3_s2_same", "lp_global"),
        "compiled_gradient:xla": (*HANDFUL, "avg_512x512_around_100", "avg_64x64_of_100_bfloat16"),
    }

    def owns(self, t: Any) -> bool:
        return isinstance(t, tf.Tensor)

    def compiled(self, function: Function, how: str) -> Function:
        made: Function = tf.function(function, jit_compile=how == "xla")
        return made

    def dynamic(self, function: Function, *tensors: Tensor, case: Case | None = None) -> Function:
        unknown = [tf.TensorSpec([None] * t.shape.rank, t.dtype) for t in tensors]
        made: Function = tf.function(function, input_signature=unknown)
        return made

    def jvp(self, function: Function, x: Tensor, tangent: Tensor) -> Tensor:
        with tf.autodiff.ForwardAccumulator(x, tangent) as accumulator:
            y = function(x)
        return accumulator.jvp(y)

    def second(self, function: Function, x: Tensor, cotangent: Tensor, tangent: Tensor) -> tuple[Tensor, Tensor]:
        with tf.GradientTape() as outer:
            outer.watch((x, cotangent))
            first = self.vjp(function, x, cotangent)
        by_x, by_g = outer.gradient(first, (x, cotangent), tangent, tf.UnconnectedGradients.ZERO)
        return by_x, by_g

    def vmap(self, function: Function) -> Function:
        return lambda *both: tf.vectorized_map(lambda each: function(*each), both)


HARNESS = TensorFlowHarness()
