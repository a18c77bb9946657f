"""Programs: a recorded lowering as source text, and the function compiled from it. What is printed is what runs."""

from __future__ import annotations

import dataclasses
import itertools
import linecache
import re
from collections.abc import Callable
from typing import Any, cast

from poolkit.recorder import Name, Tape, Value, render

INLINE = 55  # a value that is used once moves into the line that uses it, if it is no longer than this

Lowering = Callable[[Any, Any], Any]
Guarded = Callable[[Any, Any], tuple[Any, Any]]

_COUNTER = itertools.count(1)
_VARIABLE = re.compile(r"\bv\d+\b")
_FACT = re.compile(r"\w+(\.\w+)+(\[\d+\])?")  # x.dtype, x.shape[2], a method: as short as a variable


@dataclasses.dataclass(frozen=True)
class Program:
    """A lowering as source text, and the function that the text defines.

    `source` is a module of its own: it imports its framework, defines `pool(x)`, and runs where poolkit is not
    installed.
    """

    backend: str
    route: str
    source: str
    function: Callable[[Any], Any] = dataclasses.field(repr=False, compare=False)

    def __call__(self, x: Any) -> Any:
        return self.function(x)

    def __str__(self) -> str:
        return self.source

    def finished(self, finish: Callable[..., Any]) -> Program:
        """The same program with its function made ready by the adapter (JAX wraps it in `jit`)."""
        return dataclasses.replace(self, function=finish(self.function))


def record(lowering: Lowering, ops: Any, title: str, backend: str, route: str) -> Program:
    """Run a lowering on stand-ins, and compile what it wrote down."""
    tape, x = _stand_ins(ops)
    return _program(_body(tape, [("return", _returned(lowering(ops, x)))]), ops, title, backend, route)


def record_guarded(
    guarded: Guarded, otherwise: Lowering, ops: Any, title: str, backend: str, route: str, branch: str | None
) -> Program:
    """The same of two lowerings: a result and a scalar that says whether it is right, and what serves where it is not.

    The program chooses by an `if`, or by the framework's call `branch`.
    """
    tape, x = _stand_ins(ops)
    result, right = guarded(ops, x)
    body = _body(tape, [("if", render(right)), ("return", _returned(result))])
    tape, x = _stand_ins(ops)
    rest = _body(tape, [("return", _returned(otherwise(ops, x)))])
    body = _branching(body, rest, branch) if branch is not None else body + rest
    return _program(body, ops, title, backend, route)


def _program(body: list[str], ops: Any, title: str, backend: str, route: str) -> Program:
    text = "\n".join(body)
    used = [statement for name, statement in ops.imports.items() if re.search(rf"\b{name}\.", text)]
    source = _module(title, used, body, getattr(ops, "decorator", ""))
    return Program(backend, route, source, _compile(source, f"<poolkit {backend} {next(_COUNTER)}: {title}>"))


def _branching(guarded: list[str], rest: list[str], branch: str) -> list[str]:
    """The lines ending in "if right:" and "return result", and those that serve otherwise, as one call."""
    *made, condition, result = guarded
    right, value = condition.removeprefix("if ").removesuffix(":"), result.strip().removeprefix("return ")
    otherwise = ["def otherwise():", *(f"    {line}" for line in rest)]
    return [*made, *otherwise, f"return {branch}({right}, lambda: {value}, otherwise)"]


def _stand_ins(ops: Any) -> tuple[Tape, Value]:
    tape = Tape()
    for attribute in ops.imports:
        setattr(ops, attribute, Name(tape, attribute))
    return tape, Value(tape, "x")


def _returned(result: Any) -> str:
    results = cast("tuple[object, ...]", result) if isinstance(result, tuple) else (result,)
    return ", ".join(map(render, results))


def _body(tape: Tape, ends: list[tuple[str, str]]) -> list[str]:
    """The lines that the ends need; a value that is used once stands in the line that uses it."""
    lines = {value.variable: text for text, value in tape.lines.items()}
    needed = _needed(lines, " ".join(text for _, text in ends))
    statements = [(name, text) for name, text in lines.items() if name in needed] + ends
    uses = [name for _, text in statements for name in _VARIABLE.findall(text)]
    short: dict[str, str] = {}  # variable -> what stands for it
    body: list[str] = []
    for name, recorded in statements:
        text = _VARIABLE.sub(lambda m: short.get(m[0], m[0]), recorded)
        if name == "return":
            last = body.pop().removeprefix(f"{text} = ") if body and body[-1].startswith(f"{text} = ") else _bare(text)
            body.append(f"{'    ' * (len(ends) > 1)}return {last}")
        elif name == "if":
            body.append(f"if {_bare(text)}:")
        elif _FACT.fullmatch(recorded) or (uses.count(name) == 1 and len(text) <= INLINE):
            short[name] = text
        else:
            short[name] = f"t{len(body) + 1}"
            body.append(f"{short[name]} = {_bare(text)}")
    return body


def _needed(lines: dict[str, str], returned: str) -> set[str]:
    needed: set[str] = set()
    waiting = _VARIABLE.findall(returned)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += _VARIABLE.findall(lines[name])
    return needed


def _bare(text: str) -> str:
    """Without the brackets that enclose all of it."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0 and i < len(text) - 1:
            return text
    return text[1:-1]


def _module(title: str, imports: list[str], body: list[str], decorator: str) -> str:
    head = "\n".join(imports)
    over = f"{decorator}\n" if decorator else ""  # set by a route whose calls are to be compiled together
    lines = "\n".join(f"    {line}" for line in body)
    return f'{head}\n\n\n{over}def pool(x):\n    """{title}"""\n{lines}\n'.lstrip("\n")


def _compile(source: str, filename: str) -> Callable[[Any], Any]:
    namespace: dict[str, Any] = {}
    exec(compile(source, filename, "exec"), namespace)  # the text was rendered above, from our own lowering
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    return namespace["pool"]  # type: ignore[no-any-return]
