"""`poolkit diff`: what the terminal shows, exit codes, JSON and unusable input."""

# ruff: noqa: E501  (tables with a case a line)

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

import poolkit as pk
from poolkit.cli.commands import poolkit
from tests.helpers.support import python

GAP = "nn.AdaptiveAvgPool2d(1)"
SAME_MAX = "keras.layers.MaxPooling2D(3, 2, padding='same')"


# ---------------------------------------------------------------------------------------------------- command line


def run(*arguments: str) -> Result:
    return CliRunner().invoke(poolkit, ["diff", *arguments], catch_exceptions=False)


IDENTITY = """\
A: nn.AdaptiveAvgPool2d(1)  =  avg output_size=1 layout=NCHW keepdims=true
B: nn.AvgPool2d(1)  =  avg window=1 layout=NCHW

They differ:
  B is the identity: its windows hold one cell each
  A averages over the whole map, whatever its size
They give the same numbers at 1x1 only.

An input of A of shape (1, 1, 4, 4) becomes (1, 1, 1, 1) with A and (1, 1, 4, 4) with B; 16 of 16 output cells differ.

For example, output cell (0, 0) of an input that holds 0, 1, 2, ...:
  A gives 7.5, from H 0-3, W 0-3, divided by 16
  B gives 0, from H 0, W 0, divided by 1
along H, output cell 0
  input  0 1 2 3
  A      # # # #  counts 4
  B      #        counts 1
"""

PADS = """\
A: keras.layers.MaxPooling2D(3, 2, padding='same')  =  max window=3 stride=2 padding=same layout=NHWC
B: nn.MaxPool2d(3, 2, padding=1)  =  max window=3 stride=2 padding=1 layout=NCHW

They differ:
  A pads 0 low and 1 high at even sizes, B 1 and 1
They give the same numbers at odd sizes and at 2.

An input of A of shape (1, 4, 4, 1) becomes (1, 2, 2, 1) with A and (1, 1, 2, 2) with B; 4 of 4 output cells differ.

For example, output cell (0, 0) of an input that holds 0, 1, 2, ...:
  A gives 10, from H 0-2, W 0-2
  B gives 5, from H 0-1, W 0-1
along H, output cell 0
  input    0 1 2 3
  A        # # #
  B      . # #
"""

COUNTS = """\
A: timm.layers.AvgPool2dSame(2, 2)  =  avg window=2 padding=same layout=NCHW count_include_pad=true
B: keras.layers.AveragePooling2D(2, 2, padding='same')  =  avg window=2 padding=same layout=NHWC

They differ:
  A counts padding in the average; B does not
They give the same numbers at even sizes.

An input of A of shape (1, 1, 5, 5) becomes (1, 1, 3, 3) with A and (1, 3, 3, 1) with B; 5 of 9 output cells differ: (0, 2), (1, 2), (2, 0), (2, 1), (2, 2).

For example, output cell (0, 2) of an input that holds 0, 1, 2, ...:
  A gives 3.25, from H 0-1, W 4, divided by 4
  B gives 6.5, from H 0-1, W 4, divided by 2
along W, output cell 2
  input  0 1 2 3 4
  A              # .  counts 2
  B              # .  counts 1
"""

GOLDEN = [
    (GAP, "nn.AvgPool2d(1)", IDENTITY),
    (SAME_MAX, "nn.MaxPool2d(3, 2, padding=1)", PADS),
    ("timm.layers.AvgPool2dSame(2, 2)", "keras.layers.AveragePooling2D(2, 2, padding='same')", COUNTS),
]


@pytest.mark.parametrize(("a", "b", "printed"), GOLDEN, ids=["identity", "padding", "counts"])
def test_what_the_terminal_shows(a: str, b: str, printed: str) -> None:
    result = run(a, b)
    assert result.exit_code == 1
    assert result.output.split("\nnote: ")[0].rstrip("\n") == printed.rstrip("\n")


def test_exit_codes_and_json() -> None:
    same = run("nn.MaxPool2d(3, 1, 1)", "max window=3 stride=1 padding=same layout=NHWC")
    assert (same.exit_code, "They are equal" in same.output) == (0, True)
    found = run(GAP, "nn.AvgPool2d(1)", "--shape", "2,8,6,6", "--json")
    facts = json.loads(found.output)
    assert (found.exit_code, facts["equal"], facts["agree"]) == (1, False, "at 1x1 only")
    assert facts["shapes"] == [[2, 8, 1, 1], [2, 8, 6, 6]]
    assert facts["cells"]["differ"] == facts["cells"]["of"] == 36
    assert facts["example"]["values"] == [17.5, 0.0]
    assert facts["a"] == {"given": GAP, "spec": pk.read(GAP).to_dict()}
    assert run("x.mean((1, 2))", "x.mean((2, 3))", "--layout", "NHWC,NCHW").exit_code == 0
    assert run("x.mean((1, 2))", "x.mean((1, 2))", "--layout", "NHWC").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("nn.AvgPool2d(3)", "nn.AvgPool1d(3)"), "InputError: received A (nn.AvgPool2d(3)) and B (nn.AvgPool1d(3)), whose inputs have 2 and 1"),
        (("nn.AvgPool2d(3)", "nn.Conv2d(3)"), "NotExactError"),
        (("nn.AvgPool2d(3)", "nn.AvgPool2d(k)"), "window=k is not known"),
        (("nn.AvgPool2d(3)", "nonsense"), "SpecError"),
        (("nn.AvgPool2d(3)", "nn.AvgPool2d(3"), "InputError"),
        (("nn.AvgPool2d(3)", "b h w c -> b 1 1 c"), "einops reduces by mean"),
        (("nn.AvgPool2d(3)", GAP, "--shape", "8,8"), "ShapeError: received the shape (8, 8)"),
        (("nn.AvgPool2d(3)", GAP, "--shape", "8,x"), "a shape is ints with commas"),
    ],
)  # fmt: skip
def test_unusable_input(arguments: tuple[str, ...], text: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert text in result.stderr
    assert "Traceback" not in result.stderr


def test_no_framework_is_imported() -> None:
    code = (
        "import sys, poolkit as pk; pk.diff('nn.MaxPool2d(3, 2, 1)', \"keras.layers.MaxPooling2D(3, 2, padding='same')\");"
        "print(*sorted({'torch', 'keras', 'tensorflow', 'jax', 'timm'} & set(sys.modules)))"
    )
    assert python(code) == "\n"
