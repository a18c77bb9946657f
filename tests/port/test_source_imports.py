"""Imports of ported Python source: found under any alias, added where needed, removed where nothing needs them."""

from __future__ import annotations

import pytest

from poolkit.port.python.source import port_source
from tests.helpers.ports import line, ported


@pytest.mark.parametrize(
    "head",
    [
        "import keras\nMax = keras.layers.MaxPooling2D\n",
        "import tensorflow as tf\nlayers = tf.keras.layers\nMax = layers.MaxPooling2D\n",
        "from tensorflow.keras.layers import MaxPooling2D as Max\n",
        "from tensorflow.python.keras.layers import MaxPooling2D as Max\n",
        "from keras.layers import MaxPool2D as Max\n",
        "import keras.layers as L, keras as k\nMax = L.MaxPooling2D\n",
        "from keras import layers; Max = layers.MaxPooling2D\n",
    ],
)
def test_any_alias(head: str) -> None:
    after = ported(f"{head}y = Max(2)(x)\n").text
    assert after.splitlines()[-1] == "y = torch.nn.MaxPool2d(2)(x)"
    assert "Max =" not in after
    assert "keras as k" in after or "keras" not in after.replace("keras as k", "")


def test_everything_imported() -> None:
    source = "from tensorflow.keras.layers import *\ny = MaxPooling2D(2)(Dense(3)(x))\n"
    assert line(source) == "y = torch.nn.MaxPool2d(2)(Dense(3)(x))"


def test_aliases_that_the_file_has_are_used() -> None:
    own = "import torch.nn as nn\nimport torch.nn.functional as F\n"
    source = (
        f"{own}import tensorflow as tf\n\ny = tf.nn.avg_pool2d(x, 2, 2, 'VALID')\nz = tf.keras.layers.AvgPool2D()\n"
    )
    assert ported(source).text == f"{own}\ny = F.avg_pool2d(x, 2)\nz = nn.AvgPool2d(2)\n"


def test_a_name_that_is_taken() -> None:
    source = "from keras import layers\npk = 3\ny = layers.MaxPooling2D(3, padding='same')(x) + pk\n"
    after = ported(source).text
    assert after.startswith("import poolkit\npk = 3\n")
    assert "y = poolkit.PoolSpec(" in after


def test_imports_of_several_names() -> None:
    source = """\
    from __future__ import annotations
    from tensorflow.keras.layers import (
        Conv2D,
        MaxPooling2D,
        Dense,
        GlobalAveragePooling2D,
    )

    y = Dense(2)(GlobalAveragePooling2D()(MaxPooling2D()(Conv2D(1, 1)(x))))
    """
    after = ported(source).text
    future, rest = after.split("\n", 1)
    assert future == "from __future__ import annotations"
    assert rest.startswith("from tensorflow.keras.layers import (\n    Conv2D,\n    Dense,\n)\nimport torch\n")


def test_imports_that_other_code_needs_stay() -> None:
    source = "import tensorflow as tf\n\nprint(tf.__version__)\ny = tf.nn.max_pool2d(x, 2, 2, 'VALID')\n"
    assert ported(source).text.startswith("import tensorflow as tf\nimport torch\n")


def test_a_port_that_has_nothing_to_do_changes_nothing() -> None:
    source = "import keras\n\n\ty = 1\n".replace("\t", "")
    assert ported(source).text == source
    already = "from torch import nn\n\npool = nn.MaxPool2d(2)\n"
    after = ported(already)
    assert after.text == already
    assert [r.status for r in after.rows] == ["exact"]


def test_windows_line_ends_and_comments_stay() -> None:
    source = "from keras import layers\r\n\r\nx = layers.MaxPooling2D(\r\n    2,  # half\r\n)(x)  # é\r\n"
    assert port_source(source, "torch").text == ("import torch\r\n\r\n# half\r\nx = torch.nn.MaxPool2d(2)(x)  # é\r\n")


def test_imports_of_a_try() -> None:
    source = """\
    try:
        from keras import layers
    except ImportError:
        from tensorflow.keras import layers
    y = layers.MaxPooling2D(2)(x)
    """
    assert line(source) == "y = torch.nn.MaxPool2d(2)(x)"
    assert "keras" not in ported(source).text
