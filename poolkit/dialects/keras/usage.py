"""How programs use Keras, besides calling its pools."""

from __future__ import annotations

import re

from poolkit.dialects.calls import Call
from poolkit.dialects.reductions import reduction
from poolkit.dialects.usage import Spelling, Usage


def _zeros(padding: tuple[tuple[int, int], ...], first: bool) -> Call | None:
    n = len(padding)
    return None if first or n == 1 else Call(f"keras.layers.ZeroPadding{n}D", (padding,))


USAGE = Usage(
    shorts={"layers": "keras.layers", "ops": "keras.ops", "K": "keras.backend", "tf": "tensorflow"},
    inside=(
        "tensorflow.compat.v1.keras.",
        "tensorflow.compat.v2.keras.",
        "tensorflow.python.keras.",
        "tensorflow.keras.",
    ),
    places=("layers", "ops", "backend"),
    public=("tensorflow.keras.layers", "tf_keras.layers"),
    spelling=Spelling(
        "keras.layers",
        re.compile(r"(Global)?(Max|Average|Avg)Pool(ing)?[123]D"),
        ("layers", "keras", "KL", "kl", "L", "nn"),
    ),
    axes={
        0: "Softmax Concatenate BatchNormalization LayerNormalization UnitNormalization Normalization",
        1: "concatenate stack expand_dims squeeze softmax log_softmax mean sum std var max min amax amin argmax "
        "argmin median average prod logsumexp cumsum cumprod all any count_nonzero flip reverse sort argsort "
        "moments normalize l2_normalize",
        2: "split array_split unstack roll norm repeat repeat_elements take take_along_axis quantile diff",
    },
    around=("keras_contrib", "keras_cv", "keras_hub", "keras_nlp"),
    steps={f"keras.layers.{name}": name.lower() for name in ("Reshape", "Flatten", "Lambda")},
    none={"stride": "window"},
    tuples=True,
    same_or_valid=("keras.layers.",),
    counted=lambda spec: reduction(spec, f"keras.ops.{'mean' if spec.kind == 'avg' else spec.kind}"),
    zeros=_zeros,
    chain=lambda before, after: Call("keras.Sequential", ([before, after],)),
    named_layers=True,
    tensors={"tf_keras": "tensorflow"},
    unsaid_axes={
        ("axis", -1): "keras.layers.Concatenate keras.layers.concatenate keras.backend.concatenate "
        "keras.layers.Softmax keras.layers.LayerNormalization keras.ops.softmax keras.ops.log_softmax keras.ops.sort "
        "keras.ops.argsort keras.ops.diff keras.backend.softmax keras.backend.argmax keras.backend.argmin "
        "keras.activations.softmax keras.activations.log_softmax"
    },
    resizes="keras.ops.image.resize",
)
