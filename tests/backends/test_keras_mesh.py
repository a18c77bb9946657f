"""Keras's distribution of a model over devices, which it has for JAX, does not change what pools give."""

from __future__ import annotations

import json

import numpy as np

from tests.helpers.support import python

CODE = """
import json
import keras
import numpy as np
import poolkit as pk

NHWC = {"layout": "NHWC"}
pools = (pk.MaxPool(3, 2, "same", **NHWC), pk.AvgPool(3, 1, "same", **NHWC), pk.AdaptiveAvgPool(3, **NHWC),
         pk.GeM(keepdims=False, **NHWC))
random = np.random.default_rng(0)
x, targets = random.random((16, 16, 16, 8), "float32"), random.random((16, 4), "float32")

def predictions(distribution):
    keras.distribution.set_distribution(distribution)
    weights = {"kernel_initializer": keras.initializers.GlorotUniform(seed=0)}
    model = keras.Sequential([keras.layers.Conv2D(8, 1, **weights)])
    for spec in pools:
        model.add(spec.layer("keras"))
    model.add(keras.layers.Dense(4, **weights))
    model.compile("sgd", "mse")
    model.fit(x, targets, batch_size=8, verbose=0, shuffle=False)
    return model.predict(x, verbose=0).tolist()

layouts = keras.distribution.LayoutMap(keras.distribution.DeviceMesh((4, 2), ["batch", "model"]))
layouts["conv2d.*kernel"] = (None, None, None, "model")
both = keras.distribution.ModelParallel(layout_map=layouts, batch_dim_name="batch")
found = [predictions(how) for how in (None, keras.distribution.DataParallel(), both)]
print(json.dumps([keras.backend.backend(), len(keras.distribution.list_devices()), *found]))
"""


def test_a_model_that_is_distributed_learns_the_same() -> None:
    eight = "--xla_force_host_platform_device_count=8"
    engine, devices, *found = json.loads(python(CODE, KERAS_BACKEND="jax", XLA_FLAGS=eight).splitlines()[-1])
    alone, data, both = map(np.asarray, found)

    assert (engine, devices, alone.shape) == ("jax", 8, (16, 4))
    np.testing.assert_allclose(data, alone, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(both, alone, rtol=1e-5, atol=1e-5)
