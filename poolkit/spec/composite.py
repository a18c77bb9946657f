"""Operations that are made of poolings: what `Mix`, `Chain` and `Pyramid` have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

from poolkit.spec.messages import quoted, shown, wrong
from poolkit.spec.operation import Operation, Step, Widen
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.text import VERSION, fields_of, fields_of_dict
from poolkit.spec.values import is_many

SIDE_BY_SIDE = "cat"  # along the channels
LEARNED = re.compile(r"learned (\S+) of (.+?)(?: with (.+))?")


class Composite(Operation):
    """An operation on a map that is made of poolings, its `parts`, all of one layout."""

    name: ClassVar[str]  # "a mix"
    example: ClassVar[str]

    parts: Sequence[PoolSpec]

    def settle(self) -> None:
        """Take the parts as they are given, and from the last what an operation says of itself."""
        object.__setattr__(self, "parts", self.checked(self.parts))
        for name in ("layout", "axes", "keepdims", "indices"):
            object.__setattr__(self, name, getattr(self.parts[-1], name))

    def checked(self, parts: object) -> tuple[PoolSpec, ...]:
        given: tuple[Any, ...] = tuple(parts) if is_many(parts) else ()
        several = tuple(part for part in given if isinstance(part, PoolSpec))
        if len(several) < max(2, len(given)):
            raise wrong(shown(parts), f"{self.name} has two PoolSpecs or more", f"write it as in {self.example}")
        if any(part.indices for part in several):
            raise wrong("a part with indices=True", f"{self.name} of elements has no position", "leave indices out")
        return several

    def same(self, name: str, parts: Sequence[PoolSpec]) -> None:
        """`SpecError` where the parts have not one value of a field."""
        first = getattr(parts[0], name)
        for part in parts[1:]:
            if getattr(part, name) != first:
                received = f"parts with {name}={shown(first)} and {name}={shown(getattr(part, name))}"
                raise wrong(received, f"all parts of {self.name} have one {name}", f"give them the same {name}")

    def check_channels(self) -> None:
        """`SpecError` where nothing tells the axis along which parts stand side by side."""
        if "C" not in self.letters and self.axes is not None:
            rule = f"{quoted(SIDE_BY_SIDE)} puts parts side by side along C"
            raise wrong(f"layout={quoted(self.layout)}", rule, "name the channels C")

    def own(self) -> dict[str, Any]:
        """The fields besides the parts, but for those left to their defaults."""
        raise NotImplementedError

    def given(self) -> list[tuple[str, ...]]:
        """The names of further tensors that each part is given."""
        return [part.takes for part in self.parts]

    @property
    def takes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([name for names in self.given() for name in names]))

    @property
    def learned(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([name for part in self.parts for name in part.learned]))

    @property
    def selects(self) -> bool:
        """Whether every number of the result is one of the input."""
        return all(part.selects for part in self.parts)

    @property
    def rank(self) -> int | None:
        ranks = [part.rank for part in self.parts if part.rank is not None]
        return max(ranks, default=None)

    @property
    def shares(self) -> Sequence[float] | None:
        return None

    def poolings(self) -> tuple[PoolSpec, ...]:
        return tuple(self.parts)

    def each(self, shape: Sequence[int]) -> tuple[Step, ...]:
        return tuple([Step(part, tuple(shape), names) for part, names in zip(self.parts, self.given(), strict=True)])

    def work_dtype(self, dtype: str, widen: Widen) -> str:
        """That of the input, for each part has its own; `DtypeError` where the first takes no such input."""
        self.parts[0].work_dtype(dtype, widen)
        return dtype

    def changed(self, change: Callable[[PoolSpec], PoolSpec]) -> Self:
        return type(self)(list(map(change, self.parts)), **self.own())  # type: ignore[call-arg]

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.parts,), self.own()

    def replace(self, **changes: Any) -> Self:
        """The same with other values; those of a PoolSpec are changed in every part.

        >>> from poolkit import AvgPool, MaxPool, Mix
        >>> Mix((AvgPool(2, layout="NCL"), MaxPool(2, layout="NCL")), how="cat").replace(layout="NLC").layout
        'NLC'
        """
        names = [name for name in vars(type(self))["__dataclass_fields__"] if name != "_"]
        own = {name: changes.pop(name) for name in names if name in changes}
        parts = self.checked(own.pop("parts", self.parts))
        return type(self)([part.replace(**changes) for part in parts], **(self.own() | own))  # type: ignore[call-arg]

    def to_dict(self) -> dict[str, Any]:
        """A dictionary that JSON can hold; `from_dict` reads it back."""
        own = {name: list(value) if is_many(value) else value for name, value in self.own().items()}
        return {"version": VERSION, **own, self.key: [part.to_dict() for part in self.parts]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """What `to_dict` described."""
        names = [name for name in vars(cls)["__dataclass_fields__"] if name not in ("_", "parts")]
        fields = fields_of_dict(data, (cls.key, *names))
        parts = fields.pop(cls.key, None)
        return cls([PoolSpec.from_dict(part) for part in parts] if is_many(parts) else parts, **fields)  # type: ignore[call-arg]


def parsed(text: object, pattern: re.Pattern[str], like: str) -> re.Match[str]:
    """What a pattern finds in the text of a composite; `SpecError` where it is not that."""
    found = pattern.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise wrong(shown(text), f"such a text is written as in {quoted(like)}", "give one like it")
    return found


def parts_of(text: str) -> list[PoolSpec]:
    """The poolings of texts that commas and spaces separate."""
    return [PoolSpec.parse(part) for part in re.split(r",\s+", text.strip())]


def learned_of(text: object, names: Sequence[str]) -> tuple[str, list[PoolSpec], dict[str, Any]]:
    """The formula, the poolings and the sizes of a text of a pooling with weights."""
    found = parsed(text, LEARNED, "learned option of gem output_size=1 layout=NCHW with channels=64")
    sizes = fields_of(f"with {found[3] or ''}")
    del sizes["kind"]
    for name in sizes:
        if name not in names:
            raise wrong(quoted(name), f"behind the pools stand {', '.join(names)}", "leave it out")
    return found[1], [PoolSpec.parse(part) for part in found[2].split(" and ")], sizes
