"""Poolings with weights of their own: mixes that learn their shares, gates, LIP, attention. Layers hold the weights."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from poolkit.spec.composite import learned_of
from poolkit.spec.messages import quoted, shown, wrong
from poolkit.spec.operation import Further, Operation, Parameter, Size, Widen
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.signatures import explained_class
from poolkit.spec.text import VERSION, as_text, fields_of_dict, keep_text
from poolkit.spec.values import is_integer, is_many, plain

if TYPE_CHECKING:
    from poolkit.lowering.plan import AnyPlan


Parameters = dict[str, Parameter]
MOST = 2**30  # weights


@explained_class
@dataclasses.dataclass(frozen=True, repr=False)
class Learned(Operation):
    """Poolings, and by which formula they and weights give a result; `parameters` says which weights there are.

    >>> from poolkit import AvgPool, MaxPool
    >>> mix = Learned("mix", (MaxPool(2, layout="NCL"), AvgPool(2, layout="NCL")), channels=3)
    >>> mix.parameters
    {'share': Parameter(shape=(3,), start=0.0, spread=0.0)}
    """

    key = "formula"

    formula: str
    parts: Sequence[PoolSpec]
    _: dataclasses.KW_ONLY
    channels: int | None = None
    regions: Sequence[int] | None = None  # how many results there are along each pooled axis
    hidden: int | None = None
    heads: int = 1
    form: str = ""

    def __post_init__(self) -> None:
        for name in ("formula", "parts", "channels", "regions", "hidden", "heads", "form"):
            object.__setattr__(self, name, plain(getattr(self, name)))
        parts: object = self.parts
        given: tuple[Any, ...] = tuple(parts) if is_many(parts) else (parts,)
        formula: object = self.formula
        row = FORMULAS.get(formula) if isinstance(formula, str) else None
        if row is None:
            rule = f"the formulas are {', '.join(map(quoted, FORMULAS))}"
            raise wrong(f"formula={shown(formula)}", rule, "give one of these")
        if len(given) != row.parts or not all(isinstance(part, PoolSpec) for part in given):
            raise wrong(shown(given), f"{quoted(self.formula)} has {row.parts} PoolSpec", "write as many")
        object.__setattr__(self, "parts", given)
        for name in ("layout", "axes", "keepdims", "indices"):
            object.__setattr__(self, name, getattr(given[0], name))
        form: object = self.form
        if not (isinstance(form, str) and form in row.forms):
            rule = f"the forms of {quoted(self.formula)} are {' and '.join(map(shown, row.forms))}"
            raise wrong(f"form={shown(form)}", rule, "give one of these")
        self._check_parts()
        self._check_sizes()
        row.check(self)
        if sum(math.prod(p.shape) for p in self.parameters.values()) > MOST:
            raise wrong(quoted(str(self)), f"there are at most {MOST} weights", "give smaller sizes")
        keep_text(self)

    def _check_parts(self) -> None:
        for part in self.parts[1:]:
            if (part.layout, part.axes, part.keepdims) != (self.layout, self.axes, self.keepdims):
                raise wrong(shown(self.parts), "both have one layout, axes and keepdims", "give them the same")
        if any(part.indices for part in self.parts):
            raise wrong("a part with indices=True", "what is weighted has no position", "leave indices out")
        if self.axes is None or self.layout.startswith("...") or ("C" not in self.layout and self.channels is not None):
            raise wrong(f"layout={quoted(self.layout)}", "weights need a letter for each axis", 'write it as in "NHWC"')

    def _check_sizes(self) -> None:
        """Ints of Python, and no others, so that they are written as such."""
        regions: object = self.regions
        if regions is not None and (not is_many(regions) or len(regions) != len(self.axes or "")):
            raise wrong(f"regions={shown(regions)}", f"there is one for each of {self.axes}", "give as many ints")
        sizes: dict[str, Any] = {name: getattr(self, name) for name in ("channels", "hidden", "heads")}
        for name, n in [*sizes.items(), *[("regions", n) for n in self.regions or ()]]:
            if not (n is None and name in ("channels", "hidden")) and not (is_integer(n) and 0 < int(n) <= MOST):
                raise wrong(f"{name}={shown(n)}", f"{name} is a count from 1 to {MOST}", "give an int")
        for name, n in sizes.items():
            object.__setattr__(self, name, None if n is None else int(n))
        object.__setattr__(self, "regions", None if regions is None else tuple([int(n) for n in self.regions or ()]))

    def _said(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in FIELDS[2:] if getattr(self, f.name) != f.default}

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.formula, self.parts), self._said()

    def __str__(self) -> str:
        said = [f"{name}={as_text(value)}" for name, value in self._said().items()]
        return " ".join(
            [f"learned {self.formula} of {' and '.join(map(str, self.parts))}", *(["with", *said] if said else [])]
        )

    @classmethod
    def written(cls, text: str) -> bool:
        return text.startswith("learned ")

    @classmethod
    def parse(cls, string: str) -> Self:
        """The operation of a text like ``str(operation)``.

        >>> Learned.parse("learned mix of max window=2 layout=NCL and avg window=2 layout=NCL with channels=3").channels
        3
        """
        formula, parts, sizes = learned_of(plain(string), [f.name for f in FIELDS[2:]])
        return cls(formula, parts, **sizes)

    @property
    def parameters(self) -> Parameters:
        """The weights by name, in the order of a program's arguments."""
        return FORMULAS[self.formula].parameters(self)

    @property
    def takes(self) -> tuple[str, ...]:
        masked = all("mask" in part.takes for part in self.parts)
        return (*self.parameters, *(["mask"] if masked else []))

    @property
    def selects(self) -> bool:
        return False

    def poolings(self) -> tuple[PoolSpec, ...]:
        return tuple(self.parts)

    @property
    def joined(self) -> str:
        return f"together by the formula {quoted(self.formula)} and weights"

    def work_dtype(self, dtype: str, widen: Widen) -> str:
        return "float64" if dtype == "float64" else PoolSpec("avg", output_size=1, layout="L").work_dtype(dtype, widen)

    def joining(self, shape: Sequence[int], given: Collection[str]) -> int:
        """Twice for each weight that meets a cell; four times for each result where it meets that."""
        if self.formula in ("mix", "gate", "option"):
            return 4 * math.prod(n or 0 for n in self.output_shape(shape))
        return 2 * math.prod(shape) * sum(math.prod(p.shape) for p in self.parameters.values()) // (self.channels or 1)

    def plan(self, rank: int, dtype: str, size: Size, widen: Widen, further: tuple[Further, ...] = ()) -> AnyPlan:
        from poolkit.lowering.operations.learned import plan_of_learned

        return plan_of_learned(self, rank, dtype, size, widen, further)

    def output_shape(self, shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of the result for an input of this shape."""
        return self.parts[0].output_shape(shape)

    def replace(self, **changes: Any) -> Self:
        """The same with other values; those of a PoolSpec are changed in every part."""
        own = {f.name: changes.pop(f.name, getattr(self, f.name)) for f in FIELDS}
        own["parts"] = tuple([part.replace(**changes) for part in own["parts"]])
        return type(self)(**own)

    def to_dict(self) -> dict[str, Any]:
        """A dictionary that JSON can hold; `from_dict` reads it back."""
        own = {name: list(value) if is_many(value) else value for name, value in self._said().items()}
        return {"version": VERSION, "formula": self.formula, "pools": [part.to_dict() for part in self.parts], **own}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """What `to_dict` described."""
        fields = fields_of_dict(data, ("pools", *[f.name for f in FIELDS if f.name != "parts"]))
        pools = fields.pop("pools", None)
        parts = tuple(map(PoolSpec.from_dict, pools)) if is_many(pools) else pools
        return cls(fields.pop("formula", None), parts, **fields)


FIELDS = dataclasses.fields(Learned)

# ---------------------------------------------------------------------------------------------- which weights there are


class Formula(NamedTuple):
    """How many poolings it takes, which weights, and what else has to hold."""

    parts: int
    parameters: Callable[[Learned], Parameters]
    check: Callable[[Learned], None] = lambda op: None
    forms: tuple[str, ...] = ("",)


def _option(op: Learned) -> Parameters:
    """The first option of the kind that can be learned, one number or one a channel, from the spec's own."""
    name = op.parts[0].learned[0]
    return {name: Parameter((op.channels,) if op.channels else (), float(dict(op.parts[0].options)[name]))}


def _has_option(op: Learned) -> None:
    if not op.parts[0].learned:
        raise wrong(quoted(str(op.parts[0])), "one of its options can be learned", 'take "gem", "lp" or "softmax"')


def _scope(op: Learned) -> tuple[int, ...]:
    return (*((op.channels,) if op.channels else ()), *(op.regions or ()))


def _share(op: Learned) -> Parameters:
    return {"share": Parameter(_scope(op))}


def _is_soft(op: Learned) -> None:
    if op.parts[0].kind != "softmax":
        raise wrong(quoted(str(op.parts[0])), "AdaPool mixes a SoftPool", 'write PoolSpec("softmax", …)')


def _gate(op: Learned) -> Parameters:
    window: Any = op.parts[0].window
    return {"gate": Parameter((*_scope(op), math.prod(window)))}


def _has_window(op: Learned) -> None:
    if op.parts[0].window is None:
        raise wrong(quoted(str(op.parts[0])), "a gate has a weight for each cell of a window", "write window=3")


def _linear(inside: int, outside: int, name: str, bias: bool = True) -> Parameters:
    """A weight of shape (in, out) and a bias, at random as PyTorch's linear layers are."""
    bound = 1 / math.sqrt(inside)
    weight = {name: Parameter((inside, outside), 0.0, bound)}
    return weight | ({f"{name}_bias": Parameter((outside,), 0.0, bound)} if bias else {})


LOGITS: dict[str, tuple[tuple[int, bool, bool], ...]] = {
    # (side of the convolution, whether it goes into, and comes out of, hidden channels)
    "projection": ((1, False, False),),
    "simplified": ((3, False, False),),
    "bottleneck": ((1, False, True), (3, True, True), (1, True, False)),
}


def steps(op: Learned) -> list[tuple[int, int, int]]:
    """The convolutions of LIP's logits: side, channels in, channels out."""
    c, h = op.channels or 1, op.hidden or 1
    return [(k, h if a else c, h if b else c) for k, a, b in LOGITS[op.form]]


def _logits(op: Learned) -> Parameters:
    """Each with a scale and a shift behind; the last starts at 0, so that all cells have one weight."""
    made: Parameters = {}
    for i, (k, inside, outside) in enumerate(steps(op), 1):
        taps = k ** len(op.axes or "")
        last = i == len(LOGITS[op.form])
        spread = 0.0 if last else 1 / math.sqrt(taps * inside)
        made[f"conv{i}"] = Parameter((taps, inside, outside) if k > 1 else (inside, outside), 0.0, spread)
        made |= {f"scale{i}": Parameter((outside,), 1.0), f"shift{i}": Parameter((outside,))}
    return made


def _has_channels(op: Learned) -> None:
    if op.channels is None:
        raise wrong("no channels", f"{quoted(op.formula)} has weights for each of them", "write channels=256")
    if op.channels % op.heads:
        raise wrong(f"{op.channels} channels and {op.heads} heads", "each head has as many", "give a divisor")
    if op.formula != "lip" and op.parts[0] != _whole(op.layout, op.axes, op.keepdims):
        raise wrong(quoted(str(op.parts[0])), "attention is over whole axes", 'write output_size=1 and "avg"')


def _whole(layout: str, axes: str | None, keepdims: bool) -> PoolSpec:
    return PoolSpec("avg", output_size=1, layout=layout, axes=axes, keepdims=keepdims)


def _attention(op: Learned) -> Parameters:
    c, h = op.channels or 1, op.hidden or 1
    gate = _linear(c, h, "gate") if op.form == "gated" else {}
    return _linear(c, h, "score") | gate | _linear(h, 1, "head", bias=False)


def _latent(op: Learned) -> Parameters:
    c = op.channels or 1
    made: Parameters = {"latent": Parameter((c,), 0.0, 1 / math.sqrt(c))}
    for name in ("query", "key", "value", "out"):
        made |= _linear(c, c, f"to_{name}")
    if op.hidden is not None:
        made |= {"scale": Parameter((c,), 1.0), "shift": Parameter((c,))}
        made |= _linear(c, op.hidden, "wide") | _linear(op.hidden, c, "narrow")
    return made


FORMULAS: dict[str, Formula] = {
    "option": Formula(1, _option, _has_option),
    "mix": Formula(2, _share),
    "adapool": Formula(1, _share, _is_soft),
    "gate": Formula(2, _gate, _has_window),
    "lip": Formula(1, _logits, _has_channels, tuple(LOGITS)),
    "attention": Formula(1, _attention, _has_channels, ("", "gated")),
    "latent": Formula(1, _latent, _has_channels),
}
