"""Where imports of a ported file go and what is left of a block, whatever the file is like: it always is Python."""

from __future__ import annotations

import textwrap
import time

import pytest

from poolkit.errors import InputError
from poolkit.port.python import source as source_module
from poolkit.port.python.source import port_source
from tests.helpers.ports import ported

TWO_IMPORTS = """\
try:
    import keras.backend as K
    from keras.layers import MaxPooling2D
except ImportError:
    import tensorflow.keras.backend as K
    from tensorflow.keras.layers import MaxPooling2D
y = K.mean(MaxPooling2D(2)(x), axis=[1, 2])
"""


def runs(text: str) -> None:
    compile(text, "ported", "exec")


def test_a_try_whose_imports_all_go_goes_too() -> None:
    after = ported(TWO_IMPORTS).text
    assert after.startswith("import torch\ny = "), after
    runs(after)


def test_a_try_inside_a_try() -> None:
    inner = TWO_IMPORTS.split("\ny =")[0].replace("\n", "\n    ")
    handler = "except ImportError:\n    import keras.backend as K; from keras.layers import MaxPooling2D\n"
    after = port_source(f"try:\n    {inner}\n{handler}y = MaxPooling2D(2)(x), K.mean(x, axis=[1, 2])\n", "torch").text
    assert after.startswith("import torch\ny = "), after


@pytest.mark.parametrize("head", ["if old:", "while old:", "with old:", "def g():", "class A:"])
def test_a_block_whose_imports_all_go_is_not_empty(head: str) -> None:
    lines = "    import keras.backend as K\n    from keras.layers import MaxPooling2D\n"
    after = port_source(f"{head}\n{lines}    K, MaxPooling2D\nx = 1\n", "torch").text
    assert after == f"{head}\n{lines}    K, MaxPooling2D\nx = 1\n"
    inside = "    y = MaxPooling2D(2)(x)\n" if head.startswith(("def", "class")) else ""
    outside = "" if inside else "y = MaxPooling2D(2)(x)\n"
    after = port_source(f"{head}\n{lines.splitlines()[1]}\n{inside}{outside}", "torch").text
    assert "max_pool2d" in after or "MaxPool2d" in after
    runs(after)


def test_two_branches_of_an_if() -> None:
    source = """\
    if old:
        from keras import layers
        from keras.layers import MaxPooling2D
    else:
        from tensorflow.keras import layers
        from tensorflow.keras.layers import MaxPooling2D
    y = layers.AveragePooling2D(2)(MaxPooling2D(2)(x))
    """
    after = ported(source).text
    runs(after)
    assert "if old:\n    pass\nelse:\n    pass\n" in after


@pytest.mark.parametrize(
    "head",
    [
        "if True: from keras.layers import MaxPooling2D",
        "try: from keras.layers import MaxPooling2D\nexcept ImportError: from tf_keras.layers import MaxPooling2D",
        "if True: import os; from keras.layers import MaxPooling2D",
        "if True: import keras; from keras.layers import MaxPooling2D",
        "if True: from keras.layers import MaxPooling2D; import os",
    ],
)
def test_imports_on_the_line_of_a_block(head: str) -> None:
    after = port_source(f"{head}\ny = MaxPooling2D(2)(x)\n", "torch").text
    runs(after)
    assert after.endswith("y = torch.nn.MaxPool2d(2)(x)\n")
    assert "import os" in after or "import os" not in head


# ---------------------------------------------------------------------------------------------- where an import is put


@pytest.mark.parametrize(
    ("source", "first"),
    [
        (
            "import keras\nm = keras.layers.MaxPooling2D(2)\nfrom keras.layers import AveragePooling2D\n"
            "n = AveragePooling2D(2), keras\n",
            "import keras\nimport torch\n",
        ),
        (
            "x = 1\nif x:\n    import keras\nm = keras.layers.MaxPool2D(2)\nfrom keras.layers import Dense, AvgPool2D\n"
            "n = AvgPool2D(2), Dense, keras\n",
            "import torch\nx = 1\n",
        ),
        (
            "import keras\nm = keras.layers.MaxPooling2D(2)\nimport torch.nn as nn\nn = nn.Linear(2, 2)\n",
            "import torch\nm = torch.nn.MaxPool2d(2)\nimport torch.nn as nn\n",
        ),
    ],
)
def test_an_import_comes_before_what_needs_it(source: str, first: str) -> None:
    after = port_source(source, "torch").text
    assert after.startswith(first), after
    assert after.index("import torch\n") < after.index("torch.nn.")


TRY = "try:\n    import keras\nexcept E:\n    from tensorflow import keras\nm = keras.layers.MaxPool2D(2), keras\n"


@pytest.mark.parametrize(
    "head",
    [
        "#!/usr/bin/env python\n",
        "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n",
        "# -*- coding: latin-1 -*-\n",
        '"""A docstring."""\n',
        '#!/usr/bin/env python\n"""A\ndocstring."""\nfrom __future__ import annotations\n',
        "# The license.\n# More of it.\n\n",
        '("A docstring in "\n "two parts")\nfrom __future__ import annotations\n',
        "'''doc'''; from __future__ import annotations\n",
    ],
)
def test_what_has_to_be_first_stays_first(head: str) -> None:
    after = port_source(f"{head}{TRY}", "torch").text
    assert after.startswith(f"{head}import torch\n"), after
    runs(after)


def test_an_import_comes_before_the_decorators_of_the_first_function() -> None:
    after = port_source(
        "@deco\ndef f(x):\n    import keras\n    return keras.layers.MaxPooling2D(2)(x)\n", "torch"
    ).text
    assert after.startswith("import torch\n@deco\ndef f(x):\n")


def test_imports_after_others_on_a_line() -> None:
    after = port_source("from __future__ import annotations; import keras\nm = keras.layers.MaxPooling2D(2)\n", "torch")
    assert after.text == "from __future__ import annotations\nimport torch\nm = torch.nn.MaxPool2d(2)\n"


@pytest.mark.parametrize("head", ['"""doc"""; ', "from __future__ import annotations; ", "'d'; import keras; "])
def test_a_use_on_the_line_of_what_has_to_be_first(head: str) -> None:
    rest = "" if "keras" in head else "import keras; "
    after = port_source(f"{head}{rest}m = keras.layers.MaxPooling2D(2)\n", "torch").text
    assert after.endswith("; import torch; m = torch.nn.MaxPool2d(2)\n"), after
    runs(after)


def test_what_is_deleted_is_imported() -> None:
    after = port_source("import keras\nm = keras.layers.MaxPooling2D(2)\ndel keras\n", "torch").text
    assert after == "import keras\nimport torch\nm = torch.nn.MaxPool2d(2)\ndel keras\n"


def test_old_line_ends_are_refused() -> None:
    with pytest.raises(InputError, match="carriage return") as caught:
        port_source("import keras\rm = keras.layers.MaxPooling2D(2)\r", "torch", name="old.py")
    assert "old.py" in str(caught.value)


# --------------------------------------------------------------------------------------------------- comments, brackets


def test_comments_of_kept_names_stay() -> None:
    source = """\
    from keras.layers import (
        Flatten,  # flat
        AveragePooling2D,  # avg
        # dense ones
        Dense,
        GlobalAveragePooling2D  # gap
    )
    y = Dense(2)(AveragePooling2D(2)(GlobalAveragePooling2D(keepdims=True)(Flatten()(x))))
    """
    after = ported(source).text
    kept = "from keras.layers import (\n    Flatten,  # flat\n    # dense ones\n    Dense,\n)\nimport torch\n"
    assert after.startswith(kept), after
    runs(after)


def test_comments_of_kept_names_stay_where_several_are_on_a_line() -> None:
    source = "from keras.layers import (Flatten,  # flat\n    MaxPool2D, Dense,  # dense\n    AvgPool2D)\n"
    after = port_source(f"{source}y = Flatten, Dense, MaxPool2D(2), AvgPool2D(2)\n", "torch").text
    assert "# flat" in after
    assert "# dense" in after
    assert "Pool2D" not in after
    runs(after)


def test_names_continued_with_a_backslash() -> None:
    source = (
        "from keras.layers import Conv2D, \\\n    MaxPooling2D, \\\n    Dense\ny = Conv2D, Dense, MaxPooling2D(2)\n"
    )
    after = port_source(source, "torch").text
    assert after.startswith("from keras.layers import Conv2D, \\\n    Dense\n")
    runs(after)


@pytest.mark.parametrize("tensor", ["(yield 3)", "(z := x)", "(yield)", "((yield 3))"])
def test_brackets_that_an_argument_needs_stay(tensor: str) -> None:
    source = f"from keras.layers import MaxPooling2D\ndef f(x):\n    return MaxPooling2D(2, padding='same')({tensor})\n"
    for to in ("torch", "tensorflow", "jax"):
        after = port_source(source, to)
        runs(after.text)
        assert tensor.strip("()") in after.text
        assert after.complete
        assert tensor.strip("()") in after.rows[0].after


@pytest.mark.parametrize("broken", ["y = (", "import os\nfrom __future__ import annotations"])
def test_a_result_that_is_no_python_is_not_given(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "pieces", lambda *_: [broken])
    unchanged()
    monkeypatch.undo()
    monkeypatch.setattr(source_module, "finish", lambda *_: broken)
    unchanged()


def test_part_of_a_notebook_that_does_not_compile() -> None:
    source = "from keras.layers import MaxPooling2D\nreturn MaxPooling2D(2)(x)\n"
    assert port_source(source, "torch").text == "import torch\nreturn torch.nn.MaxPool2d(2)(x)\n"


def unchanged() -> None:
    source = textwrap.dedent("from keras.layers import MaxPooling2D\ny = MaxPooling2D(2)(x)\n")
    after = port_source(source, "torch")
    assert after.text == source
    assert [(row.status, row.after, row.ported) for row in after.rows] == [("failed", "", None)]
    assert "no Python" in after.rows[0].note


def test_a_name_that_has_many_values_takes_no_long_time() -> None:
    head = "from keras.layers import MaxPooling2D\ndef f(x):\n"
    start = time.perf_counter()
    after = port_source(head + "    x = MaxPooling2D(2)(x)  # half\n" * 1000, "torch")
    assert time.perf_counter() - start < 30  # 2 s here, and minutes where each call goes over all the others
    assert len(after.rows) == 1000
