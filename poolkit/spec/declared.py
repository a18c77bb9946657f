"""An operation that is what its fields say: what changes it, its dictionary and its text follow from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from poolkit.errors import ShapeError
from poolkit.spec.messages import quoted, shown, wrong
from poolkit.spec.operation import Operation
from poolkit.spec.text import VERSION, as_list, fields_of, fields_of_dict
from poolkit.spec.values import plain

if TYPE_CHECKING:
    from poolkit.spec.pool_spec import PoolSpec


class Declared(Operation):
    """A dataclass; which cells are pooled together is data, so that it consists of no poolings."""

    word: ClassVar[str]  # with which its text begins
    fitting: ClassVar[str]  # what to do where an input has another rank than its layout

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple([field.name for field in dataclasses.fields(cls)])  # type: ignore[arg-type]  # each is a dataclass

    def poolings(self) -> tuple[PoolSpec, ...]:
        return ()

    @property
    def needs(self) -> tuple[str, ...]:
        return self.takes

    def check_rank(self, rank: int) -> None:
        if rank != len(self.layout):
            raise ShapeError(
                f"received an input of rank {rank} for {quoted(str(self))}, and layout {self.layout} has "
                f"{len(self.layout)} axes; {self.fitting}"
            )

    def replace(self, **changes: Any) -> Self:
        """The same with other values.

        >>> from poolkit import RoiSpec
        >>> RoiSpec("max", output_size=7, layout="NCHW").replace(output_size=(7, 5))
        RoiSpec("max", output_size=(7, 5), layout="NCHW")
        """
        return type(self)(**({name: getattr(self, name) for name in self.names()} | changes))

    def to_dict(self) -> dict[str, Any]:
        """A dictionary that JSON can hold; `from_dict` reads it back."""
        return {"version": VERSION, **{name: as_list(getattr(self, name)) for name in self.names()}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """What `to_dict` described."""
        return cls(**fields_of_dict(data, cls.names()))

    @classmethod
    def written(cls, text: str) -> bool:
        return text.startswith(f"{cls.word} ")

    @classmethod
    def parse(cls, string: str) -> Self:
        """The operation of a text like ``str(operation)``.

        >>> from poolkit import Segment, StructPool
        >>> Segment.parse("segment max num_segments=3 layout=LC"), StructPool.parse("struct clusters=3 layout=LC")
        (Segment("max", 3, layout="LC"), StructPool(3, layout="LC"))
        """
        given: object = plain(string)
        if not isinstance(given, str) or not cls.written(given):
            rule = f"the text of {cls.__name__} begins with the word {quoted(cls.word)}"
            raise wrong(shown(given), rule, "write it as str gives it")
        if "kind" in cls.names():
            return cls(**fields_of(given, f"{cls.word} "))
        fields = fields_of(given)
        del fields["kind"]  # the word itself
        return cls(**fields)
