"""`stand_in`: what is called as another framework's pooling class or function is, and pools here."""

from __future__ import annotations

import functools
from typing import Any

from poolkit.dialects import table
from poolkit.dialects.calls import Call, Expression
from poolkit.dialects.reading import read_call, spoken_in
from poolkit.errors import InputError
from poolkit.port.target import target_of
from poolkit.running.layers import layer
from poolkit.spec.messages import shown
from poolkit.spec.signatures import explained
from poolkit.spec.values import plain
from poolkit.spec.vocabulary import SYMBOLIC


@explained
def stand_in(word: str, backend: str, *, layout: str | None = None) -> Any:
    """What is called as a pooling class or function of any framework is, and makes a layer of `backend` or pools there.

    `word` is its full name; its framework need not be installed. The axes are in the usual order of `backend`, or in
    `layout`, "channels_first" or "channels_last". Of a class it is a class, the same each time. `poolkit port` writes
    one where a file hands a class on, or has arguments that only the program knows.

    >>> pool = stand_in("keras.layers.MaxPooling2D", "torch")
    >>> pool(2, padding="valid")
    MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
    """
    word, backend, layout = plain(word), plain(backend), plain(layout)
    table.dialect(backend)
    given: object = layout
    if given is not None and not (isinstance(given, str) and given in SYMBOLIC):
        raise InputError(f"received the layout {shown(layout)}, and it is {' or '.join(SYMBOLIC)}; write one of these")
    return _made(_named(word), backend, layout)


def _named(word: object) -> str:
    """The name of a pooling class or function in its framework's table."""
    dialect, name = spoken_in(Call(word)) if isinstance(word, str) else (None, "")
    entry = dialect.words.get(name) if dialect is not None else None
    if entry is not None and entry.pools:
        return name
    raise InputError(
        f"received the name {shown(word)}, and poolkit reads no pooling class or function of that name; "
        "write it in full, as in torch.nn.AvgPool2d"
    )


@functools.cache
def _made(name: str, backend: str, layout: str | None) -> Any:
    word = spoken_in(Call(name))[0].words[name]
    tensor = word.tensor

    def new(_: type, /, *args: Any, **named: Any) -> Any:
        return _layer(Call(name, args, tuple(named.items())), backend, layout)

    def pool(*args: Any, **named: Any) -> Any:
        if len(args) > 0 and tensor in named:
            raise InputError(f"received two values for {tensor}, and {name} takes one; leave {tensor}= out")
        given = args if tensor not in named else (named.pop(tensor),)
        if not given:
            raise InputError(f"received no tensor, and {name} takes it first or as {tensor}=; give it")
        call = Call(name, (Expression("x"), *given[1:]), tuple(named.items()))
        besides = word.besides(call)
        return _pooled(call, backend, layout, given[0], besides) if besides else _layer(call, backend, layout)(given[0])

    return type(name.rpartition(".")[2], (), {"__new__": new}) if tensor is None else pool


def _pooled(call: Call, backend: str, layout: str | None, x: Any, besides: dict[str, Any]) -> Any:
    """What a call gives that takes other tensors besides, as none of a framework's own layers does here."""
    return layer(target_of(read_call(call), backend, layout).spec, backend)(x, **besides)


def _layer(call: Call, backend: str, layout: str | None) -> Any:
    """The layer that `poolkit port` writes for a call."""
    target = target_of(read_call(call), backend, layout)
    return target.call.make() if target.call is not None else layer(target.spec, backend)
