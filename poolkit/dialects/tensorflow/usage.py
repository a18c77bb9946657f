"""How programs use TensorFlow, besides calling its pools."""

from __future__ import annotations

from poolkit.dialects.usage import Usage

USAGE = Usage(
    shorts={"tf": "tensorflow"},
    imports={"tensorflow": ("tf", "import tensorflow as tf")},
    places=("nn", "layers", "contrib", "slim", "tf_slim"),
    unsaid=("tensorflow.image.crop_and_resize",),
    public=("tensorflow.compat.v1", "tensorflow.compat.v1.math", "tensorflow.math"),
    around=("slim", "tensorflow_addons", "tensorlayer", "tflearn", "tensorpack", "sonnet"),
    listed=("tensorflow.nn.", "tensorflow.compat.v1.nn."),
    same_or_valid=("tensorflow.layers.", "tensorflow.nn.", "tensorflow.compat.v1.nn.", "tensorflow.contrib.layers."),
    tuples=True,
    named_layers=True,
    resizes="tf.image.resize",
)
