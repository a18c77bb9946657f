"""Regions of interest: the cells under each of many boxes, pooled to one size."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from poolkit.errors import InputError, ShapeError
from poolkit.spec.arguments import as_shape
from poolkit.spec.declared import Declared
from poolkit.spec.messages import quoted, shown, wrong
from poolkit.spec.operation import Further, Operation, Size, Widen
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.signatures import explained_class
from poolkit.spec.text import as_text, keep_text
from poolkit.spec.values import LARGEST, count, flag, number, per_axis, plain
from poolkit.spec.vocabulary import SYMBOLIC

if TYPE_CHECKING:
    from poolkit.lowering.plan import AnyPlan

WORDS = {
    "kind": ("max", "align"),
    "mode": ("avg", "max"),
    "max_of": ("interp", "corners"),
    "bins": ("float32", "exact"),
}
READ = {
    "max": ("bins",),
    "align": ("sampling_ratio", "aligned", "mode", "max_of"),
}


@explained_class
@dataclasses.dataclass(frozen=True, repr=False)
class RoiSpec(Declared):
    """What `pk.roi` does: a map is pooled under each box, to `output_size` bins along its height and its width.

    "align" averages samples between cells (RoI align), `sampling_ratio` along each side of a bin, or about one a cell
    with 0; with `mode="max"` it takes their maximum, of interpolated values or of their four weighted corners
    (``max_of="corners"``, as ONNX does). `aligned` says that the centre of the first cell is at 0.5. "max" takes the
    maximum of the cells of bins of whole cells (RoI pool), which float32 rounds as others do, or which are exact.
    `max_grid` is the most samples, or cells, along a side of a bin; without it an eager call looks at the boxes, and a
    compiled program takes what a box as large as the map has.

    >>> import numpy as np
    >>> x = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> spec = RoiSpec("align", output_size=2, sampling_ratio=1, layout="NCHW")
    >>> spec(x, boxes=np.array([[0.0, 0.0, 0.0, 4.0, 4.0]]))
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]])
    """

    key = "spatial_scale"
    word = "roi"
    fitting = "give a tensor of rank 4"

    kind: str
    _: dataclasses.KW_ONLY
    output_size: int | Sequence[int]
    layout: str
    spatial_scale: float = 1.0
    sampling_ratio: int = 0
    aligned: bool = True
    mode: str = "avg"
    max_of: str = "interp"
    bins: str = "float32"
    max_grid: int | None = None

    keepdims = True
    indices = False
    looked_at = ("boxes",)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # of an object, which Dynamo follows
            object.__setattr__(self, field.name, plain(getattr(self, field.name)))
        for name, words in WORDS.items():
            if not isinstance(getattr(self, name), str) or getattr(self, name) not in words:
                options = " or ".join(map(quoted, words))
                raise wrong(
                    f"{name}={shown(getattr(self, name))}", f"{name} of regions is {options}", "give one of them"
                )
        object.__setattr__(self, "layout", _layout(self.layout))
        object.__setattr__(self, "axes", self.side_letters)
        object.__setattr__(self, "output_size", per_axis("output_size", self.output_size, self.axes, 1))
        scale = number(self.spatial_scale)
        if scale is None or not 0 < scale < math.inf:
            rule = "boxes are multiplied by one finite number above 0, the size of the map over that of the image"
            raise wrong(f"spatial_scale={shown(self.spatial_scale)}", rule, "write it as in spatial_scale=1/16")
        object.__setattr__(self, "spatial_scale", scale)
        object.__setattr__(self, "aligned", flag("aligned", self.aligned))
        object.__setattr__(self, "sampling_ratio", count("sampling_ratio", self.sampling_ratio, 0, LARGEST))
        if self.max_grid is not None:
            object.__setattr__(self, "max_grid", count("max_grid", self.max_grid, 1, LARGEST))
        self._check_use()
        keep_text(self)

    def _check_use(self) -> None:
        """Refuse an option that is never read."""
        unread = [name for kind, names in READ.items() if kind != self.kind for name in names]
        unread += ["max_of"] if self.mode == "avg" else []
        unread += ["max_grid"] if self.sampling_ratio > 0 else []
        for name in unread:
            if getattr(self, name) != DEFAULTS[name]:
                others = f'{self.kind} pooling of regions with mode="{self.mode}", sampling_ratio={self.sampling_ratio}'
                raise wrong(f"{name}={shown(getattr(self, name))}", f"{others} never reads it", f"leave {name} out")

    def said(self) -> dict[str, Any]:
        """The fields that are not left to their defaults, behind the kind; sizes that are equal as one."""
        size: Any = self.output_size
        first = {"output_size": size[0] if size[0] == size[1] else size, "layout": self.layout}
        fields = [name for name in DEFAULTS if name not in first]
        return first | {name: getattr(self, name) for name in fields if getattr(self, name) != DEFAULTS[name]}

    def __str__(self) -> str:
        return " ".join([f"roi {self.kind}", *[f"{name}={as_text(value)}" for name, value in self.said().items()]])

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.kind,), self.said()

    @property
    def side_letters(self) -> str:
        """Those of the height and of the width."""
        return self.layout.replace("N", "").replace("C", "")

    @property
    def takes(self) -> tuple[str, ...]:
        return ("boxes",)

    @property
    def selects(self) -> bool:
        return self.kind == "max"

    @property
    def inner(self) -> PoolSpec:
        """What becomes of the samples or cells of one bin, along U and V."""
        kind = "max" if self.kind == "max" else self.mode
        return PoolSpec(kind, output_size=1, layout="CNPUQV", axes="UV")

    def axes_of(self, name: str, letters: str) -> tuple[str, ...]:
        return ("KB",)

    @property
    def lengths(self) -> Mapping[str, int | None]:
        return {"K": None, "B": 5}

    def joining(self, shape: Sequence[int], given: Collection[str]) -> int:
        """For each box: of a sample four products and three sums, and what is done with it; of a cell a comparison."""
        results = math.prod(n for n in self.output_shape(shape) if n is not None)
        known = [(shape[self.layout.index(c)], True) for c in self.side_letters]
        samples = math.prod(self.grids(known))
        return results * samples * (8 if self.kind == "align" else 1)

    def work_dtype(self, dtype: str, widen: Widen) -> str:
        return self.inner.replace(kind="max" if self.selects else "avg").work_dtype(dtype, widen)

    def plan(self, rank: int, dtype: str, size: Size, widen: Widen, further: tuple[Further, ...] = ()) -> AnyPlan:
        from poolkit.lowering.operations.regions import plan_of_regions

        return plan_of_regions(self, rank, dtype, size, widen, further)

    def grids(self, sizes: Sequence[tuple[Any, bool]]) -> tuple[int, ...]:
        """The most samples, or cells, along a side of a bin: without `max_grid` those of a box as large as the map."""
        given = self.sampling_ratio or self.max_grid
        if given:
            return (given, given)
        if not all(known for _, known in sizes):
            raise ShapeError(
                f"received a map of unknown size for {quoted(str(self))}, and how many samples a bin has is data; give "
                "max_grid, the most along a side of a bin, or a sampling_ratio"
            )
        more = 1 if self.kind == "max" else 0
        bins: Any = self.output_size
        return tuple([-(-(int(n) + more) // p) + more for (n, _), p in zip(sizes, bins, strict=True)])

    def look(self, name: str, held: Any, shape: Sequence[int]) -> Operation | None:
        """With the grid that these boxes need, or at most a quarter more, so that few programs are made."""
        batch = held[:, 0]
        n = shape[self.layout.index("N")]
        if len(held) and not ((batch >= 0) & (batch < n) & (batch % 1 == 0)).all():
            raise InputError(
                f"received boxes with batch numbers from {batch.min()} to {batch.max()} for {quoted(str(self))}, and "
                f"the first column says which of {n} maps a box is of; give whole numbers from 0 to {n - 1}"
            )
        if self.sampling_ratio or self.max_grid:
            return None
        bins: Any = self.output_size
        sides = [abs(held[:, i + 2].astype("float64") - held[:, i]) * self.spatial_scale for i in (2, 1)]
        most = max([float((side / p).max(initial=1.0)) for side, p in zip(sides, bins, strict=True)])
        if self.kind == "max":  # of the map, whose cells are all that a bin has
            most = min(most, float(max(shape[self.layout.index(c)] for c in self.side_letters)))
        if not most < 2**15:
            raise InputError(
                f"received boxes with bins of up to {most} cells along a side for {quoted(str(self))}, and {2**15} is "
                "the most; give smaller ones, or max_grid"
            )
        # A box is rounded to at most two cells more than it has, and its bins begin and end within cells.
        needed = math.floor(most + 2 / min(bins) + 2.01) if self.kind == "max" else math.ceil(most + 0.01)
        step = 2 ** max(needed.bit_length() - 3, 0)
        return self.replace(max_grid=-(-needed // step) * step)

    def output_shape(self, shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of the result: None, the number of boxes, in the place of the batch.

        >>> RoiSpec("max", output_size=7, layout="NCHW").output_shape((2, 256, 50, 68))
        (None, 256, 7, 7)
        """
        sizes = as_shape(shape, unknown=True)
        self.check_rank(len(sizes))
        size: Any = self.output_size
        bins: dict[str, int] = dict(zip(self.side_letters, size, strict=True))
        return tuple([None if c == "N" else bins.get(c, n) for c, n in zip(self.layout, sizes, strict=True)])


DEFAULTS: dict[str, Any] = {field.name: field.default for field in dataclasses.fields(RoiSpec) if field.name != "kind"}


def _layout(given: object) -> str:
    layout = str(given) if isinstance(given, str) else ""
    layout = {"channels_first": "NCHW", "channels_last": "NHWC"}.get(layout, layout)
    fits = len(set(layout)) == len(layout) == 4 and {"N", "C"} < set(layout)
    if not fits or not (layout.isascii() and layout.isalpha() and layout.isupper()):
        rule = f"regions are of maps with N, C and two letters more, the height first, or {' or '.join(SYMBOLIC)}"
        raise wrong(f"layout={shown(given)}", rule, 'write it as in layout="NCHW"')
    return layout
