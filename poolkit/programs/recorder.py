"""Stand-ins that write down what is done to them: `Name` for a framework's modules, `Value` for tensors and sizes.

Reading an attribute of a `Name` builds a dotted name; calls and arithmetic are recorded on a `Tape`, each expression
once. A function among the arguments of a call, such as a branch of tf.cond, is recorded as a `Block`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType, MethodType
from typing import Any, TypeVar, cast

from poolkit.errors import ShapeError
from poolkit.spec.values import plain

LINE = 2  # calls, which stand in a line
FUNCTIONS = (FunctionType, MethodType)
MOST = 2**17  # calls of a program; so many are recorded in 15 s

V = TypeVar("V", bound="Value")


class Tape:
    """The expressions of one recording, in order, each once: the text of an expression, and its value."""

    def __init__(self) -> None:
        self.lines: dict[str, Value] = {}
        self._scopes = [self.lines]  # of the functions that are being recorded, the innermost last
        self._count = 0
        self._shared: dict[Any, tuple[dict[str, Value], Any]] = {}  # functions, and where each was recorded
        self.note = ""  # why the program is not short

    def record(self, text: str) -> Value:
        return self._once(text, lambda variable: Value(self, variable))

    def effect(self, owner: Value, text: str) -> None:
        self._once(text, lambda variable: Effect(self, variable, owner.variable))

    def _once(self, text: str, made: Callable[[str], V]) -> V:
        for lines in self._scopes:
            if text in lines:
                return cast("V", lines[text])
        self._count += 1
        if self._count > MOST:
            raise ShapeError(
                f"received windows or bins whose program has more than {MOST} calls, and one of so many takes minutes; "
                "pool in several steps, or give windows, bins and padding of fewer cells"
            )
        value = made(f"v{self._count}")
        self._scopes[-1][text] = value
        return value

    def block(self, function: Callable[..., Any]) -> Block:
        """A function, run once to record what it does; it may use what was recorded before it.

        Its arguments keep their names, which have to be others than those of the functions around it.
        """
        method: Any = function
        code, lines = method.__code__, dict[str, Value]()
        names = code.co_varnames[hasattr(method, "__self__") : code.co_argcount - len(method.__defaults__ or ())]
        self._scopes.append(lines)
        returned = function(*[Value(self, name) for name in names])
        self._scopes.pop()
        # All that stands in it, for those who ask what it uses.
        text = " ".join(["def", *names, *lines, render(returned)])
        return self._once(text, lambda variable: Block(self, variable, names, lines, returned))

    def shared(self, name: str, key: Any, function: Callable[..., Any], outermost: bool = False) -> Any:
        """The function, as `Ops.shared` says: recorded once, and again where that is out of sight."""
        scope, made = self._shared.get((name, key), (None, None))
        if not any(lines is scope for lines in self._scopes):
            scopes, self._scopes = self._scopes, self._scopes[: 1 if outermost else None]
            scope, block = self._scopes[-1], self.block(function)
            self._scopes = scopes
            made = named(name, block) if len(block.lines) > LINE else function
            self._shared[name, key] = scope, made
        return made


class Value:
    """The result of a recorded expression, and what a program calls it where it says so."""

    __slots__ = ("name", "tape", "variable")
    __hash__ = None  # type: ignore[assignment]  # == is recorded, so a Value is no key

    def __init__(self, tape: Tape, variable: str) -> None:
        self.tape, self.variable, self.name = tape, variable, ""

    def __getattr__(self, name: str) -> Value:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.tape.record(f"{self.variable}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> Value:
        return self.tape.record(f"{self.variable}({_arguments(self.tape, args, kwargs)})")

    def __getitem__(self, item: Any) -> Value:
        return self.tape.record(f"{self.variable}[{_item(item)}]")

    def __bool__(self) -> bool:
        raise TypeError("a recorded value has no truth value: a lowering may not branch on data or on a symbol")

    def __iter__(self) -> Any:
        raise TypeError("a recorded value cannot be iterated over: its length is not known")


class Block(Value):
    """A function that was recorded: its own lines, and what it returns."""

    __slots__ = ("lines", "names", "returned")

    def __init__(
        self, tape: Tape, variable: str, names: tuple[str, ...], lines: dict[str, Value], returned: Any
    ) -> None:
        super().__init__(tape, variable)
        self.names, self.lines, self.returned = names, lines, returned


class Effect(Value):
    """A call that is made for what it does to its owner: it stands wherever its owner is used, and gives nothing."""

    __slots__ = ("owner",)

    def __init__(self, tape: Tape, variable: str, owner: str) -> None:
        super().__init__(tape, variable)
        self.owner = owner


def tell(owner: Any, method: str, *args: Any) -> None:
    """Call a method of what a framework has made for what it does to it, such as `defjvp`."""
    if not isinstance(owner, Value):
        getattr(owner, method)(*args)
        return
    owner.tape.effect(owner, f"{owner.variable}.{method}({_arguments(owner.tape, args, {})})")


def noted(x: Any, why: str) -> None:
    """Say why a program may be long, once."""
    if isinstance(x, Value):
        x.tape.note = x.tape.note or why


def named(name: str, value: Any) -> Any:
    """The value, which a program calls so where it needs a name."""
    if isinstance(value, Value):
        value.name = value.name or name
    return value


def choose(right: Any, value: Any, otherwise: Callable[[], Any]) -> Any:
    """`value`, or what it gives, where `right` is true, else what `otherwise` gives: Python's conditional, eager."""
    if not isinstance(right, Value):
        return (value() if type(value) in FUNCTIONS else value) if right else otherwise()
    first, other = (_given(right.tape, v) for v in (value, otherwise))
    return right.tape.record(f"({first} if {render(right)} else {other})")


def _given(tape: Tape, value: Any) -> str:
    return f"{render(tape.block(value))}()" if type(value) in FUNCTIONS else render(value)


def together(*values: Any) -> Any:
    """A tuple that is written once, with a name, where it holds a recorded value and several calls take it."""
    tape = next((v.tape for v in values if isinstance(v, Value)), None)
    return values if tape is None else tape.record(render(values))


def _binary(symbol: str) -> tuple[Callable[[Value, Any], Value], Callable[[Value, Any], Value]]:
    def forward(self: Value, other: Any) -> Value:
        return self.tape.record(f"({render(self)} {symbol} {render(other)})")

    def backward(self: Value, other: Any) -> Value:
        return self.tape.record(f"({render(other)} {symbol} {render(self)})")

    return forward, backward


def _unary(symbol: str) -> Callable[[Value], Value]:
    return lambda self: self.tape.record(f"({symbol}{render(self)})")


_NUMBERS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "truediv": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "**",
    "matmul": "@",
}
_ARITHMETIC = {**_NUMBERS, "and": "&", "or": "|", "xor": "^", "lshift": "<<", "rshift": ">>"}
_COMPARISONS = {"gt": ">", "lt": "<", "ge": ">=", "le": "<=", "eq": "==", "ne": "!="}

for _name, _symbol in _ARITHMETIC.items():
    _forward, _backward = _binary(_symbol)
    setattr(Value, f"__{_name}__", _forward)
    setattr(Value, f"__r{_name}__", _backward)
for _name, _symbol in _COMPARISONS.items():
    setattr(Value, f"__{_name}__", _binary(_symbol)[0])
for _name, _symbol in {"invert": "~", "neg": "-"}.items():
    setattr(Value, f"__{_name}__", _unary(_symbol))


class Name:
    """A dotted name of the framework: reading an attribute extends it, calling it is recorded."""

    def __init__(self, tape: Tape, path: str) -> None:
        self.tape, self.path = tape, path

    def __getattr__(self, name: str) -> Name:
        if name.startswith("__"):
            raise AttributeError(name)
        return Name(self.tape, f"{self.path}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> Value:
        return self.tape.record(f"{self.path}({_arguments(self.tape, args, kwargs)})")


def render(value: Any) -> str:
    """An argument as source text. A program holds ints, floats, strings and tuples, never a tensor."""
    if type(value) is Value:  # these two are most of what is rendered, and recording is what a new shape waits for
        return value.variable
    if type(value) is int:
        return str(value)
    if isinstance(value, Value):
        return value.variable
    if isinstance(value, Name):
        return value.path
    if isinstance(value, tuple | list):
        return _sequence(cast("Sequence[Any]", value), isinstance(value, list))
    value = plain(value)
    if isinstance(value, str):
        return f'"{value}"' if value.isprintable() and not {'"', "\\"} & set(value) else repr(value)
    if isinstance(value, float) and value - value != 0:  # infinite, or NaN
        return f'float("{value}")'
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    raise TypeError(f"a program holds ints, floats, strings, tuples and functions, received {type(value).__name__}")


def _sequence(values: Sequence[Any], is_list: bool) -> str:
    inner = ", ".join(map(render, values))
    return f"[{inner}]" if is_list else f"({inner}{',' * (len(values) == 1)})"


def _arguments(tape: Tape, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    texts = [render(tape.block(value) if type(value) in FUNCTIONS else value) for value in args]
    for name, value in kwargs.items():
        texts.append(f"{name}={render(tape.block(value) if type(value) in FUNCTIONS else value)}")
    return ", ".join(texts)


def _item(item: Any) -> str:
    return ", ".join(map(_index, cast("tuple[object, ...]", item))) if isinstance(item, tuple) else _index(item)


def _index(item: Any) -> str:
    if not isinstance(item, slice):
        return "..." if item is ... else render(item)
    cut = cast("slice[object, object, object]", item)
    start, stop, step = ("" if v is None else render(v) for v in (cut.start, cut.stop, cut.step))
    return f"{start if start != '0' else ''}:{stop}" + (f":{step}" if step not in ("", "1") else "")
