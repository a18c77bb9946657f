"""Tensors besides the input: which an operation takes, what is known of them, and of all tensors together."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from poolkit.errors import DtypeError, InputError
from poolkit.lowering.backend import Situation
from poolkit.lowering.geometry import leading, letters_of, positions
from poolkit.spec.arguments import as_dtype
from poolkit.spec.dtypes import FLOATS, INTEGERS
from poolkit.spec.key import Key
from poolkit.spec.messages import shown
from poolkit.spec.operation import Further, Operation

if TYPE_CHECKING:
    from poolkit.lowering.backend import Adapter

Tensor = Any
OWN = {
    "mask": "bool",
    "ids": "int32",
    "key": "int32",
    "indices": "int64",
    "boxes": "float32",
}  # dtypes that are not the input's
Described = str | tuple[str, str]  # the axes of a tensor, and its dtype


def taken(spec: Operation, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those that were given, in the operation's order; `InputError` for one that it does not take.

    A key may be given to what draws nothing, as to every layer of a sequence. Beside samples none is read.
    """
    given = [name for name in tensors if tensors[name] is not None]
    for name in tensors:
        if name not in spec.takes and name != "key":
            names = " and ".join(spec.takes) or "none"
            raise InputError(
                f"received {name} for {spec}, and the tensors that it takes besides its input are: {names}; "
                f"leave {name} out"
            )
    drawn = "samples" in given
    return {name: tensors[name] for name in spec.takes if name in given and not (drawn and name == "key")}


def read(adapter: Adapter, x: Tensor, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same as tensors of the framework of `x`, a `Key` too; `InputError` for what is none."""
    adapter.check(x)
    made = {name: _key(adapter, x, t) if name == "key" else t for name, t in tensors.items()}
    check(adapter, made)
    return made


def _key(adapter: Adapter, x: Tensor, key: Any) -> Tensor:
    if isinstance(key, Key):
        return adapter.ops(1, "int32").line(key.words, 0, "int32", x)
    try:
        if hasattr(key, "shape"):
            return adapter.key_of(key)
    except RuntimeError:  # an uninitialised parameter of PyTorch's, which has no shape yet
        pass
    raise InputError(
        f"received {shown(key)} as the key, and a key is a pk.Key, or its two words as a tensor; write key=pk.Key(0)"
    )


def check(adapter: Adapter, tensors: Mapping[str, Tensor]) -> None:
    """`InputError` for one that is no tensor of the input's framework."""
    for name, t in tensors.items():
        try:
            adapter.check(t)
        except InputError as error:
            raise InputError(f"{name}: {error}") from error


def situation_of(adapter: Adapter, x: Tensor, tensors: Mapping[str, Tensor]) -> Situation:
    """The facts of all tensors together; the memory format is that of the input where all have the same."""
    situation, others = adapter.situation(x), [adapter.situation(t) for t in tensors.values()]
    for other in others:
        situation = situation._replace(
            derivative=situation.derivative or other.derivative,
            tracing=situation.tracing or other.tracing,
            wrapped=situation.wrapped or other.wrapped,
            empty=situation.empty or other.empty,
            format=False if situation.format is True and other.format is False else situation.format,
        )
    return situation


def facts_of(adapter: Adapter, name: str, t: Tensor, letters: int) -> Further:
    """What is known of a tensor; one of unknown rank is taken to have this many axes."""
    t, rank = adapter.rank(t, letters)
    dtype = _real(name, adapter.dtype(t))
    return Further(name, rank, dtype, tuple([adapter.known_size(t, at) for at in range(rank)]))


def _real(name: str, dtype: str) -> str:
    """The dtype; `DtypeError` where it is none of real numbers, which no operation takes."""
    if dtype in FLOATS + INTEGERS:
        return dtype
    raise DtypeError(
        f"received {name} of dtype {dtype}, and tensors besides the input hold real numbers "
        f"({', '.join(FLOATS + INTEGERS)}); cast it to one of these"
    )


def described(
    spec: Operation, tensors: Mapping[str, Described], shape: tuple[int | None, ...], dtype: str
) -> tuple[Further, ...]:
    """The same of tensors that are described by their axes, beside an input of this shape; unknown sizes are None."""
    given = {**dict.fromkeys(spec.parameters, ""), **tensors}
    return tuple([_described(spec, name, how, shape, dtype) for name, how in taken(spec, given).items()])


def _described(spec: Operation, name: str, how: Described, shape: tuple[int | None, ...], dtype: str) -> Further:
    rank = len(shape)
    own, more = letters_of(spec, rank), leading(spec, rank)
    axes: object = how[0] if isinstance(how, tuple) else how
    given = how[1] if isinstance(how, tuple) and len(how) > 1 else OWN.get(name, dtype)
    given = _real(name, as_dtype(given))
    if name in spec.parameters:
        held = spec.parameters[name].shape
        return Further(name, len(held), given, held)
    if name == "samples" and spec.axes is None:
        spec = spec.replace(layout=own)
    if name == "samples" and not any(c in form for form in spec.axes_of(name, own) for c in spec.lengths):
        own, shape = _of_result(spec, own, shape)
    forms = spec.axes_of(name, own)
    if not isinstance(axes, str) or axes.removeprefix("...") not in forms:
        raise InputError(
            f"received {shown(how)} for {name} of {spec}, and a tensor besides the input is described by its axes, "
            f"{' or '.join([form or shown(form) for form in dict.fromkeys(forms)])} here, or by its axes and dtype; "
            f'write it as in tensors={{"{name}": "{forms[0]}"}}'
        )
    if name == "key":
        return Further(name, 1, given, (2,))
    known = dict(zip(own, shape[more:], strict=True)) if name not in spec.loose else dict.fromkeys(own)
    lengths = {**known, **spec.lengths}
    alone = name in (*spec.learned, *spec.loose) or (name == "samples" and None in spec.lengths.values())
    sizes = [*(() if alone else shape[:more]), *[lengths[c] for c in axes.removeprefix("...")]]
    return Further(name, len(sizes), given, tuple(sizes))


def _of_result(spec: Operation, letters: str, shape: tuple[int | None, ...]) -> tuple[str, tuple[int | None, ...]]:
    """The axes that the result of a pooling has, and its shape; the poolings of a mix share their samples."""
    gone = () if spec.keepdims else positions(spec, len(shape))
    left = [c for at, c in enumerate(letters, len(shape) - len(letters)) if at not in gone]
    return "".join(left), spec.poolings()[0].output_shape(shape)


def checked(
    adapter: Adapter, spec: Operation, run: Callable[..., Any], tensors: Mapping[str, Tensor], refuses: bool = False
) -> Callable[..., Any]:
    """The function of a program, with a look at what tensors hold, where that can be looked at.

    A program that `refuses` what it is not right for is run first: of 400,000 indices a look takes 0.3 ms.
    """
    looked = [(i, name) for i, name in enumerate(tensors) if name in (spec.refused if refuses else spec.looked_at)]
    if len(looked) == 0:
        return run

    def look(x: Tensor, others: tuple[Tensor, ...]) -> Callable[[], Any] | None:
        for i, name in looked:
            held = adapter.held(others[i])
            other = spec.look(name, held, x.shape) if held is not None else None
            if other is not None:
                named = zip(tensors, others, strict=True)
                return functools.partial(other, x, **{name: t for name, t in named if name in other.takes})
        return None

    @functools.wraps(run)
    def looking(x: Tensor, *others: Tensor) -> Any:
        other = look(x, others)
        return run(x, *others) if other is None else other()

    @functools.wraps(run)
    def trying(x: Tensor, *others: Tensor) -> Any:
        try:
            return run(x, *others)
        except (IndexError, RuntimeError):
            other = look(x, others)
            if other is None:
                raise
        return other()

    return trying if refuses else looking
