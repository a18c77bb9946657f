"""Windows that go by a shape: global where that is proven, failed where it is not and the axes change their places."""

from __future__ import annotations

import textwrap

import pytest

from tests.helpers.ports import ported, row, same_numbers

KERAS = "import math\nfrom keras.layers import AveragePooling2D, Layer\nfrom keras.backend import int_shape\n"
TORCH = "import torch.nn.functional as F\n"


def body(head: str, *lines: str, name: str = "f(x, size=None)") -> str:
    return f"{head}def {name}:\n" + textwrap.indent("\n".join(lines), "    ") + "\n"


SIZED = {
    "a size of less": ["h, w = x.shape[1:3]", "h -= 1", "return AveragePooling2D((h, w))(x)"],
    "a default": ["if size is None:", "    size = x.shape[1:3]", "return AveragePooling2D(size)(x)"],
    "one of two": [
        "try:",
        "    h, w = x.shape[1:3]",
        "except ValueError:",
        "    h, w = 7, 7",
        "return AveragePooling2D((h, w))(x)",
    ],
    "half": ["return AveragePooling2D((int_shape(x)[1] // 2, int_shape(x)[2] // 2))(x)"],
    "half of a list": ["s = x.get_shape().as_list()", "return AveragePooling2D((s[1] // 2, s[2] // 2))(x)"],
    "half at once": ["return AveragePooling2D((x.get_shape().as_list()[1] // 2, 2))(x)"],
    "half of each": ["return AveragePooling2D(tuple(s // 2 for s in x.shape[1:3]))(x)"],
    "half of each of a list": ["return AveragePooling2D([s // 2 for s in int_shape(x)[1:-1]])(x)"],
    "side by side": [
        "k = [s // n for s, n in zip(int_shape(x)[1:3], size)]",
        "return AveragePooling2D(k, strides=k)(x)",
    ],
    "each with its number": ["k = [s // (n + 2) for n, s in enumerate(x.shape[1:3])]", "return AveragePooling2D(k)(x)"],
    "an axis by the order": [
        "a, b = [2, 3] if size else [1, 2]",
        "return AveragePooling2D((x.shape[a] // 2, x.shape[b]))(x)",
    ],
    "by a name of a name": ["h = x.shape[1]", "k = math.ceil(h / 3)", "return AveragePooling2D((k, 2))(x)"],
}

UNPROVEN = {
    "by a function of the tensor": ["size = reduced(x, [7, 7])", "return AveragePooling2D(size)(x)"],
    "changed in the loop": [
        "h, w = x.shape[1:3]",
        "for block in size:",
        "    y = AveragePooling2D((h, w))(x)",
        "    h, w = h // 2, w // 2",
        "return y",
    ],
    "each by a function": ["return AveragePooling2D([size(s) for s in int_shape(x)[1:3]])(x)"],
    "some": ["return AveragePooling2D([s for s in int_shape(x)[1:] if s > 3])(x)"],
    "each of another": ["return AveragePooling2D([s // 2 for s in int_shape(size)[1:3]])(x)"],
    "of several turns": ["return AveragePooling2D([s // t for s in x.shape[1:2] for t in x.shape[2:3]])(x)"],
    "an attribute": ["h = size.net.shape[1]", "size.net = f(size.net)", "return AveragePooling2D((h, 1))(size.net)"],
    "an item": ["h, w = x[-1].shape[1:3]", "x.append(f(x[-1]))", "return AveragePooling2D((h, w))(x[-1])"],
    "a stored item": ["h, w = x[0].shape[1:3]", "x[0] = f(x[0])", "return AveragePooling2D((h, w))(x[0])"],
    "an inner function": [
        "h, w = x.shape[1:3]",
        "def inner(x):",
        "    return AveragePooling2D((h, w))(x)",
        "return inner(size(x))",
    ],
    "axes the other way round": [
        "a, b = [3, 2] if size else [2, 1]",
        "return AveragePooling2D((x.shape[a] // 2, x.shape[b]))(x)",
    ],
    "an axis that may be another": ["return AveragePooling2D((x.shape[size], x.shape[2]))(x)"],
    "a walrus": ["return AveragePooling2D(((h := x.shape[1]), (w := x.shape[2])))(x), h, w"],
}


@pytest.mark.parametrize("lines", UNPROVEN.values(), ids=UNPROVEN)
def test_a_window_by_a_shape_that_is_not_proven_to_be_the_map_fails(lines: list[str]) -> None:
    found = row(body(KERAS, *lines))
    assert found.status == "failed", found
    assert "by hand" in found.note


@pytest.mark.parametrize("lines", SIZED.values(), ids=SIZED)
def test_a_window_that_goes_by_sizes_of_the_map_has_them_in_the_other_order(lines: list[str]) -> None:
    *sizes, found = ported(body(KERAS, *lines)).rows
    assert found.status != "failed", found
    assert all(size.after.startswith(("x.shape[", "(x.shape[")) for size in sizes)
    assert sizes or "x.shape[2" in found.after


@pytest.mark.parametrize("lines", UNPROVEN.values(), ids=UNPROVEN)
def test_it_is_carried_over_where_the_axes_stay(lines: list[str]) -> None:
    assert row(body(KERAS, *lines), "tensorflow").status != "failed"


def test_attributes_that_a_method_sets_from_a_shape() -> None:
    source = """\
    from keras.layers import AveragePooling2D, Layer
    class Pool(Layer):
        def build(self, input_shape):
            self.h = input_shape[1]
            self.pool = AveragePooling2D((self.h, self.h))
    """
    assert row(textwrap.dedent(source)).status == "failed"


def test_names_of_the_module() -> None:
    source = f"{KERAS}h, w = y.shape[1:3]\ndef f(x):\n    return AveragePooling2D((h, w))(x)\n"
    assert row(source).status == "failed"


@pytest.mark.parametrize(
    "lines",
    [
        ["return F.avg_pool2d(x, (x.size(2) // 2, x.size(3) // 2))"],
        ["if size is None:", "    size = x.shape[2:]", "return F.avg_pool2d(x, size)"],
        ["b, c, h, w = x.size()", "return F.avg_pool2d(x, (h // 2, w // 2))"],
    ],
)
def test_from_torch(lines: list[str]) -> None:
    after = ported(body(TORCH, *lines), "keras")
    assert after.complete, after.rows
    assert "x.size" not in after.text


ANNOTATED = ["h: int = x.shape[1]", "w: int = x.shape[2]", "return AveragePooling2D((h, w))(x)"]
NET = [
    "h, w = self.net.get_shape().as_list()[1:3]",
    "return AveragePooling2D((h, w))(self.net)",
]
MAPPED = ["return AveragePooling2D(tuple(map(int, x.shape[1:3])))(x)"]
TURN = ["for block in size:", "    h, w = x.shape[1:3]", "    x = block(AveragePooling2D((h, w))(x))", "return x"]


@pytest.mark.parametrize(
    "lines", [ANNOTATED, NET, TURN, MAPPED], ids=["annotated", "an attribute", "each turn anew", "mapped"]
)
def test_what_is_proven_is_global(lines: list[str]) -> None:
    found = row(body(KERAS, *lines))
    assert found.status == "exact"
    assert found.after.startswith("torch.nn.AdaptiveAvgPool2d(1)(")


def test_a_window_by_an_argument_is_carried_over() -> None:
    source = body(KERAS, "k = size // 2", "return AveragePooling2D((k, size))(x)")
    assert ported(source).text.splitlines()[-1].strip() == "return torch.nn.AvgPool2d((k, size))(x)"


# The tuple or number that takes the place of a look has no as_list, numpy, tolist or value.
LOOKS = [
    "_, h, w, _ = x.get_shape().as_list()",
    "s = x.shape.as_list()\n    h, w = s[1], s[2]",
    "h, w = x.shape[1:3].as_list()",
    "s = x.get_shape()\n    s = s.as_list()\n    h, w = s[1:3]",
    "_, h, w, _ = tf.shape(x).numpy()",
    "h, w = tf.shape(x)[1:3].numpy().tolist()",
    "h, w = tf.shape(x).numpy()[1], x.shape[2]",
    "h, w = [int(s) for s in x.shape[1:3]]",
]


@pytest.mark.parametrize("look", LOOKS)
def test_a_port_runs_where_sizes_were_asked_for_as_numbers(look: str) -> None:
    pool = "tf.nn.avg_pool2d(x, (h // 3, w // 2), (h // 3, w // 2), 'VALID')"
    same_numbers(f"import tensorflow as tf\n\ndef f(x):\n    {look}\n    return {pool}\n", of="tensorflow")


def test_a_size_of_tensorflow_1_is_a_number_in_the_port() -> None:
    source = body(
        "import tensorflow as tf\n", "h = x.shape[1].value", "return tf.nn.avg_pool2d(x, h // 2, h // 2, 'VALID')"
    )
    assert "h = x.shape[2]\n" in ported(source).text


def test_sizes_of_what_a_layer_is_called_with_are_told_of() -> None:
    found = ported(body(KERAS, "pool = AveragePooling2D((x.shape[1], x.shape[2]))", "return pool(x)")).rows[-1]
    assert (found.status, found.after) == ("caveat", "torch.nn.AvgPool2d((x.shape[2], x.shape[3]))")
    assert "sizes of x, which is taken for a map in the order NHWC" in found.note


def test_sizes_of_a_map_in_another_turn_are_told_of() -> None:
    lines = [
        "h, w = x.shape[1:3]",
        "for block in size:",
        "    y = AveragePooling2D((h, w))(x)",
        "    x = block(x)",
        "return y",
    ]
    _, found = ported(body(KERAS, *lines)).rows
    assert (found.status, found.after) == ("caveat", "torch.nn.AvgPool2d((h, w))(x)")
    assert "sizes of x, which is taken for a map in the order NHWC" in found.note


def test_sizes_of_another_tensor_of_the_same_name_are_refused() -> None:
    lines = ["s = x.get_shape()", "x = size(x)", "s = s.as_list()", "return AveragePooling2D((s[1] // 2, 2))(x)"]
    assert row(body(KERAS, *lines)).status == "failed"


OF_ANOTHER = [
    "n, c, h, w = x.size()\n    k = min(3, h, w)\n    y = x * 2 + 1\n    return F.max_pool2d(y, (k, k), 1, k // 2)",
    "b, c, h, w = x.shape\n    y = x + x\n    return F.avg_pool2d(y, (h // 3, w // 2))",
    "z = [x]\n    h, w = z[0].shape[-2:]\n    return F.avg_pool2d(x + 1, (h // 3, w // 2))",
    "z = [x]\n    s = z[0].size()[2:]\n    return F.adaptive_max_pool2d(input=x + 1, output_size=s)",
    "y = F.max_pool2d(x, 1)\n    h = y.shape[2]\n    z = y * 2 - 1\n    return F.avg_pool2d(z, (h // 3, 2))",
]


@pytest.mark.parametrize("lines", OF_ANOTHER)
def test_sizes_of_another_map_come_to_other_places_and_are_told_of(lines: str) -> None:
    source = f"{TORCH}def f(x):\n    {lines}\n"
    (found,) = (one for one in ported(source, "keras").rows if "taken for a map in the order NCHW" in one.note)
    assert found.status == "caveat"
    same_numbers(source, of="torch", to="keras")


@pytest.mark.parametrize(
    "lines",
    [
        "h, w = z.shape[1:]\n    return F.avg_pool2d(x, (h, w))",  # of three axes
        "b, n, c = z.shape\n    return F.avg_pool2d(x, n)",
        "o, i, h, w = self.weight.shape\n    return F.avg_pool2d(x, (h, w))",
        "b, c, h, w = z.shape\n    return F.avg_pool2d(x, (c, w))",
        "b, c, h, w = z.shape\n    return F.avg_pool2d(x, smaller(z, h))",
    ],
)
def test_sizes_of_what_may_be_no_such_map_are_refused(lines: str) -> None:
    assert row(f"{TORCH}def f(self, x, z):\n    {lines}\n", "keras").status == "failed"
