"""What is spelled like a pool has a row: what the file's own spelling gives away is read, the rest is failed."""

from __future__ import annotations

import pytest

from tests.helpers.ports import ported, row

# Where the layers come from is not said in these files; what they are, the spelling says.
GIVEN_AWAY = [
    ("from .. import layers\n", "layers"),
    ("from project.backend import layers\n", "layers"),
    ("layers = None\ndef setup(**kw):\n    global layers\n    layers = kw['layers']\n", "layers"),
    ("def setup(keras): pass\n", "keras.layers"),
    ("from ..backend import keras as K\nfrom .api import tf\n", "tf.keras.layers"),
    ("import functools\n", "layers"),
]


@pytest.mark.parametrize(("head", "module"), GIVEN_AWAY)
@pytest.mark.parametrize("word", ["MaxPooling2D", "MaxPool2D"])
def test_a_pool_of_keras_that_comes_from_a_module_of_the_project(head: str, module: str, word: str) -> None:
    found = row(f"{head}def f(x):\n    return {module}.{word}(pool_size=2, strides=2)(x)\n")

    assert (found.status, found.after) == ("caveat", "torch.nn.MaxPool2d(2)(x)")
    assert "comes from elsewhere" in found.note


def test_layers_of_pytorch_that_come_from_a_module_of_the_project() -> None:
    (found,) = ported("from .compat import nn\ny = nn.MaxPool2d(2)(x)\n", "keras").rows
    assert (found.status, found.after) == ("caveat", "keras.layers.MaxPooling2D(2)(x)")


def test_a_parameter_that_holds_the_layers() -> None:
    found = row("def f(x, kl):\n    return kl.AveragePooling2D(2)(x)\n")
    assert (found.status, found.after) == ("caveat", "torch.nn.AvgPool2d(2)(x)")


@pytest.mark.parametrize("lines", ["P = getattr(kl, 'AveragePooling2D', None)", "a = kl\n    P = a.AveragePooling2D"])
def test_another_name_of_what_a_parameter_holds_is_taken_for_granted_too(lines: str) -> None:
    (found,) = [one for one in ported(f"def f(x, kl):\n    {lines}\n    return P(2)(x)\n").rows if one.after]
    assert (found.status, found.after) == ("caveat", "torch.nn.AvgPool2d(2)(x)")
    assert "P comes from elsewhere" in found.note


NEIGHBOURS = {
    "from clip.model import AttentionPool2d as Pool\ny = Pool(7, 64, 8)\n": "attention with learned weights",
    "from .ops import crop_and_resize\ny = crop_and_resize(x, boxes, i, (7, 7))\n": "boxes [y1, x1, y2, x2]",
    "from .ops import ps_roi_align\ny = ps_roi_align(x, boxes, 7)\n": "channels of its own",
    "from .blurs import BlurPool\ny = BlurPool(64)\n": "port the file that defines it",
}


@pytest.mark.parametrize("source", NEIGHBOURS)
def test_neighbours_of_pooling_that_have_a_library_s_name_say_what_they_are(source: str) -> None:
    found = row(source, "keras")
    assert found.status == "failed"
    assert NEIGHBOURS[source] in found.note


def test_a_chain_of_caffe_tensorflow_says_what_its_numbers_are() -> None:
    chain = "self.feed('a').conv(3).max_pool(3, 2, 2, 1, padding='SAME')"
    found = row(f"class Net(Network):\n    def f(self):\n        {chain}\n")
    assert found.status == "failed"
    assert "max with window (3, 2), stride (2, 1) and padding 'SAME'" in found.note


def test_layers_of_an_object() -> None:
    found = row("class Net:\n    def f(self, x):\n        return self.layers.GlobalMaxPooling2D(keepdims=True)(x)\n")
    assert (found.status, found.after) == ("caveat", "torch.nn.AdaptiveMaxPool2d(1)(x)")


def test_a_module_of_the_project_with_a_star() -> None:
    found = row("from project.layer_utils import *\ny = MaxPooling2D((2, 2), strides=(2, 2))(x)\n")
    assert (found.status, found.after) == ("caveat", "torch.nn.MaxPool2d(2)(x)")


def test_what_belongs_to_a_layer_that_was_given_away_goes_with_it() -> None:
    source = (
        "def f(x, layers, c):\n    x = layers.GlobalAveragePooling2D()(x)\n    return layers.Reshape((1, 1, c))(x)\n"
    )
    assert ported(source).rows[0].after == "torch.nn.AdaptiveAvgPool2d(1)(x)"


NOT_READ = [
    "from .common import MaxPool2d\ny = MaxPool2d(pool_size=3, strides=2)(x)",  # a class of the project's own
    "from . import common\ny = common.MaxPool2d(pool_size=3, strides=2)(x)",
    "from .common import *\ny = MaxPool2d(3, strides=2)(x)",
    "from mxnet.gluon import nn\ny = nn.MaxPool2D(pool_size=3, strides=2, padding=1)(x)",
    "import mlx.nn as nn\ny = nn.MaxPool2d(2)(x)",
    "import framework.nn as nn\ny = nn.MaxPool2d(2)(x)",
    "def f(x, common):\n    return common.MaxPool2d(pool_size=3)(x)",
    "import mxnet\ndef f(x, nn):\n    return nn.MaxPool2D(3, 2)(x)",
    "from .ops import max_pool2d\ny = max_pool2d(x, 3, stride=2)",
    "from .ops import max_pool2d as pool\ny = pool(x, 3, stride=2)",
    "from .ops import *\ny = avg_pool(x, 3)",
    "from .ops import reduce_mean\ny = reduce_mean(x, [1, 2], name='avgpool')",
    "from .ops import reduce_mean\nh, w = [1, 2] if last else [2, 3]\ny = reduce_mean(x, [h, w], keepdims=True)",
    "from .ops import reduce_mean\naxes = [1, 2]\ny = reduce_mean(x, axes)",
    "import objax\ny = x.mean((2, 3), keepdims=True)",
    "y = net(x).max(axis=(1, 2))",
    "import tensorflow as tf\nblock(tf.raw_ops.MaxPool)",
    "import functools, tensorflow as tf\npool = functools.partial(tf.raw_ops.MaxPool, padding='SAME')",
    "class Net(Network):\n    def setup(self):\n        self.feed('data').conv(7, 7).max_pool(3, 3, 2, 2)",
    "class Net(Base):\n    def call(self, x):\n        return self.max_pool2d(x)",
    "from torch import nn\ny = getattr(nn, f'AvgPool{n}d')(2)(x)",
    "def f(x, pools):\n    return getattr(pools, 'max_pool')(x)",
    "from .registry import LAYERS\ny = LAYERS['max_pool'](2)(x)",
    "def f(x, layers):\n    return layers.get('max_pool')(2)(x)",
    "from .registry import build\nblock = build({'type': 'MaxPool2d', 'stride': 2}, 3)",
    "from .registry import build\nblock = build(dict(type='MaxPool2d', stride=2))",
    "def f(x, max_pool):\n    return max_pool(x)",
    "def f(x, common):\n    return block(x, pool=common.MaxPool2d)",
    "from .common import MaxPool2d\nPOOLS = {'max': MaxPool2d}",
    "from .common import MaxPool2d\nclass Pool(MaxPool2d): pass",
]


@pytest.mark.parametrize("source", NOT_READ)
def test_a_pool_that_nothing_reads_has_a_row(source: str) -> None:
    result = ported(f"{source}\n", "keras")

    assert [one.status for one in result.rows] == ["failed"]
    assert not result.complete


def test_another_name_for_a_pool_that_nothing_reads_is_called() -> None:
    named, called = ported(
        "import tensorflow as tf\nop = tf.raw_ops.MaxPool\ny = op(input=x, ksize=[1, 2, 2, 1])\n"
    ).rows

    assert (named.status, called.status) == ("left", "failed")
    assert "tensorflow.raw_ops.MaxPool is not among" in called.note


def test_a_pool_that_getattr_gives_is_the_one_with_a_dot() -> None:
    head = "from keras import layers\n"
    assert row(f"{head}y = getattr(layers, 'MaxPooling2D')(2)(x)\n").after == "torch.nn.MaxPool2d(2)(x)"
    assert row(f"{head}y = getattr(layers, 'MaxPool2D')(2)(x)\n").after == "torch.nn.MaxPool2d(2)(x)"
    handed = row(f"{head}block(getattr(layers, 'MaxPooling2D', None))\n")
    assert handed.after == 'pk.stand_in("keras.layers.MaxPooling2D", "torch")'


def test_a_text_that_the_target_has_for_its_own_class_is_left() -> None:
    assert ported("block = build(dict(type='MaxPool2d'))\n").rows == ()


def test_a_chain_over_several_lines_is_told_of_where_its_names_stand() -> None:
    source = "net = (self.feed('data')\n  .conv(3, 3)\n  .max_pool(3, 3, 2, 2)\n  .avg_pool(2, 2, 1, 1))\n"
    assert [one.where for one in ported(source).rows] == ["line 3", "line 4"]


def test_what_the_file_defines_is_left_and_what_pools_in_it_is_ported() -> None:
    source = (
        "import tensorflow as tf\n"
        "def max_pool2d(x):\n    return tf.nn.max_pool2d(x, 2, 2, 'VALID')\n"
        "y = max_pool2d(x)\n"
    )  # fmt: skip
    first, second = ported(source).rows
    assert (first.status, second.status) == ("exact", "left")
    assert "line 2" in second.note


def test_a_file_that_names_a_pool_and_calls_none_says_where() -> None:
    (found,) = ported("from .pools import max_pool2d\n").rows
    assert (found.where, found.before, found.status) == ("line 1", "max_pool2d", "left")
    assert ported("from concurrent.futures import ThreadPoolExecutor\n").rows == ()


def test_a_file_of_the_target_has_no_rows_for_its_wrappers() -> None:
    assert ported("import torch\nfrom .ops import max_pool2d\ny = max_pool2d(x)\n").rows == ()


def test_a_name_of_the_same_spelling_is_no_value_of_an_attribute() -> None:
    source = "import torch\ndef f(self, x):\n    global_pool = self.kind\n    return self.global_pool(x)\n"
    found = row(source, "keras")

    assert (found.before, found.status) == ("self.global_pool(x)", "failed")
    assert "nothing in this file says what self.global_pool is" in found.note


def test_a_name_of_the_targets_own_has_a_row_as_its_calls_have() -> None:
    source = "import torch\nfrom keras import layers\n"
    source += "P = layers.MaxPool2D if m else layers.AvgPool2D\nblock(layers.MaxPool2D)\n"
    rows = ported(source, "keras").rows
    assert [(one.where, one.before, one.after, one.status, one.note) for one in rows] == [
        ("line 3", "layers.MaxPool2D", "layers.MaxPool2D", "exact", "it is keras's already"),
        ("line 3", "layers.AvgPool2D", "layers.AvgPool2D", "exact", "it is keras's already"),
        ("line 4", "layers.MaxPool2D", "layers.MaxPool2D", "exact", "it is keras's already"),
    ]
    assert ported(source, "keras").text == source


OWN = "import tensorflow as tf\nfrom .layers import spatial_pool, make_pool as made\nfrom mine.ops import PyramidPool\n"


@pytest.mark.parametrize(
    ("source", "calls"),
    [
        ("y = spatial_pool(x, 2)", ["spatial_pool(x, 2)"]),
        ('y = made("max", 2)(x)', ['made("max", 2)']),
        ("y = PyramidPool(4)(x)", ["PyramidPool(4)"]),
        ("y = net.conv(x).pool(2)", ["net.conv(x).pool(2)"]),
    ],
)
def test_functions_of_a_project_that_have_the_word_in_their_names(source: str, calls: list[str]) -> None:
    found = ported(OWN + source, "torch")
    assert [row.before for row in found.rows] == calls
    assert not found.complete


@pytest.mark.parametrize(
    "source",
    [
        "from multiprocessing import Pool\ny = Pool(4).map(f, x)",
        "from .db import connection_pool, get_pool\nconnection_pool(4), get_pool()",
        "import mine\ny = mine.pool",
        "y = context().Pool(4)",
        "def my_pool(x): return x\ny = my_pool(x)",
        "y = max((1, 2)) + cache.get((1, 2)) + index.max({1, 2}) + index.max([1, (2, 3)])",
    ],
)
def test_pools_of_workers_and_functions_of_the_file_have_none(source: str) -> None:
    assert ported(f"import tensorflow as tf\n{source}\n", "torch").complete


def test_a_function_that_repeats_a_layer_counts_no_axes() -> None:
    source = "import tf_slim as slim\nx = slim.repeat(x, 2, slim.conv2d, 64, 3)\ny = slim.max_pool2d(x, 2, 2)\n"
    found = ported(source, "torch")
    assert [row.status for row in found.rows] == ["caveat"]
    assert "counts the axes" not in found.rows[0].note
    assert found.lines == ()
