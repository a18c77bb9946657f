"""What a spec becomes in the framework that is ported to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from poolkit.dialects import table
from poolkit.dialects.calls import Call
from poolkit.dialects.dialect import Caveat, on_engines
from poolkit.dialects.own import MAKERS
from poolkit.dialects.reading import applied_call, spoken_in
from poolkit.dialects.writing import caveats, native_call
from poolkit.errors import NotExactError
from poolkit.port.report import Notes, Status, joined
from poolkit.running.registry import FIRST_PARTY
from poolkit.spec.operation import Operation
from poolkit.spec.values import is_many
from poolkit.spec.vocabulary import SYMBOLIC

# That are ported to, in the order in which they are tried: those first whose layers are of one class.
FRAMEWORKS = tuple(row.name for row in sorted(FIRST_PARTY, key=lambda row: not row.layer) if not row.everywhere)


@dataclass(frozen=True)
class Target:
    """What a spec is written as: the framework's own layer if `call` is not None, otherwise a layer of poolkit's."""

    backend: str
    spec: Operation  # in the target's layout
    call: Call | None
    notes: Notes
    sure: bool = True  # whether it runs for every value that an argument may have

    @property
    def status(self) -> Status:
        return "caveat" if not self.sure or (self.call is not None and self.notes) else "exact"

    @property
    def layer(self) -> str:
        """Python source of a layer, with the framework's and poolkit's names in full."""
        return self.call.source() if self.call is not None else f'poolkit.{self.spec!r}.layer("{self.backend}")'

    @property
    def made(self) -> Call:
        """The call that makes the layer, the framework's own or poolkit's."""
        return self.call if self.call is not None else Call("poolkit.layer", (written(self.spec), self.backend))


def target_of(spec: Operation, backend: str, layout: str | None = None, origin: str = "") -> Target:
    """What a spec becomes, in the target's usual layout unless another one is given.

    What the original in the framework `origin` does as well is no caveat of Keras's layer on that engine.

    >>> from poolkit import GlobalAvgPool
    >>> target_of(GlobalAvgPool(layout="NHWC", keepdims=True), "torch").layer
    'torch.nn.AdaptiveAvgPool2d(1)'
    """
    moved = spec.replace(layout=_named(spec, layout) or usual_layout(spec, backend))
    try:
        call = native_call(moved, backend)
    except NotExactError as error:
        return Target(backend, moved, None, (f"poolkit's, because none of {backend}'s own is equal: {error.reason}",))
    # What a network pools are floats, and on which engine of Keras it will run is not known.
    theirs = {(c.about, origin) for c in caveats(spec, origin) if c.engine is None} if origin in FRAMEWORKS else ()
    told = [c for c in caveats(moved, backend) if c.about != "integers"]
    found = _told([c for c in told if (c.about, c.engine or backend) not in theirs])
    return Target(backend, moved, call, joined(*found))


def differing(call: Call, read: Operation) -> str:
    """Where a port of a call that is read gives other numbers all the same; empty where it does not."""
    applied = applied_call(call)
    if applied.name in MAKERS:
        return ""
    dialect, name = spoken_in(applied)
    return dialect.words[name].differs_in(read)


def of_any_rank(target: Target) -> Target:
    """The layer for a reduction of a tensor of unknown rank: PyTorch has none for a reduction, and pools maps then."""
    if target.call is None or target.call.name not in table.every(lambda usage: usage.holders):
        return target
    note = "of a tensor with three axes it takes the first for channels, and gives an axis more than the reduction"
    return replace(target, notes=joined(target.notes, note), sure=False)


def _told(found: Sequence[Caveat]) -> list[str]:
    """Caveats as text, those of several engines of Keras that say the same as one."""
    engines: dict[str, list[str]] = {}
    for one in found:
        engines.setdefault(one.text, []).extend([one.engine] if one.engine else [])
    return [text + on_engines(names) for text, names in engines.items()]


def usual_layout(spec: Operation, backend: str) -> str:
    """The layout of a spec with its channels where the target usually has them."""
    return arranged(spec, first=table.dialect(backend).layouts[2].startswith("NC"))


def _named(spec: Operation, layout: str | None) -> str | None:
    """The letters of "channels_first" and "channels_last" for a spec that has letters."""
    return arranged(spec, first=layout == SYMBOLIC[0]) if layout in SYMBOLIC else layout


def arranged(spec: Operation, first: bool) -> str:
    """The layout of a spec with its channels first, or last."""
    if spec.axes is None:
        return "channels_first" if first else "channels_last"
    spatial = "".join(c for c in spec.letters if c not in "NC")
    before = spec.layout.removesuffix(spec.letters) + ("N" if "N" in spec.letters else "")
    channels = "C" if "C" in spec.letters else ""
    return f"{before}{channels}{spatial}" if first else f"{before}{spatial}{channels}"


def written(spec: Operation) -> Call:
    """The call that makes a spec.

    >>> from poolkit import MaxPool
    >>> str(written(MaxPool(3, layout="NCL")))
    'poolkit.PoolSpec("max", window=3, layout="NCL")'
    """
    positional, named = spec.arguments()
    return Call(f"poolkit.{type(spec).__name__}", tuple(map(_written, positional)), tuple(named.items()))


def _written(value: Any) -> Any:
    if is_many(value):
        return tuple(map(_written, value))
    return written(value) if isinstance(value, Operation) else value
