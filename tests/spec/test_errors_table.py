"""Bad specs, one a line, with what their message must say. Every message: what was received, the rule, what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit import PoolSpec, SpecError

NAN, INF = float("nan"), float("inf")


def spec(kind: Any = "max", **fields: Any) -> Callable[[], PoolSpec]:
    """A spec over NCHW unless the fields say otherwise, not yet made."""
    return lambda: PoolSpec(kind, **({"layout": "NCHW"} | fields))


def parse(text: Any) -> Callable[[], PoolSpec]:
    return lambda: PoolSpec.parse(text)


def read(**data: Any) -> Callable[[], PoolSpec]:
    return lambda: PoolSpec.from_dict({"version": 1, "kind": "max", "layout": "NCHW", "window": 2} | data)


class Named:
    """A named constructor that is not yet called; PoolSpec's is called with what is no spec to a type checker."""

    def __getattr__(self, name: str) -> Callable[..., Callable[[], PoolSpec]]:
        return lambda *args, **fields: lambda: getattr(pk, name)(*args, **fields)


call = Named()

KIND = [
    (spec("average", window=2), 'kind="average"', '"avg", "max", "min", "sum"', 'write "avg"'),
    (spec("MAX", window=2), 'kind="MAX"', 'write "max"'),
    (spec("AvgPool2d", window=2), 'kind="AvgPool2d"', 'write "avg"'),
    (spec("maxx", window=2), 'kind="maxx"', 'write "max"'),
    (spec("qwerty", window=2), 'kind="qwerty"', "give one of these"),
    (spec(None, window=2), "kind=None", "give one of these"),
    (spec(["max"], window=2), "kind=['max']", "give one of these"),
    (call.PoolSpec(), "no kind", 'PoolSpec("avg", …)'),
    (call.PoolSpec("max", 3, layout="NCHW"), "3 in second place", "write window=3, or output_size=3"),
    (call.PoolSpec("max", kind="max", layout="NCHW"), 'kind="max"', "give it once"),
]

LAYOUT = [
    (call.PoolSpec("max", window=2), "no layout", 'layout="NCHW"'),
    (spec(window=2, layout=None), "layout=None", "a string"),
    (spec(window=2, layout=("N", "C", "H", "W")), "layout=('N', 'C', 'H', 'W')", "one letter an axis"),
    (spec(window=2, layout=np.zeros(2)), "layout=array", "a string"),
    (spec(window=2, layout="nchw"), 'layout="nchw"', "capital letter", 'write layout="NCHW"'),
    (spec(window=2, layout="N,H,W,C"), 'write layout="NHWC"'),
    (spec(window=2, layout="bchw"), 'write layout="NCHW"'),
    (spec(window=2, layout="BCHW"), "B would be pooled", 'write layout="NCHW"', 'axes="BHW"'),
    (spec(window=2, layout="...BHWC"), 'write layout="...NHWC"'),
    (spec(window=2, layout="channel_last"), 'write layout="channels_last"'),
    (spec(window=2, layout="Channels_First"), 'write layout="channels_first"'),
    (spec(window=2, layout=""), 'layout=""', "NHWC"),
    (spec(window=2, layout="..."), 'layout="..."', "...HWC"),
    (spec(window=2, layout="N...C"), 'layout="N...C"', '"..." before them'),
    (spec(window=2, layout="NCHH"), "H stands twice"),
    (spec(window=2, layout="NC"), "no spatial axis", 'layout="NCL"'),
]

AXES = [
    (spec(window=2, axes=""), 'axes=""', 'write it as in axes="HW"'),
    (spec(window=2, axes=(2, 3)), "axes=(2, 3)", 'axes="HW"'),
    (spec(window=2, axes="WH"), 'axes="WH"', "in the order of the layout", 'write axes="HW"'),
    (spec(window=2, axes="HH"), "once each", 'write axes="H"'),
    (spec(window=2, axes="CH"), "C is the channel axis", 'choose from "HW"'),
    (spec(window=2, axes="N"), "N is the batch axis"),
    (spec(window=2, axes="HT"), "T is no axis of the layout"),
    (spec(window=2, axes="hw"), "h is no axis of the layout", 'choose from "HW"'),
    (spec(window=2, axes="HW", layout="channels_last"), "names no axes", 'layout="NCHW"'),
]

MODE = [
    (spec(), "neither window nor output_size", "write window=3, or output_size=1"),
    (spec(window=2, output_size=1), "window=2 and output_size=1", "only one"),
    (spec(output_size=1, stride=2), "stride=2 with output_size=1", "never reads stride", "leave stride out"),
    (spec(output_size=1, padding=1), "padding=1 with output_size=1", "leave padding out"),
    (spec(output_size=1, padding="same"), 'padding="same" with output_size=1', "leave padding out"),
    (spec(output_size=7, dilation=2), "dilation=2", "leave dilation out"),
    (spec(output_size=7, ceil_mode=True), "ceil_mode=True", "leave ceil_mode out"),
    (spec("avg", output_size=7, count_include_pad=True), "count_include_pad=True", "leave count_include_pad out"),
    (spec(output_size=7, dilation=(1, 2), layout="channels_last"), "dilation=(1, 2)", "leave dilation out"),
    (spec(window=2, padding="same", ceil_mode=True), 'ceil_mode=True with padding="same"', "leave ceil_mode out"),
    (spec(window=2, padding="same_lower", ceil_mode=True), 'padding="same_lower"', "leave ceil_mode out"),
    (spec(window=2, keepdims=False), "keepdims=False with window=2", "output_size is 1", "in place of window"),
    (spec(output_size=2, keepdims=False), "keepdims=False with output_size=2", "write output_size=1"),
    (spec(output_size=(1, None), keepdims=False), "output_size=(1, None)", "1 on each"),
    (spec("avg", window=2, indices=True), 'indices=True for "avg"', '"max" and "min"', "leave indices out"),
    (
        spec("max", window=2, count_include_pad=True),
        'count_include_pad=True for "max"',
        '"avg"',
        "leave count_include_pad",
    ),
    (spec("sum", window=2, divisor_override=2), 'divisor_override=2 for "sum"', '"avg"', "leave divisor_override out"),
    (spec("max", window=2, beta=2.0), 'beta=2.0 for "max"', 'option of "softmax"', 'kind="softmax"'),
    (spec("avg", window=2, grad="exact"), 'grad="exact" for "avg"', 'option of "softmax"'),
]

SIZES = [
    (spec(window=0), "window=0", "at least 1", "1 or more"),
    (spec(window=-3), "window=-3", "at least 1"),
    (spec(window=(3, 0)), "window=(3, 0)", "at least 1"),
    (spec(window=True), "window=True", "an integer"),
    (spec(window=(3, np.True_)), "an integer", "write it as in window=(3, 2)"),
    (spec(window=3.0), "window=3.0", "an integer", "write it as in window=3"),
    (spec(window=NAN), "window=nan", "an integer"),
    (spec(window=INF), "window=inf", "an integer"),
    (spec(window="3"), 'window="3"', "write it as in window=3"),
    (spec(window=(3, "x")), "window=(3, 'x')", "an integer"),
    (spec(window=()), "window=()", "one entry for each pooled axis"),
    (spec(window=(), layout="channels_last"), "window=()", "one entry for each pooled axis"),
    (spec(window=(3,)), "window=(3,)", "each pooled axis, HW", "give 2 of them"),
    (spec(window=[1, 3, 3, 1]), "window=[1, 3, 3, 1]", "each pooled axis, HW", "give 2 of them"),
    (spec(window=((3, 3), 3)), "window=((3, 3), 3)", "write it as in window=(2, 3)"),
    (spec(window=(3, None)), "window=(3, None)", "an integer"),
    (spec(window=np.array([3, 3])), "window=array([3, 3])", "an integer, or a tuple", "write it as in window=(3, 3)"),
    (spec(window={3}), "window={3}", "an integer"),
    (spec(window=3, stride=0), "stride=0", "at least 1"),
    (spec(window=3, stride=(2, 2, 2)), "stride=(2, 2, 2)", "give 2 of them"),
    (spec(window=3, stride=1.5), "stride=1.5", "an integer"),
    (spec(window=3, dilation=0), "dilation=0", "at least 1"),
    (spec(window=3, dilation=None), "dilation=None", "an integer"),
    (spec(window=(3, 3), stride=(2,), layout="channels_last"), "window=(3, 3) and stride=(2,)", "the same length"),
    (spec(window=(3, 3), padding=((0, 1),), layout="channels_first"), "padding=((0, 1),)", "the same length"),
    (spec(output_size=0), "output_size=0", "at least 1"),
    (spec(output_size=(1, -1)), "output_size=(1, -1)", "at least 1"),
    (spec(output_size=7.0), "output_size=7.0", "write it as in output_size=7"),
    (spec(output_size=(1, 1, 1)), "output_size=(1, 1, 1)", "give 2 of them"),
]

PADDING = [
    (spec(window=3, padding=(1, 2), layout="NCL"), "padding=(1, 2)", "write padding=((1, 2),)"),
    (spec(window=3, padding=[1, 2], layout="NTHWC", axes="T"), "padding=[1, 2]", "write padding=((1, 2),)"),
    (spec(window=3, padding=(1, 1, 2, 2)), "padding=(1, 1, 2, 2)", "as in padding=((1, 1), …)"),
    (spec(window=3, padding=(1, 1, 1)), "padding=(1, 1, 1)", "each pooled axis, HW", "give 2 of them"),
    (spec(window=3, padding=((0, 0), (1, 1), (1, 1), (0, 0))), "give 2 of them"),
    (spec(window=3, padding=((0, 0), (1, 1)), layout="NCL"), "each pooled axis, L", "give 1 of them"),
    (spec(window=3, padding=((1, 2, 3), 0)), "padding=((1, 2, 3), 0)", "in place of (1, 2, 3)"),
    (spec(window=3, padding=-1), "padding=-1", "at least 0"),
    (spec(window=3, padding=((0, -1), 0)), "padding=((0, -1), 0)", "at least 0"),
    (spec(window=3, padding=(0.5, 1)), "padding=(0.5, 1)", "an integer"),
    (spec(window=3, padding=1.0), "padding=1.0", '"valid", "same", "same_lower", "causal"', "choose one"),
    (spec(window=3, padding=True), "padding=True", "choose one"),
    (spec(window=3, padding=None), "padding=None", "choose one"),
    (spec(window=3, padding=()), "padding=()", "one entry for each pooled axis"),
    (spec(window=3, padding="SAME"), 'padding="SAME"', 'write padding="same"'),
    (spec(window=3, padding="same_upper"), 'write padding="same"'),
    (spec(window=3, padding="casual"), 'write padding="causal"'),
    (spec(window=3, padding="zeros"), 'padding="zeros"', "use one of them"),
]

FLAGS = [
    (spec(window=2, ceil_mode=1), "ceil_mode=1", "True or False", "write ceil_mode=True or ceil_mode=False"),
    (spec(window=2, ceil_mode="true"), 'ceil_mode="true"', "True or False"),
    (spec(window=2, indices=None), "indices=None", "True or False"),
    (spec(output_size=1, keepdims=0), "keepdims=0", "True or False"),
    (spec("avg", window=2, count_include_pad=np.int64(1)), "count_include_pad=", "True or False"),
    (spec("avg", window=2, divisor_override=0), "divisor_override=0", "finite number other than 0"),
    (spec("avg", window=2, divisor_override=-0.0), "divisor_override=-0.0", "other than 0"),
    (spec("avg", window=2, divisor_override=NAN), "divisor_override=nan", "finite"),
    (spec("avg", window=2, divisor_override=-INF), "divisor_override=-inf", "finite"),
    (spec("avg", window=2, divisor_override=True), "divisor_override=True", "finite number"),
    (spec("avg", window=2, divisor_override="4"), 'divisor_override="4"', "as in divisor_override=4"),
    (spec("avg", window=2, divisor_override=10**400), "divisor_override=an int of about 401 digits", "finite"),
    (spec("softmax", window=2, beta=NAN), "beta=nan", "a finite number"),
    (spec("softmax", window=2, beta=True), "beta=True", "a finite number"),
    (spec("softmax", window=2, beta="1"), 'beta="1"', "a finite number", "1.0"),
    (spec("softmax", window=2, grad="none"), 'grad="none"', '"exact" or "semi"'),
    (spec("lp", window=2, p=0), "p=0", "a number above 0, or infinite", "2.0"),
    (spec("lp", window=2, p=-2), "p=-2", "a number above 0"),
    (spec("lp", window=2, p=NAN), "p=nan", "a number above 0"),
    (spec("lp", window=2, p=-INF), "p=-inf", "a number above 0"),
    (spec("lp", window=2, normalize="max"), 'normalize="max"', '"sum" or "mean"'),
    (
        spec("lp", window=2, p=INF, normalize="mean"),
        'normalize="mean" with p=inf',
        "never reads normalize",
        "leave normalize out",
    ),
    (spec("gem", window=2, p=0), "p=0", "p of", "a number above 0, or infinite", "3.0"),
    (spec("gem", window=2, eps=0), "eps=0", "a finite number above 0", "1e-06"),
    (spec("gem", window=2, eps=INF), "eps=inf", "a finite number above 0"),
    (spec("gem", window=2, normalize="sum"), "normalize", '"lp" and "logsumexp"'),
    (spec("logsumexp", window=2, beta=0), "beta=0", "magnitude 1e-6 or more", "average"),
    (spec("logsumexp", window=2, beta=NAN), "beta=nan", "a finite number"),
    (spec("logsumexp", window=2, beta=-INF), "beta=-inf", "a finite number"),
    (spec("softmax", window=2, grad=np.array(["exact"])), "grad=array", '"exact" or "semi"'),
    (spec("blur", output_size=1), 'output_size=1 for "blur"', "windows of 1 to 7 cells", "write window=3"),
    (spec("blur", window=(3, 8)), 'window=(3, 8) for "blur"', "windows of 1 to 7 cells", "give a smaller one"),
    (spec("blur", window=8, layout="channels_last"), 'window=8 for "blur"', "windows of 1 to 7 cells"),
    (spec("blur", window=3, pad_mode="circular"), 'pad_mode="circular"', '"reflect", "replicate" or "zeros"'),
    (spec("blur", window=3, count_include_pad=True), "count_include_pad", "only an average divides"),
    (lambda: pk.BlurPool(4, layout="channels_last"), "window=4", "halves of an even window are 1 and 2", "((1, 2), …)"),
    (lambda: pk.BlurPool("3", layout="NCL"), 'window="3"', "window is an integer"),
]

FOREIGN = [
    (spec(kernel_size=3), "kernel_size=3", "write window=3"),
    (spec(pool_size=(2, 3)), "pool_size=(2, 3)", "write window=(2, 3)"),
    (spec(kernel=3), "write window=3"),
    (spec(kernel_shape=[3, 3]), "write window=[3, 3]"),
    (spec(window_shape=(3, 3)), "write window=(3, 3)"),
    (spec(ksize=2), "write window=2"),
    (spec(window=3, strides=2), "strides=2", "write stride=2"),
    (spec(window=3, window_strides=(1, 2)), "write stride=(1, 2)"),
    (spec(window=3, pads=[0, 1, 2, 3]), "pads=[0, 1, 2, 3]", "write padding=((0, 2), (1, 3))"),
    (spec(window=3, pads=1), "write padding=1"),
    (spec(window=3, auto_pad="SAME_UPPER"), 'write padding="same"'),
    (spec(window=3, dilations=2), "write dilation=2"),
    (spec(window=3, dilation_rate=2), "write dilation=2"),
    (call.PoolSpec("avg", window=3, data_format="channels_last"), 'write layout="channels_last"'),
    (call.PoolSpec("avg", window=3, data_format="NHWC"), 'write layout="NHWC"'),
    (call.PoolSpec("avg", window=3, dim_ordering="tf"), 'write layout="channels_last"'),
    (spec(window=3, return_indices=True), "write indices=True"),
    (spec(window=3, return_mask=True), "write indices=True"),
    (spec(output_size=1, keep_dims=False), "write keepdims=False"),
    (spec(output_size=1, keepdim=True), "write keepdims=True"),
    (spec(target_shape=(7, 7)), "write output_size=(7, 7)"),
    (spec("avg", window=3, exclusive=True), "exclusive=True", "write count_include_pad=False"),
    (spec(window=3, pooling_convention="full"), "write ceil_mode=True"),
    (spec(window=3, axis=(1, 2)), "axis=(1, 2)", 'axes="HW"'),
    (call.PoolSpec(layout="NCHW", window=2, pool_type="mean"), "write kind=", '"avg"'),
    (spec(windw=3), "windw=3", "no field windw", "write window=3"),
    (spec(window=3, frobnicate=1), "frobnicate=1", "leave it out", "layout, axes"),
]

CONSTRUCTORS = [
    (call.GlobalAvgPool(layout="NCHW"), "no keepdims", "PyTorch", "Keras", "keepdims=True", "keepdims=False"),
    (call.GlobalMaxPool(layout="NCHW"), "no keepdims", "PyTorch", "Keras"),
    (call.GlobalAvgPool(keepdims=True), "no layout", "GlobalAvgPool", 'layout="NCHW"'),
    (call.GlobalAvgPool(data_format="NHWC", keepdims=True), 'write layout="NHWC"'),
    (call.GlobalAvgPool(layout="NHWC", keepdims=True, window=2), "GlobalAvgPool takes only layout, keepdims, axes"),
    (call.GlobalAvgPool("NHWC", keepdims=True), '"NHWC" in place 1', "takes nothing by position"),
    (call.MaxPool(layout="NCHW"), "no window", "window=3"),
    (call.MaxPool(3), "no layout"),
    (call.MaxPool(3, 2, 1, "NCHW"), '"NCHW" in place 4', "only window, stride, padding"),
    (call.MaxPool(3, window=3, layout="NCHW"), "window both by position and by name", "give it once"),
    (call.MaxPool(kernel_size=3, layout="NCHW"), "write window=3"),
    (
        call.MaxPool(3, layout="NCHW", count_include_pad=True),
        "MaxPool takes only window",
        "leave count_include_pad out",
    ),
    (call.AvgPool(3, layout="NCHW", indices=True), "AvgPool takes only"),
    (call.MinPool(0, layout="NCHW"), "window=0"),
    (call.SumPool(2, 0, layout="NCHW"), "stride=0"),
    (call.AdaptiveAvgPool(layout="NCHW"), "no output_size", "output_size=7"),
    (call.AdaptiveMaxPool(7, layout="NCHW", return_indices=True), "write indices=True"),
    (lambda: pk.MaxPool(2, layout="NCHW").replace(layout="NDHWC", kernel_size=3), "write window=3"),
    (lambda: pk.MaxPool((2, 3), layout="NCHW").replace(layout="NDHWC"), "window=(2, 3)", "each pooled axis, DHW"),
]

TEXT = [
    (parse(""), 'received ""', "as in"),
    (parse(None), "received None", "as in"),
    (parse("window=3 layout=NCHW"), '"window=3" in first place', "begins with its kind"),
    (parse("max 3 layout=NCHW"), 'received "3"', "name=value"),
    (parse("max window= layout=NCHW"), 'received "window="', "name=value"),
    (parse("max window=3 window=4 layout=NCHW"), 'received "window=4"', "give it once"),
    (parse("max kernel_size=3 layout=NCHW"), "write window=3"),
    (parse("max window=3.5 layout=NCHW"), "window=3.5", "an integer"),
    (parse("max window=3 layout=nchw"), 'write layout="NCHW"'),
    (parse("max window=3 layout=none"), "layout=None", "a string"),
    (parse("max window=3"), "no layout"),
    (lambda: PoolSpec.from_dict([]), "received []", "to_dict()"),  # type: ignore[arg-type]
    (lambda: PoolSpec.from_dict({"kind": "max"}), "version=None", "version 1"),
    (read(version=2), "version=2", "reads version 1"),
    (read(version=True), "version=True", "version 1"),
    (read(version="1"), 'version="1"', "version 1"),
    (read(color="red"), 'the key "color"', "remove it"),
    (read(window=[2, 2, 2]), "window=[2, 2, 2]", "give 2 of them"),
    (lambda: PoolSpec.from_dict({"version": 1, "kind": "max", "window": 2}), "no layout"),
]

TABLE = [*KIND, *LAYOUT, *AXES, *MODE, *SIZES, *PADDING, *FLAGS, *FOREIGN, *CONSTRUCTORS, *TEXT]


@pytest.mark.parametrize("row", TABLE, ids=[row[1] for row in TABLE])
def test_message(row: tuple[Any, ...]) -> None:
    make, *parts = row

    with pytest.raises(SpecError) as caught:
        make()

    message = str(caught.value)
    assert [part for part in parts if part not in message] == [], message
    assert re.fullmatch(r"received .+, and .+; .+", message, re.DOTALL), message
