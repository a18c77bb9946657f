"""Ways of PyTorch to run, trace, copy and keep a layer, besides those in which the conformance suite runs its cases."""

from __future__ import annotations

import io
import itertools
from typing import Any

import pytest
import torch
from torch._subclasses import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx

import poolkit as pk
from poolkit.spec.kinds import KINDS

Spec = pk.PoolSpec | pk.Mix

SPECS: list[Spec] = [
    pk.MaxPool(3, 2, 1, layout="NCHW"),
    pk.MaxPool(3, 2, "same", layout="NHWC"),
    pk.MaxPool(3, 2, layout="NDHWC"),
    pk.AvgPool(3, 2, "same", layout="NCHW"),
    pk.AdaptiveAvgPool(5, layout="NHWC"),
    pk.AdaptiveMaxPool(5, layout="NCHW"),
    pk.GlobalAvgPool(layout="NHWC", keepdims=True),
    pk.GlobalMaxPool(layout="NHWC", keepdims=False),
    pk.PoolSpec("softmax", window=2, layout="NCHW"),
    pk.Mix((pk.AvgPool(2, layout="NCHW"), pk.MaxPool(2, layout="NCHW")), how="cat"),
]
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.*is deprecated:DeprecationWarning")
every = pytest.mark.parametrize("spec", SPECS, ids=str)


def numbers(spec: Spec, more: int = 0) -> torch.Tensor:
    return torch.randn(2, *[8 + more] * (len(spec.layout) - 1), generator=torch.Generator().manual_seed(0))


def loss(spec: Spec, x: torch.Tensor) -> torch.Tensor:
    y: torch.Tensor = pk.pool(x, spec)
    return y.square().sum()


def gradient(spec: Spec, x: torch.Tensor) -> torch.Tensor:
    x = x.detach().requires_grad_()
    return torch.autograd.grad(loss(spec, x), x)[0]


def test_forward_mode_through_an_infinite_cell() -> None:
    """That of a convolution multiplies it by the derivative by the weights, which is 0."""
    x = torch.zeros(1, 1, 6, 6)
    x[0, 0, 2, 2] = torch.inf
    y, change = torch.func.jvp(pk.BlurPool(3, 2, padding=1, layout="NCHW"), (x,), (torch.ones_like(x),))
    assert y.isinf().any()
    assert torch.equal(change, torch.ones(1, 1, 3, 3))


@every
def test_gradients_of_each_sample_by_vmap(spec: Spec) -> None:
    x = numbers(spec)
    each = torch.func.vmap(torch.func.grad(lambda sample: loss(spec, sample[None])))

    for v in (x, x.contiguous(memory_format=torch.channels_last)) if x.dim() == 4 else (x,):
        torch.testing.assert_close(each(v), gradient(spec, x))


@every
@pytest.mark.parametrize("mode", ["fake", "symbolic"])
def test_make_fx_with_a_derivative_inside(spec: Spec, mode: str) -> None:
    traced = make_fx(torch.func.grad(lambda x: loss(spec, x)), tracing_mode=mode)(numbers(spec))

    for x in (numbers(spec), numbers(spec, more=3)) if mode == "symbolic" else (numbers(spec),):
        torch.testing.assert_close(traced(x), gradient(spec, x))


@every
def test_shapes_alone(spec: Spec) -> None:
    x = numbers(spec)
    expected = pk.pool(x, spec).shape
    assert pk.pool(x.to("meta"), spec).shape == expected
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        assert pk.pool(mode.from_tensor(x), spec).shape == expected


SIZED = {
    "fractional_max": pk.PoolSpec("fractional_max", window=2, output_size=3, layout="NCHW"),
    "s3": pk.PoolSpec.parse("s3 window=2 stride=2 grid=4 layout=NCHW"),
}
OF_EACH_KIND = [SIZED.get(kind) or pk.PoolSpec(kind, window=2, layout="NCHW") for kind in KINDS]


@pytest.mark.parametrize("spec", [*SPECS, *OF_EACH_KIND], ids=str)
def test_a_fake_tensor_outside_of_its_mode(spec: Spec) -> None:
    fake = FakeTensorMode().from_tensor(numbers(spec))
    found = pk.pool(fake, spec)
    assert type(found) is type(fake)
    assert found.shape == pk.pool(numbers(spec), spec).shape


@every
def test_a_layer_is_a_leaf_of_fx(spec: Spec) -> None:
    model = torch.nn.Sequential(torch.nn.ReLU(), spec.layer("torch"))
    traced = torch.fx.symbolic_trace(model)

    assert [(node.op, node.target) for node in traced.graph.nodes][1:3] == [("call_module", "0"), ("call_module", "1")]
    torch.testing.assert_close(traced(numbers(spec)), model(numbers(spec)))


def test_fx_is_told_to_take_a_layer() -> None:
    class Model(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> Any:
            return pk.pool(x, SPECS[0])

    with pytest.raises(pk.InputError, match=r"received a torch.fx.Proxy.*spec.layer\(\"torch\"\), which is one node"):
        torch.fx.symbolic_trace(Model())


def test_script_is_told_what_scripts() -> None:
    spec = pk.GlobalAvgPool(layout="NCHW", keepdims=True)
    with pytest.raises(pk.InputError, match=r"TorchScript takes no layer of poolkit; trace .*or script the layer that"):
        torch.jit.script(torch.nn.Sequential(spec.layer("torch")))
    torch.jit.script(pk.native(spec, "torch"))


@every
def test_a_traced_layer_is_right_for_other_sizes(spec: Spec) -> None:
    traced = torch.jit.trace(spec.layer("torch"), numbers(spec))
    torch.testing.assert_close(traced(numbers(spec, more=3)), pk.pool(numbers(spec, more=3), spec))


@pytest.mark.parametrize("spec", [s for s in SPECS if isinstance(s, pk.PoolSpec)], ids=str)
def test_a_layer_is_traced_at_its_examples_size_where_that_is_asked_for(spec: pk.PoolSpec) -> None:
    """Then it is the program of that size, and of no other; by default sizes are computed in the graph."""
    x = numbers(spec)
    fixed, any_size = (torch.jit.trace(spec.layer("torch", route=route), x) for route in ("fixed", None))

    torch.testing.assert_close(fixed(x), pk.pool(x, spec))
    assert spec.rank != 4 or "aten::size" not in str(fixed.graph)
    assert len(list(fixed.graph.nodes())) <= len(list(any_size.graph.nodes()))


@every
def test_a_saved_layer_is_loaded_by_the_safe_way(spec: Spec) -> None:
    file = io.BytesIO()
    torch.save({"pool": spec.layer("torch")}, file)
    file.seek(0)

    loaded = torch.load(file, weights_only=True)["pool"]

    assert loaded.spec == spec
    torch.testing.assert_close(loaded(numbers(spec)), pk.pool(numbers(spec), spec))


def test_what_is_no_spec_is_not_loaded() -> None:
    file = io.BytesIO()
    layer = SPECS[0].layer("torch")
    torch.save(layer, file)
    changed = file.getvalue().replace(b"window", b"windov")
    with pytest.raises(Exception, match="windov"):
        torch.load(io.BytesIO(changed), weights_only=True)


@every
def test_a_layer_is_built_inside_a_compiled_function(spec: Spec) -> None:
    torch._dynamo.reset()
    run = torch.compile(lambda x: spec.layer("torch")(x), backend="eager", fullgraph=True)
    torch.testing.assert_close(run(numbers(spec)), pk.pool(numbers(spec), spec))


def test_bins_keep_the_memory_format_channels_last() -> None:
    """The bins of `tiles`, of `maximum` and of the fold came back channels first; a strided view stays as it is."""
    for size, asked, kind in itertools.product(
        ((2, 8, 12, 12), (2, 8, 13, 17)), (6, (None, 5), (1, 4)), ("avg", "max", "sum")
    ):
        x = torch.rand(size)
        spec = pk.PoolSpec(kind, output_size=asked, layout="NCHW")
        wanted = pk.pool(x, spec)
        for train in (False, True):
            last = x.to(memory_format=torch.channels_last).requires_grad_(train)
            y = pk.pool(last, spec)
            assert y.is_contiguous(memory_format=torch.channels_last), f"{spec} {size} {train}"
            torch.testing.assert_close(y, wanted)
            view = torch.rand(2, 8, 26, 34)[:, :, ::2, ::2].requires_grad_(train)
            assert pk.pool(view, spec).is_contiguous()
