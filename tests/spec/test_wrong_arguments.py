"""Wrong arguments of every public function: each is a PoolkitError that says what was received and what to write."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import poolkit as pk
from poolkit.spec.messages import shown
from poolkit.tools.cost import cost

SPEC = pk.MaxPool(2, layout="NCL")
HUGE = 10**5000


class Silent:
    """Somebody else's object, whose every method raises."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    __hash__ = __eq__ = __len__ = __str__ = __bool__ = __repr__  # type: ignore[assignment]


def call(name: str, *args: Any, **named: Any) -> Callable[[], Any]:
    return lambda: getattr(pk, name)(*args, **named)


# What is no spec, wherever one is taken.
NO_SPEC = [3, None, "max", np.zeros(3), Silent(), {"kind": "max"}]
TAKERS: dict[str, Callable[[Any], Any]] = {
    "lower": lambda s: pk.lower(s, "numpy"),
    "lower to a shape": lambda s: pk.lower(s, "numpy", (1, 1, 4)),
    "routes": lambda s: pk.routes(s, "numpy", (1, 1, 4)),
    "native": lambda s: pk.native(s, "numpy"),
    "caveats": lambda s: pk.caveats(s, "numpy"),
    "pool": lambda s: pk.pool(np.zeros((1, 1, 4)), s),
    "pool_direct": lambda s: pk.pool_direct(np.zeros((1, 1, 4)), s),
    **{f"layer {name}": lambda s, name=name: pk.layer(s, name) for name in pk.backends()},
}


@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.parametrize("spec", NO_SPEC, ids=shown)
def test_what_is_no_spec(taker: str, spec: Any) -> None:
    with pytest.raises(pk.InputError, match=r"received .* as the spec, and .* takes \(.*\) in this order; "):
        TAKERS[taker](spec)


NO_SHAPE = [
    4,
    None,
    "NCL",
    {1, 2},
    {1: 2},
    (1, 1, -4),
    (1, 1, 2.0),
    (1, True, 4),
    (1, 1, HUGE),
    (1, 1, [4]),
    Silent(),
    [1] * 99,
]
SHAPES: dict[str, Callable[[Any], Any]] = {
    "output_shape": SPEC.output_shape,
    "explain": SPEC.explain,
    "cost": SPEC.cost,
    "of a mix": lambda s: pk.Mix((SPEC, SPEC), how="add").output_shape(s),
    "explain a mix": lambda s: pk.Mix((SPEC, SPEC), how="add").explain(s),
    "lower": lambda s: pk.lower(SPEC, "numpy", 4 if s is None else s),
    "routes": lambda s: pk.routes(SPEC, "numpy", s),
    "diff": lambda s: pk.diff(SPEC, SPEC, 4 if s is None else s),
}


@pytest.mark.parametrize("taker", SHAPES)
@pytest.mark.parametrize("shape", NO_SHAPE, ids=shown)
def test_what_is_no_shape(taker: str, shape: Any) -> None:
    with pytest.raises(pk.ShapeError, match=r"^received the shape .*, and a shape holds ints"):
        SHAPES[taker](shape)


def test_sequences_of_sizes_are_shapes() -> None:
    for shape in ([1, 1, 4], torch.Size((1, 1, 4)), np.array([1, 1, 4]), (np.int64(1), 1, 4)):
        assert SPEC.output_shape(shape) == (1, 1, 2)
        assert pk.routes(SPEC, "numpy", shape) == pk.routes(SPEC, "numpy", (1, 1, 4))


MIX = {"version": 1, "how": "add", "parts": [SPEC.to_dict(), SPEC.to_dict()]}


def from_dict(**changes: Any) -> Callable[[], Any]:
    from poolkit.spec.operation import operation_from_dict

    return lambda: operation_from_dict(MIX | changes)


ROWS = [
    (call("Mix"), "no parts, and Mix needs it"),
    (call("Mix", (SPEC, SPEC)), "no how, and Mix needs it"),
    (call("Mix", (SPEC, SPEC), "add"), 'received "add" in place 2, and Mix takes only parts by position'),
    (call("Mix", (SPEC, SPEC), how="add", weights=(1, 2)), "weights=(1, 2), and Mix has no field weights"),
    (call("Mix", (SPEC, SPEC), how=["add"]), "how=['add']"),
    (call("Mix", SPEC, how="add"), "a mix has two PoolSpecs or more"),
    (call("Mix", (SPEC, SPEC), how="add", coefficients=3), "coefficients=3"),
    (from_dict(parts=3), "received 3, and a mix has two PoolSpecs or more"),
    (from_dict(parts=[3, 4]), "received 3, and a spec is read from a dictionary"),
    (from_dict(how=None), "how=None"),
    (from_dict(version=2), "version=2"),
    (from_dict(color="red"), 'the key "color"'),
    (lambda: pk.Mix((SPEC, SPEC), how="add").replace(parts=3), "a mix has two PoolSpecs"),
    (lambda: pk.read("pk.Mix(3)"), "no how, and Mix needs it"),
    (lambda: pk.read("pk.Mix()"), "no parts, and Mix needs it"),
    (call("lower", SPEC), "no backend, and lower needs it: it is the framework that is meant; write it behind"),
    (call("lower"), "no spec, and lower needs it"),
    (call("lower", SPEC, "numpy", shapes=(1, 2)), "shapes=(1, 2), and lower has no field shapes; write shape=(1, 2)"),
    (call("layer", SPEC), "no backend, and layer needs it"),
    (call("routes", SPEC, "numpy"), "no shape, and routes needs it"),
    (call("lower", SPEC, "numpy", dtype=3), 'received dtype=3, and a dtype is given by its name; write dtype="'),
    (call("lower", SPEC, "numpy", (1, 1, 4), route=np.zeros(2)), "and a route is given by its name"),
    (call("lower", SPEC, ["numpy"]), "received the backend ['numpy']"),
    (call("lower", SPEC, np.zeros(2)), "received the backend array([0., 0.])"),
    (call("native", SPEC, None), "received the backend None"),
    (call("routes", SPEC, "numpy", (1, 1, 4), derivative=3), "derivative=3, and derivative is True or False"),
    (call("diff", SPEC, SPEC, layout=3), "layout=3, and a layout is a text, or a pair of texts"),
    (call("diff", SPEC), "no b, and diff needs it"),
    (lambda: cost(SPEC, (1, 1, 4), "int8"), 'received dtype "int8", and a cost is counted for float16'),
    (call("MaxPool", HUGE, layout="NCL"), "window=an int of about 5001 digits, and window is at most 2147483647"),
    (call("MaxPool", 2, padding=-HUGE, layout="NCL"), "padding=an int of about 5001 digits"),
    (call("MaxPool", 2**31, layout="NCL"), "window=2147483648, and window is at most 2147483647"),
    (call("MaxPool", (1,) * 17, layout="channels_last"), "of which there are 16 at the most"),
    (call("MaxPool", Silent(), layout="NCL"), "window=a "),
    (call("MaxPool", 2, layout=Silent()), "layout=a "),
    (call("MaxPool", torch.zeros(1000, 1000), layout="NCL"), "window=a torch.Tensor of shape (1000, 1000)"),
    (call("AvgPool", 2, layout="NCL", divisor_override=HUGE), "divisor_override=an int of about 5001 digits"),
    (call("pool", np.dtype("f4"), SPEC), "received a Float32DType, and pooling takes a plain numpy.ndarray"),
    (call("pool", torch.nn.parameter.UninitializedParameter(), SPEC), "which has no shape yet"),
    (call("pool", torch.nn.parameter.UninitializedBuffer(), SPEC), "which has no shape yet"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "text"), ROWS, ids=[text for _, text in ROWS])
def test_message(make: Callable[[], Any], text: str) -> None:
    with pytest.raises(pk.PoolkitError) as caught:
        make()
    assert text in str(caught.value)
    assert len(str(caught.value)) <= 2000


@pytest.mark.parametrize("backend", pk.backends())
def test_options_of_layers(backend: str) -> None:
    for options in ({"frobnicate": 1}, {"route": 3}, {"kernel_size": 3}):
        with pytest.raises(pk.PoolkitError, match=next(iter(options))):
            pk.layer(SPEC, backend, **options)


def test_layers_of_their_own_names() -> None:
    # By name, for to a type checker every one of these calls is wrong.
    poolkit_jax, poolkit_keras, poolkit_tensorflow, poolkit_torch = (
        importlib.import_module(f"poolkit_{name}") for name in ("jax", "keras", "tensorflow", "torch")
    )
    rows: list[tuple[Callable[[], Any], str]] = [
        (lambda: poolkit_torch.MaxPool2d(), "no kernel_size, and MaxPool2d needs it"),
        (lambda: poolkit_torch.MaxPool2d(2, strides=2), "what others call strides is stride here; write stride=2"),
        (lambda: poolkit_torch.AvgPool1d(2, count_include_pad=torch.zeros(3)), "count_include_pad is True or False"),
        (lambda: poolkit_torch.Pool(3), "as the spec"),
        (lambda: poolkit_keras.MaxPooling2D(stride=2), "stride=2, and Keras says of the options"),
        (lambda: poolkit_keras.MaxPooling2D(name=3), "name=3, and the name of a layer is a text"),
        (lambda: poolkit_keras.MaxPooling2D(data_format=3), "data_format=3"),
        (lambda: poolkit_keras.Pool.from_config({}), "a spec is read from a dictionary"),
        (lambda: poolkit_keras.Pool.from_config(3), "the config 3"),
        (lambda: poolkit_tensorflow.Pool(SPEC, name="no name"), 'name="no name"'),
        (lambda: poolkit_jax.max_pool(np.zeros((1, 4, 1)), 2), "window_shape=2"),
        (lambda: poolkit_jax.MaxPool1d(2, layout=""), 'layout=""'),
    ]  # fmt: skip
    for make, text in rows:
        with pytest.raises(pk.PoolkitError) as caught:
            make()
        assert text in str(caught.value)


def test_a_message_is_bounded() -> None:
    assert len(str(pk.PoolkitError("x" * 3_000_000))) <= 2000
    assert shown("x" * 10**6).startswith('"xxx')
    assert len(shown([list(range(1000))] * 1000)) < 250
    assert shown("\x1b]0;title") == r'"\x1b]0;title"'
    assert shown(Silent()).startswith("a ")


@pytest.mark.parametrize("tensors", [np.array([]), np.array([1, 2]), bytearray(b"12"), 3, "mask", [], ()], ids=repr)
def test_descriptions_of_tensors_that_are_no_mapping(tensors: Any) -> None:
    spec = pk.AvgPool(2, layout="NCL")
    for call in (
        lambda: spec.cost((1, 2, 8), tensors),
        lambda: spec.explain((1, 2, 8), tensors),
        lambda: pk.lower(spec, "numpy", (1, 2, 8), tensors=tensors),
        lambda: pk.lower(spec, "numpy", tensors=tensors),
        lambda: pk.routes(spec, "numpy", (1, 2, 8), tensors=tensors),
    ):
        with pytest.raises(pk.InputError, match="are described in a mapping"):
            call()


NO_NUMBERS = ("i4,f4", "O", "U2", "c8", "M8[s]", "V3")


@pytest.mark.parametrize("dtype", NO_NUMBERS)
@pytest.mark.parametrize("name", ["mask", "weight", "log_weight", "beta", "samples", "key", "coefficients", "boxes"])
def test_tensors_that_hold_no_real_numbers(name: str, dtype: str) -> None:
    x, given = np.ones((1, 2, 8), "float32"), np.zeros((1, 2, 8), dtype)
    spec: Any = pk.AvgPool(2, layout="NCL")
    spec = {
        "beta": pk.SoftPool(2, layout="NCL"),
        "samples": pk.StochasticPool(2, layout="NCL"),
        "key": pk.StochasticPool(2, layout="NCL"),
        "coefficients": pk.Mix((spec, spec), how="add"),
    }.get(name, spec)
    with pytest.raises(pk.DtypeError, match=rf"received {name} of dtype .* hold real numbers"):
        pk.roi_levels(given[0, :, :5], 2, 5) if name == "boxes" else pk.pool(x, spec, **{name: given})


def test_a_key_that_has_no_shape_yet_is_no_key() -> None:
    spec, x = pk.StochasticPool(2, layout="NCL"), np.ones((1, 2, 8), "float32")
    with pytest.raises(pk.InputError, match=r"received .* as the key"):
        pk.pool(x, spec, key=torch.nn.parameter.UninitializedParameter())
