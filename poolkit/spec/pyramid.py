"""Whole maps pooled into grids of several sizes: spatial pyramid pooling, and the pyramid of PSPNet."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from poolkit.spec.arguments import as_shape
from poolkit.spec.composite import Composite
from poolkit.spec.fields import Options
from poolkit.spec.foreign import constructor_error
from poolkit.spec.kinds import RANDOM, takers
from poolkit.spec.messages import shown, wrong
from poolkit.spec.operation import Further, Size, Widen
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.signatures import explained_class
from poolkit.spec.text import VERSION, as_list, as_text, fields_of, fields_of_dict, keep_text
from poolkit.spec.values import flag, is_many, pairs_of, plain

if TYPE_CHECKING:
    from poolkit.lowering.plan import AnyPlan


@explained_class
@dataclasses.dataclass(frozen=True, repr=False, init=False)
class Pyramid(Composite):
    """One pooling into several grids of adaptive bins: each of `levels` is what `output_size` takes.

    The result is a tuple with a map for each level (PSPNet); with ``flatten=True`` one vector (SPP-net), level after
    level, of each its channels one after the other, of each channel its bins row by row. The vector is the same in
    every layout, and stands behind the axes that are neither pooled nor channels. Options of the kind are given by
    name, as ``p=3.0``. Raises `SpecError` where a level is impossible.

    >>> import numpy as np
    >>> x = np.array([[[1.0, 2.0, 3.0, 4.0], [8.0, 7.0, 6.0, 5.0]]])
    >>> Pyramid("max", levels=(1, 2), layout="NCL", flatten=True)(x)
    array([[4., 8., 2., 4., 8., 6.]])
    >>> [y.shape for y in Pyramid("avg", levels=(1, 2, 3, 6), layout="NHWC")(np.zeros((1, 60, 60, 4)))]
    [(1, 1, 1, 4), (1, 2, 2, 4), (1, 3, 3, 4), (1, 6, 6, 4)]
    """

    key = "levels"
    name = "a pyramid"

    kind: str
    _: dataclasses.KW_ONLY
    levels: Sequence[int | Sequence[int | None]]
    layout: str
    axes: str | None = None
    flatten: bool = False
    options: tuple[tuple[str, Any], ...] = ()

    def __init__(
        self,
        kind: str,
        *,
        levels: Sequence[int | Sequence[int | None]],
        layout: str,
        axes: str | None = None,
        flatten: bool = False,
        options: Options = (),
        **named: Any,
    ) -> None:
        for name, value in named.items():
            if not takers(name):
                names = [field.name for field in dataclasses.fields(self)]
                raise constructor_error("Pyramid", (), {name: value}, names, ("kind",), ())
        several: Any = plain(levels)
        if not is_many(several) or len(several) == 0 or any(level is None for level in several):
            rule = "a pyramid has one level or more, each as output_size takes it"
            raise wrong(f"levels={shown(levels)}", rule, "write it as in levels=(1, 2, 3, 6)")
        more: dict[str, Any] = {"layout": layout, "axes": axes, "options": {**pairs_of(options), **named}}
        parts = tuple([PoolSpec(kind, output_size=level, **more) for level in several])
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "levels", tuple([part.arguments()[1]["output_size"] for part in parts]))
        for name in ("kind", "layout", "axes", "options", "indices"):
            object.__setattr__(self, name, getattr(parts[0], name))
        object.__setattr__(self, "flatten", flag("flatten", flatten))
        object.__setattr__(self, "keepdims", not self.flatten)
        keep_text(self)

    def __str__(self) -> str:
        (kind,), named = self.arguments()
        return " ".join(["pyramid", kind, *[f"{name}={as_text(value)}" for name, value in named.items()]])

    @classmethod
    def written(cls, text: str) -> bool:
        return text.startswith("pyramid ")

    @classmethod
    def parse(cls, string: str) -> Self:
        """The pyramid of a text like ``str(pyramid)``.

        >>> Pyramid.parse("pyramid avg levels=1,2,3,6 layout=NCHW")
        Pyramid("avg", levels=(1, 2, 3, 6), layout="NCHW")
        """
        return cls(**fields_of(string, "pyramid "))

    @property
    def several(self) -> bool:
        return not self.flatten

    @property
    def joined(self) -> str:
        return "in one vector" if self.flatten else "in a tuple"

    def given(self) -> list[tuple[str, ...]]:
        """No samples, of which each level would take another shape."""
        return [tuple([name for name in part.takes if name not in RANDOM]) for part in self.parts]

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        named = {name: value for name, value in self.parts[0].arguments()[1].items() if name != "output_size"}
        return (self.kind,), {"levels": self.levels, **named} | ({"flatten": True} if self.flatten else {})

    def changed(self, change: Callable[[PoolSpec], PoolSpec]) -> Self:
        parts = list(map(change, self.parts))
        named = {name: getattr(parts[0], name) for name in ("layout", "axes", "options")}
        return type(self)(parts[0].kind, levels=[p.output_size for p in parts], flatten=self.flatten, **named)  # type: ignore[misc]

    def replace(self, **changes: Any) -> Self:
        """The pyramid with other values; sizes stay with their letters where the axes change their order.

        >>> Pyramid("avg", levels=(1, 2), layout="NCHW").replace(layout="NHWC", flatten=True)
        Pyramid("avg", levels=(1, 2), layout="NHWC", flatten=True)
        """
        layout: Any = changes.get("layout")
        start = self.changed(lambda part: part.replace(layout=layout)) if isinstance(layout, str) else self
        (kind,), named = start.arguments()
        if "options" in changes:
            named = {name: value for name, value in named.items() if not takers(name)}
        return type(self)(**({"kind": kind} | named | changes))

    def to_dict(self) -> dict[str, Any]:
        """A dictionary that JSON can hold; `from_dict` reads it back."""
        (kind,), named = self.arguments()
        return {"version": VERSION, "kind": kind, **{name: as_list(value) for name, value in named.items()}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """What `to_dict` described."""
        return cls(**fields_of_dict(data, ("kind", "levels", "layout", "axes", "flatten")))

    def plan(self, rank: int, dtype: str, size: Size, widen: Widen, further: tuple[Further, ...] = ()) -> AnyPlan:
        """A plan for each level."""
        from poolkit.lowering.operations.pyramids import plan_of_pyramid

        return plan_of_pyramid(self, rank, dtype, size, widen, further)

    def output_shape(self, shape: Sequence[int | None]) -> tuple[Any, ...]:
        """The shape of the vector, or those of the maps; None where it depends on a size that is None.

        >>> Pyramid("max", levels=(1, 2, 4), layout="NHWC", flatten=True).output_shape((None, None, None, 256))
        (None, 5376)
        """
        from poolkit.lowering.operations.pyramids import shape_of_pyramid

        return shape_of_pyramid(self, as_shape(shape, unknown=True))

    def output_shapes(self, shape: Sequence[int | None]) -> tuple[tuple[int | None, ...], ...]:
        made = self.output_shape(shape)
        return made if self.several else (made,)
