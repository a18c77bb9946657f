"""Wrong arguments of every public function, method, constructor and layer: a value or a PoolkitError, never another.

Each case takes a call that is right and puts values that are wrong into one, two or all of its places. A call whose
number or names of arguments are wrong is answered by Python itself where a method or `pool` is meant (a TypeError that
names what was typed); here all calls have arguments that fit by number and name.
"""

from __future__ import annotations

import inspect
import random
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit.spec.operation import Operation
from tests.conftest import Fuzz
from tests.helpers.hostile import NOT_PLAIN, wrong_value

LONGEST, SLOWEST = 2000, 20.0
ASKED = {"tune": 60.0}  # it may be asked to measure each route for 3 seconds
BACKENDS = sorted(pk.backends())

SPEC = pk.MaxPool(2, layout="NCL")
MIX = pk.Mix((SPEC, pk.AvgPool(2, layout="NCL")), how="add")
SHAPE = (1, 2, 8)
CHAIN = pk.Chain((SPEC, SPEC))
ROI = pk.RoiSpec("align", output_size=2, layout="NCHW")
BOXES = np.zeros((2, 5), "float32")
UNPOOL = pk.Unpool(pk.MaxPool(2, layout="NCL"), 5)
PYRAMID = pk.Pyramid("max", levels=(1, 2), layout="NCL", flatten=True)
SEGMENT = pk.Segment("avg", 3, layout="LCH")
GRAPHS = pk.StructPool(3)
LEARNED = pk.LearnedMix(SPEC, SPEC, channels=2)
X = np.arange(16.0, dtype="float32").reshape(SHAPE)

Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


def sliding(window: Any = 2) -> dict[str, Any]:
    return {"window": window, "stride": 1, "padding": "same", "layout": "NCL", "axes": "L", "dilation": 1}


AVERAGE = {"ceil_mode": False, "count_include_pad": True, "divisor_override": None}
CHOICE = {"ceil_mode": False, "indices": True}
ADAPTIVE = {"layout": "NCL", "axes": "L", "keepdims": True}

CALLS: dict[str, Call] = {
    "PoolSpec": (pk.PoolSpec, ("avg",), sliding() | AVERAGE),
    "PoolSpec adaptive": (pk.PoolSpec, ("max",), ADAPTIVE | {"output_size": 2, "indices": True}),
    "PoolSpec softmax": (pk.PoolSpec, ("softmax",), sliding() | {"beta": 1.0, "grad": "exact"}),
    "AvgPool": (pk.AvgPool, (), sliding() | AVERAGE),
    "MaxPool": (pk.MaxPool, (), sliding() | CHOICE),
    "MinPool": (pk.MinPool, (), sliding() | CHOICE),
    "SumPool": (pk.SumPool, (), sliding() | {"ceil_mode": False}),
    "AdaptiveAvgPool": (pk.AdaptiveAvgPool, (2,), ADAPTIVE),
    "AdaptiveMaxPool": (pk.AdaptiveMaxPool, (2,), ADAPTIVE | {"indices": True}),
    "GlobalAvgPool": (pk.GlobalAvgPool, (), ADAPTIVE),
    "GlobalMaxPool": (pk.GlobalMaxPool, (), ADAPTIVE | {"indices": True}),
    "AdaptiveMinPool": (pk.AdaptiveMinPool, (2,), ADAPTIVE | {"indices": True}),
    "GlobalMinPool": (pk.GlobalMinPool, (), ADAPTIVE | {"indices": True}),
    "GlobalSumPool": (pk.GlobalSumPool, (), ADAPTIVE),
    "SoftPool": (pk.SoftPool, (), sliding() | {"ceil_mode": False, "beta": 1.0, "grad": "exact"}),
    "LPPool": (pk.LPPool, (), sliding() | {"ceil_mode": False, "p": 2.0, "normalize": "mean"}),
    "GeM": (pk.GeM, (), ADAPTIVE | {"p": 3.0, "eps": 1e-6}),
    "MedianPool": (pk.MedianPool, (), sliding() | CHOICE | {"quantile": 0.5}),
    "BlurPool": (
        pk.BlurPool,
        (),
        {"window": 3, "stride": 2, "padding": 1, "layout": "NCL", "axes": "L", "pad_mode": "zeros"},
    ),
    "FractionalMaxPool": (
        pk.FractionalMaxPool,
        (2,),
        {"output_size": 3, "output_ratio": None, "layout": "NCL", "overlapping": True, "axes": "L", "indices": True},
    ),
    "S3Pool": (
        pk.S3Pool,
        (2,),
        {"stride": 2, "padding": 1, "grid": 4, "layout": "NCL", "axes": "L", "dilation": 1, "indices": True},
    ),
    "StochasticPool": (pk.StochasticPool, (), sliding() | CHOICE),
    "Mix": (pk.Mix, ((SPEC, SPEC),), {"how": "add", "coefficients": (0.5, 0.5)}),
    "Chain": (pk.Chain, ((SPEC, SPEC),), {"keep": "cat"}),
    "Chain.replace": (CHAIN.replace, (), {"parts": (SPEC, SPEC), "keep": None, "window": 3}),
    "Chain.from_dict": (pk.Chain.from_dict, (CHAIN.to_dict(),), {}),
    "Chain.parse": (pk.Chain.parse, (str(CHAIN),), {}),
    "Mix.parse": (pk.Mix.parse, (str(MIX),), {}),
    "Pyramid": (pk.Pyramid, ("max",), {"levels": (1, 2), "layout": "NCL", "axes": "L", "flatten": True}),
    "Pyramid.replace": (PYRAMID.replace, (), {"kind": "avg", "levels": (1, 3), "layout": "NLC", "flatten": False}),
    "Pyramid.from_dict": (pk.Pyramid.from_dict, (PYRAMID.to_dict(),), {}),
    "Pyramid.parse": (pk.Pyramid.parse, (str(PYRAMID),), {}),
    "Segment.parse": (pk.Segment.parse, (str(SEGMENT),), {}),
    "StructPool.parse": (pk.StructPool.parse, (str(GRAPHS),), {}),
    "Learned": (pk.Learned, ("mix", (SPEC, SPEC)), {"channels": 2, "regions": (4,), "hidden": 1, "heads": 1}),
    "Learned.replace": (LEARNED.replace, (), {"formula": "gate", "channels": 2, "regions": (4,), "window": 3}),
    "Learned.from_dict": (pk.Learned.from_dict, (LEARNED.to_dict(),), {}),
    "Learned.parse": (pk.Learned.parse, (str(LEARNED),), {}),
    "LearnedOption": (pk.LearnedOption, (pk.SoftPool(2, layout="NCL"),), {"channels": 2}),
    "LearnedMix": (pk.LearnedMix, (SPEC, SPEC), {"channels": 2, "regions": (4,)}),
    "GatedMix": (pk.GatedMix, (SPEC, SPEC), {"channels": 2, "regions": (4,)}),
    "AdaPool": (pk.AdaPool, (2, 2, 0), {"layout": "NCL", "channels": 2, "regions": (4,)}),
    "LIPPool": (pk.LIPPool, (2, 2, 0), {"layout": "NCL", "channels": 2, "logits": "bottleneck", "hidden": 3}),
    "AttentionPool": (pk.AttentionPool, (), ADAPTIVE | {"channels": 2, "hidden": 3, "gated": False}),
    "LatentAttentionPool": (pk.LatentAttentionPool, (), ADAPTIVE | {"channels": 2, "heads": 2, "hidden": 3}),
    "Segment": (pk.Segment, ("max", 3), {"layout": "LCH", "empty_value": 0.0}),
    "Segment.replace": (SEGMENT.replace, (), {"kind": "avg", "num_segments": 2, "layout": "LC", "empty_value": 1.0}),
    "Segment.from_dict": (pk.Segment.from_dict, (SEGMENT.to_dict(),), {}),
    "Unpool": (pk.Unpool, (SPEC,), {"output_size": 4}),
    "Unpool.replace": (UNPOOL.replace, (), {"pooling": SPEC, "output_size": "smallest"}),
    "Unpool.from_dict": (pk.Unpool.from_dict, (UNPOOL.to_dict(),), {}),
    "RoiSpec": (
        pk.RoiSpec,
        ("align",),
        {name: getattr(ROI, name) for name in ROI.to_dict() if name not in ("version", "kind")},
    ),
    "RoiSpec.replace": (ROI.replace, (), {"kind": "align", "output_size": 2, "sampling_ratio": 2, "layout": "NHWC"}),
    "RoiSpec.from_dict": (pk.RoiSpec.from_dict, (ROI.to_dict(),), {}),
    "roi": (pk.roi, (X[None], BOXES, ROI), {}),
    "roi_levels": (pk.roi_levels, (BOXES, 2, 5), {"size": 224.0, "level": 4}),
    "unpool": (pk.unpool, (X, np.zeros((1, 2, 2), int), SPEC), {"output_size": 4}),
    "indices_from": (pk.indices_from, (np.zeros(2, int), "onnx", (1, 2, 4), "NCL"), {}),
    "segment": (pk.segment, (X[0], np.array([0, 2]), 3), {"kind": "max", "empty_value": 0.0}),
    "StructPool": (pk.StructPool, (3,), {"layout": "NLC", "steps": 2, "attention": "softmax"}),
    "StructPool.replace": (GRAPHS.replace, (), {"clusters": 2, "layout": "LC", "steps": 0, "attention": "dot"}),
    "StructPool.from_dict": (pk.StructPool.from_dict, (GRAPHS.to_dict(),), {}),
    "struct_pool": (
        pk.struct_pool,
        (np.ones((1, 4, 2)), np.ones((1, 4, 4)), np.ones((1, 4, 3))),
        {"steps": 2, "filter": np.eye(3), "compatibility": np.eye(3), "mask": np.ones((1, 4)), "attention": "dot"},
    ),
    "Key": (pk.Key, (7,), {}),
    "Key.at": (pk.Key(7).at, (7,), {}),
    "pool": (pk.pool, (X, SPEC), {}),
    "pool by key": (pk.pool, (X, pk.StochasticPool(2, layout="NCL")), {"key": pk.Key(0), "mask": X > 3}),
    "pool_direct": (pk.pool_direct, (X, SPEC, "fold"), {}),
    "stand_in": (pk.stand_in, ("torch.nn.AvgPool2d", "numpy"), {"layout": "channels_first"}),
    "diff": (pk.diff, (SPEC, pk.AvgPool(3, layout="NCL"), SHAPE), {"layout": "NCL"}),
    "PoolSpec.parse": (pk.PoolSpec.parse, ("max window=2 layout=NCL",), {}),
    "PoolSpec.from_dict": (pk.PoolSpec.from_dict, (SPEC.to_dict(),), {}),
    "PoolSpec.replace": (SPEC.replace, (), sliding() | {"kind": "avg"}),
    "PoolSpec.layer": (SPEC.layer, ("numpy",), {"route": "fold"}),
    "Mix.replace": (MIX.replace, (), {"parts": (SPEC, SPEC), "how": "cat", "coefficients": None, "window": 3}),
    "Mix.layer": (MIX.layer, ("numpy",), {"route": "fold"}),
    "Mix.from_dict": (pk.Mix.from_dict, (MIX.to_dict(),), {}),
    "backends": (pk.backends, (), {}),
    **{
        f"{type(s).__name__}.{name}": (getattr(s, name), (SHAPE,), {})
        for s in (SPEC, MIX, CHAIN, PYRAMID, SEGMENT, GRAPHS, UNPOOL, ROI, LEARNED)
        for name in ("output_shape", "explain", "cost")
    },
    **{f"{type(s).__name__}.__call__": (s, (X,), {}) for s in (SPEC, MIX, CHAIN, PYRAMID)},
}
BACKEND_CALLS: dict[str, Callable[[str], Call]] = {
    "tune": lambda backend: (pk.tune, (SPEC, backend, SHAPE), {"turns": 1, "seconds": 0.0}),
    "lower": lambda backend: (pk.lower, (SPEC, backend, SHAPE), {"dtype": "float32", "route": "fold"}),
    "lower any": lambda backend: (pk.lower, (SPEC, backend), {"dtype": "float32", "route": "fold"}),
    "routes": lambda backend: (pk.routes, (SPEC, backend, SHAPE), {"dtype": "float32", "derivative": True}),
    "native": lambda backend: (pk.native, (SPEC, backend), {}),
    "caveats": lambda backend: (pk.caveats, (SPEC, backend), {}),
    "layer": lambda backend: (pk.layer, (SPEC, backend), {"route": "fold"}),
}
# A spec that is made in spite of all is used.
USES: tuple[Callable[[Any], Any], ...] = (
    lambda spec: pk.pool(X, spec),
    lambda spec: spec.output_shape(SHAPE),
    lambda spec: spec.explain(SHAPE),
    lambda spec: spec.cost(SHAPE),
    lambda spec: pk.lower(spec, "jax", SHAPE),
    lambda spec: pk.native(spec, "torch"),
    lambda spec: pk.diff(spec, SPEC),
    lambda spec: type(spec).from_dict(spec.to_dict()),
)
# Read by its own fuzzer; kinds, once registered, stay.
ELSEWHERE = {"read", "register_kind", "Difference", "Option", "Program"} | {name.split()[0] for name in BACKEND_CALLS}


def test_every_public_function_is_fuzzed() -> None:
    functions = {name for name in pk.__all__ if callable(getattr(pk, name)) and not name.endswith("Error")}
    assert {name for name in functions if name not in CALLS} <= ELSEWHERE


def with_wrong_values(call: Call, rng: random.Random) -> Call:
    """The call with one, two or all of its arguments replaced."""
    function, args, named = call
    places: list[Any] = [*range(len(args)), *named]
    chosen = rng.sample(places, min(len(places), rng.choice((1, 1, 1, 2, len(places)))))
    return (
        function,
        tuple(wrong_value(rng, given) if at in chosen else given for at, given in enumerate(args)),
        {name: wrong_value(rng, given) if name in chosen else given for name, given in named.items()},
    )


def outcome(name: str, call: Call) -> str:
    """What came of a call, as a word; the test fails for what may not come of it."""
    function, args, named = call
    start = time.monotonic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            word = _used(function(*args, **named))
    except pk.PoolkitError as error:
        word = type(error).__name__ if len(str(error)) <= LONGEST else "messages that are too long"
    except Exception as error:
        pytest.fail(f"{name}{_told(args, named)}: {type(error).__name__}: {str(error)[:500]}")
    assert word != "messages that are too long", f"{name}{_told(args, named)}"
    slowest = ASKED.get(name.split()[0], SLOWEST)
    assert time.monotonic() - start < slowest, f"{name}{_told(args, named)}: {time.monotonic() - start:.0f} s"
    return word


def _used(made: Any) -> str:
    """What came of what was made."""
    if not isinstance(made, Operation):
        return "values"
    for use in USES:
        try:
            use(made)
        except pk.PoolkitError as error:
            assert len(str(error)) <= LONGEST  # noqa: PT017
    return "specs"


def _told(args: tuple[Any, ...], named: Mapping[str, Any]) -> str:
    from poolkit.spec.messages import shown

    return f"({', '.join([*map(shown, args), *(f'{name}={shown(value)}' for name, value in named.items())])})"


def test_functions(fuzz: Fuzz, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLKIT_TUNED", str(tmp_path / "tuned.json"))
    calls = CALLS | {f"{name} {backend}": call(backend) for name, call in BACKEND_CALLS.items() for backend in BACKENDS}
    for rng in fuzz:
        name = rng.choice(sorted(calls))
        fuzz.count(outcome(name, with_wrong_values(calls[name], rng)))


def tensor(backend: str) -> Any:
    if backend == "torch":
        return __import__("torch").from_numpy(X.copy())
    if backend == "tensorflow":
        return __import__("tensorflow").constant(X)
    return __import__("jax").numpy.asarray(X) if backend == "jax" else X


def layers_of(backend: str) -> dict[str, Call]:
    """The classes and functions that an adapter exports, called with what is right."""
    module = __import__(f"poolkit_{backend}")
    calls: dict[str, Call] = {"pool": (pk.pool, (tensor(backend), SPEC), {})}
    for name in module.__all__:
        made = getattr(module, name)
        if name == "ADAPTER":
            continue
        if name == "Pool":
            calls[name] = (made, (SPEC,), {"route": "fold"})
            if backend != "keras":  # Keras itself looks at what its layers are called with
                calls["Pool.__call__"] = (made(SPEC), (tensor(backend),), {})
            continue
        given: dict[str, Any] = {}
        for p in list(inspect.signature(made).parameters.values()):
            if p.kind is not p.VAR_KEYWORD and p.name not in ("self", "x"):
                given[p.name] = RIGHT.get(p.name, p.default)
            elif p.name == "x":
                given[p.name] = tensor(backend)
        if name.endswith("_pool"):
            given = {"inputs": tensor(backend), "window_shape": (2,), "strides": (1,), "padding": "SAME"}
        calls[name] = (made, (), given)
    return calls


RIGHT = {"kernel_size": 2, "output_size": 2, "target_shape": 2, "layout": None, "data_format": None, "spec": LEARNED}
RIGHT |= {"weights": {"share": X[0, :, 0]}, "key": np.zeros(2, "uint32"), "rngs": np.zeros(2, "uint32")}


def test_layers(fuzz: Fuzz) -> None:
    layers = {backend: layers_of(backend) for backend in BACKENDS}
    for rng in fuzz:
        calls = layers[rng.choice(BACKENDS)]
        name = rng.choice(sorted(calls))
        fuzz.count(outcome(name, with_wrong_values(calls[name], rng)))


def test_wrong_values_reach_every_sort() -> None:
    """What a case draws from: no sort of value is left out by a mistake in the generator."""
    drawn = {type(wrong_value(random.Random(n), (1, 2))).__name__ for n in range(2000)}
    assert {"NoneType", "bool", "int", "float", "str", "tuple", "list", "dict", "ndarray", "Tensor"} <= drawn
    assert {kind.__name__ for kind in NOT_PLAIN} <= drawn
