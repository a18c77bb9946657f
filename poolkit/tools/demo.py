"""The demonstration: one spec, a photograph, every installed framework, and how far their results are apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from poolkit.lowering.geometry import axes_of
from poolkit.programs.program import Program
from poolkit.running import registry
from poolkit.running.lowered import lower
from poolkit.running.registry import DEFINITION
from poolkit.spec.messages import quoted, wrong
from poolkit.spec.pool_spec import PoolSpec

SPEC = "avg window=12 stride=10 padding=same layout=NHWC"
PHOTO = "eileen_collins.png"
EPS = 2.0**-23  # of float32


@dataclasses.dataclass(frozen=True)
class Report:
    """What a demonstration found: the program, result and largest difference from the definition of each backend."""

    spec: PoolSpec
    photo: Any
    programs: dict[str, Program]
    results: dict[str, Any]
    differences: dict[str, float]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.photo.shape)

    @property
    def pooled(self) -> Any:
        return self.results[DEFINITION]

    @property
    def largest(self) -> float:
        """The largest difference between any two backends."""
        stacked = np.stack(list(self.results.values())).astype("float64")
        return float(np.max(stacked.max(0) - stacked.min(0)))

    @property
    def agrees(self) -> bool:
        """Whether every result is within the bound of an average, 4 eps of the largest magnitude."""
        return max(self.differences.values()) <= 4 * EPS * float(np.abs(self.photo).max())

    def to_dict(self) -> dict[str, Any]:
        return {
            "spec": str(self.spec),
            "shape": list(self.shape),
            "sources": {name: program.source for name, program in self.programs.items()},
            "differences": self.differences,
            "largest_difference": self.largest,
            "agrees": self.agrees,
        }


def photograph() -> Any:
    """NASA's portrait of Eileen Collins as float32 in 0..1, of shape (1, height, width, 3); see data/README.md."""
    with resources.as_file(resources.files("poolkit") / "data" / PHOTO) as path, Image.open(path) as image:
        return np.asarray(image.convert("RGB"), "float32")[None] / np.float32(255)


def run(spec: PoolSpec, names: Sequence[str], progress: Callable[[str], None] = lambda name: None) -> Report:
    """Pool the photograph with each backend, and compare with the definition, computed here window by window."""
    photo = photograph()
    expected = _definition(spec, photo)
    programs: dict[str, Program] = {}
    results: dict[str, Any] = {}
    for name in sorted({DEFINITION, *names}, key=lambda n: (n != DEFINITION, n)):
        progress(name)
        programs[name] = lower(spec, name, photo.shape)
        results[name] = registry.adapter(name).evaluate(spec, photo)
    differences = {name: float(np.abs(result - expected).max()) for name, result in results.items()}
    return Report(spec, photo, programs, results, differences)


_REDUCE: dict[str, Callable[..., Any]] = {"avg": np.mean, "sum": np.sum, "max": np.max, "min": np.min}


def _definition(spec: PoolSpec, photo: Any) -> Any:
    """The spec on an NHWC photograph in float64; averages over real cells."""
    if spec.kind not in _REDUCE or spec.layout != "NHWC" or spec.axes != "HW" or spec.indices or not spec.keepdims:
        rule = "the demonstration pools NHWC photographs over HW by avg, sum, max or min, with keepdims"
        raise wrong(f"{spec}", rule, f"write it as in {quoted(SPEC)}")
    if spec.count_include_pad or spec.divisor_override is not None:
        raise wrong(f"{spec}", "the demonstration averages over real cells", f"write it as in {quoted(SPEC)}")
    rows, columns = (a.ranges() for a in axes_of(spec, 4, lambda at: (photo.shape[at], True)))
    reduce = _REDUCE[spec.kind]
    wide = photo.astype("float64")
    windows = [[reduce(wide[:, h][:, :, w], axis=(1, 2)) for w in columns] for h in rows]
    return np.moveaxis(np.array(windows), 2, 0)


def save_picture(report: Report, path: Path) -> None:
    """The photograph, and its pooled version at the same size, side by side."""
    before = Image.fromarray(_pixels(report.photo[0]))
    after = Image.fromarray(_pixels(report.pooled[0])).resize(before.size, Image.Resampling.NEAREST)
    both = Image.new("RGB", (2 * before.width, before.height))
    both.paste(before, (0, 0))
    both.paste(after, (before.width, 0))
    both.save(path)


def _pixels(image: Any) -> Any:
    return (np.clip(image, 0, 1) * 255 + 0.5).astype("uint8")
