"""How programs use TensorFlow, besides calling its pools."""

from __future__ import annotations

from poolkit.dialects.usage import Usage

USAGE = Usage(
    shorts={"tf": "tensorflow"},
    imports={"tensorflow": ("tf", "import tensorflow as tf")},
    places=("nn", "layers", "contrib", "slim", "tf_slim"),
    unsaid=("tensorflow.image.crop_and_resize",),
    axes={
        1: "concat stack expand_dims softmax log_softmax reduce_mean reduce_max reduce_min reduce_sum reduce_prod "
        "reduce_std reduce_variance reduce_logsumexp reduce_any reduce_all reduce_euclidean_norm count_nonzero "
        "moments argmax argmin arg_max arg_min cumsum cumprod squeeze reverse sort argsort l2_normalize",
        2: "split unstack roll norm repeat",
        3: "gather",
    },
    unsaid_axes={
        ("axis", -1): "tensorflow.nn.softmax tensorflow.nn.log_softmax tensorflow.math.softmax "
        "tensorflow.math.log_softmax tensorflow.sort tensorflow.argsort tensorflow.compat.v1.nn.softmax "
        "tensorflow.compat.v1.nn.log_softmax"
    },
    public=("tensorflow.compat.v1", "tensorflow.compat.v1.math", "tensorflow.math"),
    around=("slim", "tensorflow_addons", "tensorlayer", "tflearn", "tensorpack", "sonnet"),
    listed=("tensorflow.nn.", "tensorflow.compat.v1.nn."),
    same_or_valid=("tensorflow.layers.", "tensorflow.nn.", "tensorflow.compat.v1.nn.", "tensorflow.contrib.layers."),
    tuples=True,
    named_layers=True,
    resizes="tf.image.resize",
)
