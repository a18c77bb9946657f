"""The command line: what it prints for people and for programs, and its exit codes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

import poolkit as pk
from poolkit.cli import main
from poolkit.cli.commands import poolkit
from poolkit.tools import conformance_report
from tests.helpers.support import environment


def run(*arguments: str) -> Result:
    return CliRunner().invoke(poolkit, list(arguments), catch_exceptions=False)


def test_demo_with_numpy_alone(tmp_path: Path) -> None:
    picture = tmp_path / "both.png"
    result = run("demo", "--backend", "numpy", "--save", str(picture), "--json")
    report = json.loads(result.output)
    assert result.exit_code == 0
    assert report["agrees"] is True
    assert report["spec"] == "avg window=12 stride=10 padding=same layout=NHWC"
    assert 0 < report["differences"]["numpy"] < 4 * 2**-23
    with Image.open(picture) as image:
        assert image.size == (2 * report["shape"][2], report["shape"][1])


def test_demo_shows_the_calls_of_each_framework(tmp_path: Path) -> None:
    result = run("demo", "--backend", "torch", "--save", str(tmp_path / "both.png"))
    assert result.exit_code == 0
    assert "running torch" in result.stderr
    for text in ("import numpy as np", "import torch", "largest difference between any two", "both.png"):
        assert text in result.stdout


def test_demo_notices_a_wrong_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from poolkit_numpy.adapter import NumpyAdapter

    right = NumpyAdapter.evaluate
    monkeypatch.setattr(NumpyAdapter, "evaluate", lambda self, spec, array: right(self, spec, array) * 1.001)
    result = run("demo", "--backend", "numpy", "--save", str(tmp_path / "both.png"), "--json")
    assert (result.exit_code, json.loads(result.stdout)["agrees"]) == (1, False)


@pytest.mark.parametrize(
    "spec",
    [
        "max window=16 stride=8 padding=same",
        "avg window=16 padding=3 count_include_pad=true",
        "sum output_size=7",
        "softmax window=16",
        "lp window=16 p=3.0",
        "gem output_size=1",
        "logsumexp window=16",
        "median window=5 stride=9",
        "blur window=5 stride=9",
        "stochastic window=16",
        "fractional_max window=2 output_size=9",
        "s3 window=8 stride=8",
        "std window=16",
        "roi align output_size=7 sampling_ratio=2",
        "learned gate of max window=16 layout=NHWC and avg window=16",
        "learned adapool of softmax window=16",
    ],
)
def test_demo_takes_every_kind(spec: str, tmp_path: Path) -> None:
    given = ("--spec", f"{spec} layout=NHWC", "--save", str(tmp_path / "both.png"))
    result = run("demo", "--backend", "numpy", *given, "--json")
    assert (result.exit_code, json.loads(result.stdout)["agrees"]) == (0, True)


def test_the_commands_take_pools_of_pools(tmp_path: Path) -> None:
    chain = "chain(max window=16 stride=8 layout=NHWC, blur window=3 stride=2 layout=NHWC)"
    sides = "cat(max window=32 layout=NHWC, avg window=32 layout=NHWC)"
    for spec, columns in ((chain, 2), (sides, 3)):
        result = run("demo", "--backend", "numpy", "--spec", spec, "--save", str(tmp_path / "all.png"), "--json")
        assert (result.exit_code, json.loads(result.stdout)["agrees"]) == (0, True)
        with Image.open(tmp_path / "all.png") as picture:
            assert picture.width == columns * picture.height
    told = json.loads(run("explain", "pyramid avg levels=1,2 layout=NHWC", "1,4,4,3", "--json").stdout)
    assert told["output_shape"] == [[1, 1, 1, 3], [1, 2, 2, 3]]
    assert pk.Pyramid.from_dict(told["spec"]).levels == (1, 2)
    assert run("lower", chain, "--backend", "torch").output.startswith("import torch")


@pytest.mark.parametrize(
    "spec",
    [
        "avg window=2 layout=NCHW",
        "max window=2 layout=NHWC indices=true",
        "avg output_size=1 layout=NHWC keepdims=false",
        "pyramid avg levels=1,2 layout=NHWC",
        "segment max num_segments=3 layout=LC",
    ],
)
def test_demo_takes_specs_of_its_photograph(spec: str) -> None:
    result = run("demo", "--backend", "numpy", "--spec", spec)
    assert result.exit_code == 2
    assert re.match("SpecError: received .*, and the demonstration .*; write it as in", result.stderr)


def test_lower() -> None:
    result = run("lower", "avg output_size=1 layout=NHWC", "--backend", "torch", "--shape", "2,32,32,256")
    assert result.exit_code == 0
    assert result.output.startswith("import torch")
    facts = json.loads(
        run("lower", "max window=2 layout=NCL", "--backend", "numpy", "--route", "fold", "--json").output
    )
    assert facts["route"] == "fold"
    assert "def pool(x):" in facts["source"]


def test_lower_with_a_mask() -> None:
    command = ("lower", "avg output_size=1 layout=NLC", "--backend", "numpy", "--with")
    assert "def pool(x, mask):" in run(*command, "mask").output
    assert "def pool(x, mask, weight):" in run(*command, "mask", "--with", "weight=NLC:float64").output
    assert "def pool(x, mask):" in run(*command, "mask=NLC", "--shape", "2,8,16").output
    for wrong, says in (("samples", "the tensors that it takes besides its input"), ("mask=LN", "NL or NLC here")):
        result = run(*command, wrong)
        assert result.exit_code == 2
        assert says in result.output


def test_explain_with_a_mask_and_weights() -> None:
    command = ("explain", "avg window=2 layout=NLC", "1,4,3", "--with", "mask", "--with", "weight=NLC:float16")
    assert run(*command).output == (
        "avg window=2 layout=NLC\nNLC (1, 4, 3) -> NLC (1, 2, 3)\nL: 2 windows of 2, stride 2\n"
        "  window 0  ##..\n  window 1  ..##\n\n"
        "mask (1, 4): where it is False, a cell is as if it were not there; an average divides by the cells that are "
        "left\n"
        "weight (1, 4, 3): a cell counts as often as it says, and an average divides by the sum of the weights\n"
    )
    cost = json.loads(run(*command, "--json").output)["cost"]
    # 12 cells are summed and divided, masked, and weighed; 12 weights are masked, and added up in pairs.
    assert cost == {"operations": 12 + 12 + 12 + 12 + 6, "bytes": 4 * (12 + 6) + 4 + 2 * 12, "parameters": 0}


def test_explain() -> None:
    assert "NCL (1, 1, 5) -> NCL (1, 1, 3)" in run("explain", "avg window=2 padding=same layout=NCL", "1,1,5").output
    facts = json.loads(run("explain", "avg window=2 padding=same layout=NCL", "1,1,5", "--json").output)
    assert facts["output_shape"] == [1, 1, 3]
    assert facts["cost"]["parameters"] == 0


def test_backends() -> None:
    assert "tensorflow" in run("backends").output
    assert [row["name"] for row in json.loads(run("backends", "--json").output)][:2] == ["numpy", "torch"]


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("explain", "avg windw=2 layout=NCL", "1,1,5"), 2, "SpecError"),
        (("explain", "avg window=9 layout=NCL", "1,1,5"), 2, "ShapeError: a window of 9"),
        (("explain", "avg window=2 layout=NCL", "1,x,5"), 2, "a shape is ints with commas, such as 2,32,32,256"),
        (("lower", "avg window=2 layout=NCL", "--backend", "mxnet"), 2, "the known backends are numpy"),
        (("conformance", "--backend", "mxnet"), 2, "the known backends are numpy"),
    ],
)
def test_errors_are_one_line(arguments: tuple[str, ...], code: int, text: str) -> None:
    result = run(*arguments)
    assert result.exit_code == code
    assert text in result.stderr
    assert "Traceback" not in result.stderr


class FewTests:
    """The runner of the suite, cut down to three results."""

    Result = conformance_report.Result

    @staticmethod
    def harness(backend: str) -> str:
        return backend

    @staticmethod
    def tests(harness: str, full: bool) -> list[str]:
        return ["one", "two", "three"]

    @staticmethod
    def own_layers(harness: str) -> tuple[int, list[str]]:
        return 2, []

    @classmethod
    def run(cls, backend: str, full: bool) -> list[conformance_report.Result]:
        return [
            cls.Result(backend, "one", "eager", "passed", "", 0.1),
            cls.Result(backend, "two", "eager", "failed", "1 < 2 differs", 0.1),
            cls.Result(backend, "three", "gradient", "known", "upstream", 0.1),
        ]


def test_conformance_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformance_report, "runner", FewTests)
    page = tmp_path / "report.html"
    result = run("conformance", "--backend", "numpy", "--report", str(page))
    assert result.exit_code == 1
    assert "numpy eager two: 1 < 2 differs" in result.stdout
    assert "1 &lt; 2 differs" in page.read_text()
    table = tmp_path / "works.md"
    table.write_text("Before.\n\n| mode | old |\n| eager | 0 |\n\nBehind.\n")
    run("conformance", "--backend", "numpy", "--backend", "torch", "--report", str(table))
    assert table.read_text().splitlines() == [
        "Before.",
        "",
        "| mode | numpy | torch |",
        "| --- | --- | --- |",
        "| its own layer, eager | 2 | 2 |",
        "| eager | 1, 1 failed | 1, 1 failed |",
        "| gradient | 0, 1 known | 0, 1 known |",
        "",
        "Behind.",
    ]
    facts = json.loads(run("conformance", "--backend", "numpy", "--json").stdout)
    assert facts["counts"][0] == {"backend": "numpy", "mode": "eager", "passed": 1, "failed": 1, "known": 0}
    assert facts["failures"][0]["case"] == "two"


@pytest.mark.parametrize("command", [("conformance", "--report"), ("demo", "--save")])
def test_what_cannot_be_written_is_found_out_at_once(tmp_path: Path, command: tuple[str, ...]) -> None:
    for path in (tmp_path / "absent" / "page", tmp_path):
        result = run(*command, str(path), "--backend", "numpy")
        assert result.exit_code == 2
        assert "nothing can be written there; give a file" in " ".join(result.stderr.split())


def test_main_is_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["poolkit", "--version"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    assert "version 0.1.0" in capsys.readouterr().out


def test_without_the_extra_the_command_says_how_to_get_it() -> None:
    code = "import sys; sys.modules['click'] = None; from poolkit.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'poolkit[cli]'" in done.stderr
