"""Mutated calls, configs, nodes, modules and patterns: `read` gives a spec or a PoolkitError, never another error.

Some of those that are read are also called: where the framework gives a result, the spec gives the same one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
import torch

import poolkit as pk
from poolkit.dialects.calls import Call, Name
from poolkit.dialects.reading import Reading
from poolkit.spec.operation import Operation
from poolkit.spec.values import is_many
from tests.conftest import Fuzz
from tests.helpers import mutated
from tests.helpers.vision import timm, torchvision

Array = np.ndarray[Any, Any]

# Warnings are about values that nobody writes, and errors here.
pytestmark = pytest.mark.filterwarnings("ignore")

WORDS = mutated.words()
KERAS = [name for name, _ in WORDS if name.startswith("keras.layers.")]
NODES = [name for name, _ in WORDS if name.startswith("onnx.")]
nn, FAST = torch.nn, timm.layers.adaptive_avgmax_pool
MODULES: tuple[Callable[[], Any], ...] = (
    *(lambda: nn.MaxPool2d(2), lambda: nn.AvgPool1d(3, 2), lambda: nn.AvgPool3d(2), lambda: nn.AdaptiveMaxPool1d(3)),
    *(lambda: nn.FractionalMaxPool2d(2, output_ratio=0.5), lambda: nn.MaxUnpool2d(2, 3, 1)),
    lambda: torchvision.ops.RoIAlign(7, 0.5, 2),
    *(lambda: nn.AdaptiveAvgPool2d(1), lambda: nn.Upsample(3, mode="area"), lambda: nn.MaxPool3d(2, padding=1)),
    lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    lambda: FAST.SelectAdaptivePool2d(pool_type="fast", flatten=True),
    lambda: timm.layers.pool2d_same.AvgPool2dSame(2, 2),
    lambda: FAST.AdaptiveAvgMaxPool2d(),
)


def drawn(rng: random.Random) -> tuple[str, Any, tuple[Any, ...], dict[str, Any]]:
    """What is read, and what stands beside it."""
    layout = rng.choice((None, None, None, "NCHW", "NHWC", "channels_last", "NLC", "x", "...HWC", 3))
    kind = rng.choice(("call", "call", "source", "config", "node", "module", "pattern"))
    if kind == "config":
        return kind, mutated.config(rng, KERAS), (layout,), {}
    if kind == "node":
        return kind, mutated.node(rng, onnx.helper.make_node, NODES), (layout,), {}
    if kind == "module":
        return kind, mutated.changed(rng, rng.choice(MODULES)()), (layout,), {}
    if kind == "pattern":
        more = {"k": rng.choice((2, None, "2", -1, 2.5, mutated.X))} if rng.random() < 0.3 else {}
        return kind, mutated.pattern(rng), (rng.choice(("mean", "max", "sum", None, 3, ["max"])),), more
    call = mutated.call(rng, *rng.choice(WORDS))
    return kind, call if kind == "call" else str(call), (layout,), {}


def test_mutated(fuzz: Fuzz) -> None:
    for rng in fuzz:
        kind, given, beside, more = drawn(rng)
        fuzz.count(f"{kind}s {read_or_refused(given, beside, more)}")


def read_or_refused(given: Any, beside: tuple[Any, ...], more: dict[str, Any]) -> str:
    try:
        spec = pk.read(given, *beside, **more)
    except pk.PoolkitError as error:
        message = str(error)
    else:
        assert isinstance(spec, Operation)
        return "read"
    assert 0 < len(message) <= 2000
    return "refused"


# --------------------------------------------------------------------------------------- against the framework itself

TENSORS: dict[str, Callable[[Array], Any]] = {
    "torch": torch.tensor,
    "tensorflow": tf.constant,
    "keras": keras.ops.convert_to_tensor,
    "jax": jnp.asarray,
    "numpy": np.asarray,
    "einops": np.asarray,
}
OTHERS = {"timm": "torch", "equinox": "jax", "flax": "jax", "haiku": "jax"}
ENDS = ("AdaptiveMaxPooling", "adaptive_max_pool")  # of one bin end the process on TensorFlow's engine


def test_what_is_read_is_what_the_framework_gives(fuzz: Fuzz) -> None:
    words = [(name, word) for name, word in WORDS if not name.startswith("onnx.")]
    for rng in fuzz:
        name, word = rng.choice(words)
        call = mutated.call(rng, name, word, odd=(0, 0, 0, 0, 1))
        try:
            spec = pk.read(call)
        except pk.PoolkitError:
            fuzz.count("refused")
            continue
        fuzz.count(compared(call, word.tensor, spec, numbers(rng, spec)) if runs(call, word.tensor) else "not run")


def runs(call: Call, tensor: str | None) -> bool:
    """Whether a call is of literals, of sizes that memory holds, and does not end the process."""
    ends = call.name.startswith("keras.") and any(name in call.name for name in ENDS)
    fed = tensor is None or call.args[:1] == (mutated.X,)
    if call.name.startswith("torchvision."):
        return False  # whose operators do not load here
    return fed and not ends and "00000000" not in str(call) and not call.name.startswith("haiku.M")


def numbers(rng: random.Random, spec: Reading) -> Array:
    """Small integers, of which sums are exact, in sizes that differ."""
    letters = {"channels_first": "NCHW", "channels_last": "NHWC"}.get(spec.layout, spec.layout.replace("...", "NU"))
    sizes = [2 if c in "NU" else 3 if c == "C" else rng.randrange(5, 9) for c in letters]
    return np.random.default_rng(rng.randrange(2**32)).integers(-8, 9, sizes).astype("float32")


def compared(call: Call, tensor: str | None, spec: Reading, x: Array) -> str:
    """How a call and its spec end; an AssertionError where both give a result, and not the same one."""
    root = call.name.removeprefix("einops.layers.").partition(".")[0]
    tensors = further(spec, x)
    try:
        theirs = called(with_further(call, tensors), tensor, TENSORS[OTHERS.get(root, root)](x), tensors)
    except Exception:  # whatever the framework raises
        return "refused by the framework"
    if call.name.endswith("max_pool_with_argmax"):  # whose places are counted over channels, too
        theirs = (theirs[0], pk.indices_from(np.asarray(theirs[1]), "tensorflow", x.shape, "NHWC"))
    try:
        ours = pk.pool(x, spec, **tensors)
    except pk.ShapeError:
        return "refused for these sizes"
    for own, other in zip(parts(ours), parts(theirs), strict=True):
        message = f"{call} of {x.shape} is read as {spec}"
        np.testing.assert_allclose(own, np.asarray(other), rtol=1e-5, atol=1e-5, err_msg=message)
    return "equal"


def parts(result: Any) -> Sequence[Any]:
    return result if is_many(result) else (result,)


def further(spec: Reading, x: Array) -> dict[str, Array]:
    """What a spec takes besides: places, each once, so that it says nothing in which order they are put; samples."""
    rng = np.random.default_rng(0)
    if isinstance(spec, pk.Unpool):
        cells = int(np.prod(x.shape[2:]))
        places = [rng.permutation(cells) for _ in range(x.shape[0] * x.shape[1])]
        return {"indices": np.reshape(places, x.shape)}
    if isinstance(spec, pk.PoolSpec) and "samples" in spec.takes:
        return {"samples": rng.random((*x.shape[:2], len(spec.axes or "")), "float32")}
    return {}


def with_further(call: Call, tensors: dict[str, Array]) -> Call:
    """A call of torch with these in the place of what was drawn for them."""
    name = "_random_samples" if "samples" in tensors else "indices"
    word = dict(WORDS)[call.name]
    if not tensors or name not in word.parameters():
        return call
    named = dict(word.named(call).kwargs) | {name: torch.tensor(next(iter(tensors.values())))}
    return Call(call.name, call.args[:1] if word.tensor is not None else (), tuple(named.items()))


def called(call: Call, tensor: str | None, x: Any, tensors: dict[str, Array]) -> Any:
    """What a framework's own call gives of a tensor."""
    given = tuple(value for value in call.args if value is not mutated.X)
    made = Call("functools.partial", (Name(call.name), *given), call.kwargs).make()
    rest = [torch.tensor(t) for name, t in tensors.items() if name == "indices"]
    return made()(x, *rest) if tensor is None else made.func(x, *made.args, **made.keywords)
