"""Poolings with weights as a Keras layer, which holds them by name."""

from __future__ import annotations

from typing import Any

import keras

from poolkit.running.learned import weights_of
from poolkit.spec.operation import Operation
from poolkit.spec.signatures import explained_class
from poolkit_keras.layers import Pool


@keras.saving.register_keras_serializable(package="poolkit")
@explained_class
class Learned(Pool):
    """A layer that pools by a `poolkit.Learned`.

    >>> from poolkit import GeM, LearnedOption
    >>> [w.name for w in Learned(LearnedOption(GeM(layout="NHWC", keepdims=False))).weights]
    ['p']
    """

    def __init__(self, spec: Operation, *, route: str | None = None, **options: Any) -> None:
        super().__init__(spec, route=route, **options)
        for name, p in weights_of(spec).items():
            start = keras.initializers.RandomUniform(p.start - p.spread, p.start + p.spread)
            self.add_weight(p.shape, start, name=name)

    def call(self, inputs: Any, mask: Any = None, weight: Any = None, **tensors: Any) -> Any:
        held = {w.name: keras.ops.convert_to_tensor(w.value) for w in self.weights}
        return super().call(inputs, mask, weight, **held, **tensors)
