"""The demonstration: one spec, a photograph, every installed framework, and how far their results are apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from poolkit.lowering.backend import Adapter
from poolkit.programs.program import Program
from poolkit.running import registry
from poolkit.running.dispatch import pool
from poolkit.running.lowered import lower
from poolkit.running.registry import DEFINITION
from poolkit.spec.messages import quoted, wrong
from poolkit.spec.operation import Operation
from poolkit.spec.roi import RoiSpec
from poolkit_conformance.definitions import definition
from poolkit_conformance.tolerances import allowed, kind_of

SPEC = "avg window=12 stride=10 padding=same layout=NHWC"
PHOTO = "eileen_collins.png"


@dataclasses.dataclass(frozen=True)
class Report:
    """What a demonstration found: the program, result and largest difference from the definition of each backend."""

    spec: Operation
    photo: Any
    programs: dict[str, Program]
    results: dict[str, Any]
    differences: dict[str, float]
    bound: float  # the largest difference from the definition that is allowed

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
        """Whether every result is within what the conformance suite allows for the kind."""
        return max(self.differences.values()) <= self.bound

    def to_dict(self) -> dict[str, Any]:
        return {
            "spec": str(self.spec),
            "shape": list(self.shape),
            "sources": {name: program.source for name, program in self.programs.items()},
            "differences": self.differences,
            "largest_difference": self.largest,
            "bound": self.bound,
            "agrees": self.agrees,
        }


def photograph() -> Any:
    """NASA's portrait of Eileen Collins as float32 in 0..1, of shape (1, height, width, 3); see data/README.md."""
    with resources.as_file(resources.files("poolkit") / "data" / PHOTO) as path, Image.open(path) as image:
        return np.asarray(image.convert("RGB"), "float32")[None] / np.float32(255)


def run(spec: Operation, names: Sequence[str], progress: Callable[[str], None] = lambda name: None) -> Report:
    """Pool the photograph with each backend, and compare with the definition, which the conformance suite computes."""
    _check(spec)
    photo = photograph()
    tensors = _beside(spec, photo.shape)
    answer = definition(spec).answer(spec, photo, tensors)
    bound = float(allowed(kind_of(spec), answer.dtype, answer.values, answer.magnitude).max())
    programs: dict[str, Program] = {}
    results: dict[str, Any] = {}
    for name in sorted({DEFINITION, *names}, key=lambda n: (n != DEFINITION, n)):
        progress(name)
        boxes = {at: spec.axes_of(at, spec.layout)[0] for at in tensors if at not in spec.parameters}
        programs[name] = lower(spec, name, photo.shape, tensors=boxes)
        results[name] = _pooled(registry.adapter(name), spec, photo, tensors)
    differences = {name: float(np.abs(result - answer.values).max()) for name, result in results.items()}
    return Report(spec, photo, programs, results, differences, bound)


def _beside(spec: Operation, shape: tuple[int, ...]) -> dict[str, Any]:
    """The weights that a pooling with some begins with, and of regions a box as large as the photograph."""
    made = {name: np.full(held.shape, held.start, "float32") for name, held in spec.parameters.items()}
    if isinstance(spec, RoiSpec):
        _, height, width, _ = shape
        made["boxes"] = np.array([[0, 0, 0, width, height]], "float32") / np.float32(spec.spatial_scale)
    return made


def _pooled(adapter: Adapter, spec: Operation, photo: Any, tensors: Mapping[str, Any]) -> Any:
    if not tensors:
        return adapter.evaluate(spec, photo)
    more = {name: adapter.from_numpy(t) for name, t in tensors.items()}
    return adapter.to_numpy(pool(adapter.from_numpy(photo), spec, **more))


def _check(spec: Operation) -> None:
    other = spec.needs and not isinstance(spec, RoiSpec)
    if spec.layout != "NHWC" or spec.axes != "HW" or spec.several or not spec.keepdims or other:
        rule = "the demonstration pools an NHWC photograph over HW, with keepdims and without indices"
        raise wrong(f"{spec}", rule, f"write it as in {quoted(SPEC)}")


def save_picture(report: Report, path: Path) -> None:
    """The photograph, and its pooled versions at the same size, side by side."""
    before = Image.fromarray(_pixels(report.photo[0]))
    pooled = report.pooled[0] / max(1.0, float(report.pooled.max()))  # a sum is brighter than white
    versions = [pooled[..., i : i + 3] for i in range(0, pooled.shape[-1], 3)]  # of what stands side by side
    together = Image.new("RGB", ((1 + len(versions)) * before.width, before.height))
    for i, version in enumerate([report.photo[0], *versions]):
        one = Image.fromarray(_pixels(version)).resize(before.size, Image.Resampling.NEAREST)
        together.paste(one, (i * before.width, 0))
    together.save(path)


def _pixels(image: Any) -> Any:
    return (np.clip(image, 0, 1) * 255 + 0.5).astype("uint8")
