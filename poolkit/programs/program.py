"""Programs: a recorded lowering as source text, and the function compiled from it. What is printed is what runs."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import linecache
import re
import weakref
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, cast

from poolkit.programs.lifetimes import letting_go
from poolkit.programs.naming import name_of
from poolkit.programs.recorder import Block, Effect, Name, Tape, Value, render

GLANCE = 6  # lines; a longer program says why
INLINE = 60  # a value that is used once moves into the line that uses it, if it is no longer than this

Lowering = Callable[..., Any]

_COUNTER = itertools.count(1)
_VARIABLE = re.compile(r"\bv\d+\b")
_CALLED = re.compile(r"(\bv\d+\b)(\(\))?")
_FACT = re.compile(r"\w+(\.\w+)+(\[\d+\])?")  # x.dtype, x.shape[2], a method: as short as a variable
_BRACKET = re.compile(r"[()]")


@dataclasses.dataclass(frozen=True)
class Program:
    """A lowering as source text, and the function that the text defines.

    `source` is a module of its own: it imports its framework, defines `pool(x)`, and runs where poolkit is not
    installed.
    """

    backend: str
    route: str
    source: str
    title: str = dataclasses.field(repr=False, compare=False)
    finish: Callable[..., Any] | None = dataclasses.field(default=None, repr=False, compare=False)

    @functools.cached_property
    def function(self) -> Callable[..., Any]:
        """`pool` of the source, made ready by `finish`. Compiling takes twice as long as recording, so it waits."""
        made = _compile(self.source, f"<poolkit {self.backend} {next(_COUNTER)}: {self.title}>")
        return made if self.finish is None else self.finish(made)

    def __call__(self, x: Any, *tensors: Any) -> Any:
        return self.function(x, *tensors)

    def __str__(self) -> str:
        return self.source

    def finished(self, finish: Callable[..., Any]) -> Program:
        """The same program with its function made ready by the adapter (JAX wraps it in `jit`)."""
        return dataclasses.replace(self, finish=finish)


def record(
    lowering: Lowering,
    ops: Any,
    title: str,
    backend: str,
    route: str,
    decorator: str = "",
    further: tuple[str, ...] = (),
) -> Program:
    """Run a lowering on stand-ins, and compile what it wrote down; `further` are names of arguments behind `x`."""
    tape, x = _stand_ins(ops)
    tensors = {name: Value(tape, name) for name in further}
    given = {name: name for name in ("x", *further)}  # which no line's value may be called
    body = _body(tape.lines, _returned(lowering(ops, x, **tensors)), given)
    text = "\n".join(body)
    used = [statement for name, statement in ops.imports.items() if re.search(rf"\b{name}\.", decorator + text)]
    if tape.note and len(body) > GLANCE:
        body = [f"# {tape.note}", *body]  # why there are more lines than are read at a glance
    source = _module(title, used, body, decorator, ", ".join(["x", *further]))
    return Program(backend, route, source, title)


def _stand_ins(ops: Any) -> tuple[Tape, Value]:
    tape = Tape()
    for attribute in ops.imports:
        setattr(ops, attribute, Name(tape, attribute))
    ops.shared = tape.shared
    return tape, Value(tape, "x")


def _returned(result: Any) -> str:
    if not isinstance(result, tuple):
        return render(result)
    results = cast("tuple[object, ...]", result)
    return ", ".join(map(render, results)) + "," * (len(results) == 1)


def _body(lines: dict[str, Value], returned: str, outer: dict[str, str] | None = None, first: int = 1) -> list[str]:
    """The lines that the result needs; a value that is used once stands in the line that uses it.

    Those of a function within know what is outside (`outer`: variable -> what stands for it), and count from `first`.
    """
    used = {value.variable: _VARIABLE.findall(text) for text, value in lines.items()}
    last = _VARIABLE.findall(returned)
    needed = _needed(lines.values(), used, last)
    statements = [(text, value) for text, value in lines.items() if value.variable in needed]
    uses = Counter(_uses([value for _, value in statements], used, last))
    short = dict(outer or {})
    taken = set(short.values())
    body: list[str] = []
    for recorded, value in statements:
        number = first + len(body)
        if isinstance(value, Block):
            short[value.variable], made = _function(value, short, number, taken)
            taken.add(short[value.variable])
            body += made
            continue
        text = _shortened(recorded, short)
        if isinstance(value, Effect):
            body.append(text)
        elif _FACT.fullmatch(recorded) or (uses[value.variable] == 1 and len(text) <= INLINE):
            short[value.variable] = text
        else:
            short[value.variable] = name = name_of(value, text, number, taken)
            taken.add(name)
            body.append(f"{name} = {_bare(text)}")
    return _ending(body, _shortened(returned, short))


def _shortened(text: str, short: dict[str, str]) -> str:
    def standing(m: re.Match[str]) -> str:
        found = short.get(m[1], m[1])
        if m[2] and found.startswith("lambda: "):
            return f"({found.removeprefix('lambda: ')})"  # is computed as it is called
        called = found.startswith("lambda") and text.startswith("(", m.end())
        return f"({found})" if called else f"{found}{m[2] or ''}"

    return _CALLED.sub(standing, text)


def _ending(body: list[str], returned: str) -> list[str]:
    """The lines with a last one that returns; a name that is only returned is not given."""
    if body and body[-1].startswith(f"{returned} = "):
        return [*body[:-1], f"return {body[-1].removeprefix(f'{returned} = ')}"]
    return [*body, f"return {_bare(returned)}"]


def _function(block: Block, outer: dict[str, str], number: int, taken: set[str]) -> tuple[str, list[str]]:
    """What stands for a recorded function, and its lines: a lambda has none."""
    body = _body(block.lines, render(block.returned), outer | {name: name for name in block.names}, number + 1)
    if len(body) > 1 or block.name:  # one with a name is called from several places
        name = f"f{number}" if block.name == "" else f"{block.name}_{number}" if block.name in taken else block.name
        return name, [f"def {name}({', '.join(block.names)}):", *(f"    {line}" for line in body)]
    value = body[0].removeprefix("return ")
    head = f"lambda {', '.join(block.names)}" if block.names else "lambda"
    return f"{head}: ({value})" if isinstance(block.returned, tuple) else f"{head}: {value}", []


def _uses(values: Iterable[Value], used: dict[str, list[str]], last: list[str]) -> list[str]:
    """Every use of a variable. One within a function counts twice: what was computed outside is not moved into it."""
    uses = list(last)
    for value in values:
        uses += used[value.variable] * (2 if isinstance(value, Block) else 1)
    return uses


def _needed(values: Iterable[Value], used: dict[str, list[str]], last: list[str]) -> set[str]:
    """The variables that the result uses; an effect is used with its owner."""
    effects: dict[str, list[str]] = {}
    for value in values:
        if isinstance(value, Effect):
            effects.setdefault(value.owner, []).append(value.variable)
    needed: set[str] = set()
    waiting = list(last)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += used.get(name, [])  # what is outside a function has no line in it
            waiting += effects.get(name, [])
    return needed


def _bare(text: str) -> str:
    """Without the brackets that enclose all of it."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for bracket in _BRACKET.finditer(text):
        depth += 1 if bracket[0] == "(" else -1
        if depth == 0:
            return text[1:-1] if bracket.end() == len(text) else text
    return text


def _module(title: str, imports: list[str], body: list[str], decorator: str, arguments: str) -> str:
    head = "\n".join(imports)
    over = f"{decorator}\n" if decorator else ""
    lines = "\n".join(f"    {line}" for line in body)
    return f'{head}\n\n\n{over}def pool({arguments}):\n    """{title}"""\n{lines}\n'.lstrip("\n")


def _compile(source: str, filename: str) -> Callable[[Any], Any]:
    namespace: dict[str, Any] = {}
    exec(compile(letting_go(source), filename, "exec"), namespace)  # the text was rendered above, from our own lowering
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    function = namespace.pop("pool")  # out of its own globals, so that it is gone when nobody holds it
    weakref.finalize(function, linecache.cache.pop, filename, None).atexit = False
    return function  # type: ignore[no-any-return]
