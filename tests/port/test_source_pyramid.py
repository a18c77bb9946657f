"""Windows that are computed from the sizes of what they pool, as those of a pyramid are."""

from __future__ import annotations

import pytest

from tests.helpers.ports import ported, row, same_numbers

KERAS = "import keras\nimport numpy as np\nfrom keras.layers import AveragePooling2D, MaxPooling2D\n"
FORMAT = "keras.config.image_data_format()"
PYRAMIDS = {
    "divided": "h, w = x.shape[1], x.shape[2]\n    return AveragePooling2D((h // f, w // f))(x)",
    "rounded": "size = [int(round(x.shape[1] / f)), int(round(x.shape[2] / f))]\n"
    "    return AveragePooling2D(size, strides=size, padding='same')(x)",
    "by numpy": "h = x.shape[1]\n    w = x.shape[2]\n"
    "    size = strides = [int(np.ceil(float(h) / f)), int(np.ceil(w / f))]\n"
    "    return MaxPooling2D(size, strides)(x)",
    "unpacked": "_, h, w, _ = x.shape\n    return AveragePooling2D((h // f, w // f))(x)",
    "a slice": "h, w = x.shape[1:3]\n    return AveragePooling2D((h // f, w // f), (w // f, h // f))(x)",
    "a slice from behind": "h, w = x.shape[-3:-1]\n    return AveragePooling2D((h // f, w // f))(x)",
    "a shape with a name": "shape = x.shape\n    return AveragePooling2D((shape[1] // f, shape[2] // f))(x)",
    "a size of a slice": "s = x.shape[1:3]\n    return AveragePooling2D([s[0] // f, s[1] // f])(x)",
    "in the call": "return AveragePooling2D((x.shape[1] // f, x.shape[2] // f))(x)",
    "one side for both": "return AveragePooling2D(x.shape[2] // f)(x)",
    "the other side": "return AveragePooling2D((x.shape[2] // f, x.shape[1] // 2 // f))(x)",
    "one of two": "k = x.shape[2] // f if f > 1 else x.shape[1] // 2\n    return AveragePooling2D(k)(x)",
    "one of two assignments": "k = x.shape[1] - 2\n    if f > 1:\n        k = x.shape[2] // f\n"
    "    return AveragePooling2D(k)(x)",
    "both orders": f"if {FORMAT} == 'channels_first':\n        h, w = x.shape[2], x.shape[3]\n"
    "    else:\n        h, w = x.shape[1], x.shape[2]\n    return AveragePooling2D((h // f, w // f))(x)",
    "both orders in a line": f"s = x.shape[1:3] if {FORMAT} == 'channels_last' else x.shape[2:]\n"
    "    return AveragePooling2D([s[0] // f, s[1] // f])(x)",
    "another map, in both orders": f"s = x.shape[1:-1] if {FORMAT} == 'channels_last' else x.shape[2:]\n"
    "    y = x * 2.0 + 1.0\n    return AveragePooling2D([s[0] - (f - 1) * (s[0] // f), s[1] // f])(y)",
    "a part of a parameter": "k = (f,) * 3\n    def g(x, k=(2, 3)):\n"
    "        return AveragePooling2D((x.shape[1] // k[0], x.shape[2] // k[1]))(x)\n    return g(x, k[1:])",
    "an order from elsewhere": f"o = {FORMAT}\n    if o == 'channels_first':\n"
    "        h = x.shape[2]\n        w = x.shape[3]\n"
    "    elif o == 'channels_last':\n        h = x.shape[1]\n        w = x.shape[2]\n"
    "    return AveragePooling2D((h // f, w // f), data_format=o)(x)",
}


@pytest.mark.parametrize("kind", PYRAMIDS)
@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_pyramid_has_the_numbers_of_the_original(kind: str, level: int) -> None:
    same_numbers(f"{KERAS}def f(x, f):\n    {PYRAMIDS[kind]}\n", level)


def test_sizes_in_a_list_that_tensorflow_may_take_for_all_axes() -> None:
    source = "import tensorflow as tf\ndef f(x, f):\n    size = [x.shape[1] // f, x.shape[2] // f]\n"
    same_numbers(f"{source}    return tf.nn.avg_pool2d(x, size, size, 'VALID')\n", 2, of="tensorflow")
    longer = "size = [1, x.shape[1] // f, x.shape[2] // f, 1]"
    found = ported(
        f"import tensorflow as tf\ndef f(x, f):\n    {longer}\n    return tf.nn.avg_pool2d(x, size, 1, 'SAME')"
    )
    assert "size may be one number" in found.rows[-1].note


def test_each_size_has_a_row() -> None:
    rows = ported(f"{KERAS}def f(x, f):\n    {PYRAMIDS['divided']}\n").rows

    assert [(found.before, found.after) for found in rows[:2]] == [
        ("x.shape[1]", "x.shape[2]"),
        ("x.shape[2]", "x.shape[3]"),
    ]
    assert rows[0].note == "the pool of line 6 goes by it, and the axes come to other places"


def test_in_the_order_of_the_file_sizes_stay() -> None:
    source = f"{KERAS}def f(x, f):\n    {PYRAMIDS['divided']}\n"

    assert "h, w = x.shape[1], x.shape[2]" in ported(source, layout="NHWC").text


HEAD = "import torch\nimport torch.nn.functional as F\ndef f(x):\n    "
TORCH = [
    "return F.avg_pool2d(x, (1, x.size(3)), 2)",
    "return F.avg_pool2d(x, (2, x.size(3)))",
    "return F.avg_pool2d(x, (x.size(2) // 2, x.size(3)))",
    "return F.avg_pool2d(x, (x.size(3), x.size(2) - 2))",
    "return F.avg_pool2d(x, x.size(3))",
    "h = 2\n    if len(x) > 1:\n        h = x.shape[2:]\n    return F.avg_pool2d(x, h)",
    "h = 2\n    try:\n        h = x.size(3)\n    except TypeError:\n        pass\n    return F.avg_pool2d(x, h)",
    "return F.adaptive_avg_pool2d(x, (max(x.size(2) // 2, 3), x.size(3) // 3))",
    "class A:\n        k = 3\n        def f(self, x):\n            return F.adaptive_avg_pool2d(x, (self.k, x.size(2)))"
    "\n    return A().f(x)",
    "b, c, h, w = x.size()\n    return F.max_pool2d(x, (h // 2, w // 3), stride=(1, w // 2))",
]


@pytest.mark.parametrize("body", TORCH)
def test_windows_of_torch_go_by_their_sizes(body: str) -> None:
    same_numbers(f"{HEAD}{body}\n", of="torch", to="keras")


OTHERS = {
    "another tensor": "h = y.shape[1]\n    return AveragePooling2D(h // 2)(x)",
    "a function of the project": "return AveragePooling2D(smaller(x.shape[1]))(x)",
    "a tensor that has changed": "h = x.shape[1]\n    x = y(x)\n    return AveragePooling2D(h // 2)(x)",
    "an attribute": "self.h = x.shape[1]\n    return AveragePooling2D(self.h // 2)(x)",
    "an order that one axis has": "h = x.shape[2]\n    return AveragePooling2D((h, 2), data_format=y)(x)",
    "a size that grows": "k = x.shape[1]\n    while y:\n        k = k // 2\n    return AveragePooling2D(k)(x)",
    "one after the other": "for k in x.shape[1:3]:\n        x2 = AveragePooling2D(k)(x)",
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_not_known_to_be_its_size_is_refused(kind: str) -> None:
    found = row(f"{KERAS}def f(self, x, y):\n    {OTHERS[kind]}\n")

    assert (found.status, found.after) == ("failed", "")
    assert "its window is taken from a shape" in found.note
