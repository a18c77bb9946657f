"""Programs: a recorded lowering as source text, and the function compiled from it. What is printed is what runs."""

from __future__ import annotations

import dataclasses
import itertools
import linecache
import re
from collections.abc import Callable
from typing import Any, cast

from poolkit.recorder import Block, Name, Tape, Value, render, texts

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
    return _program(_body(tape.lines, [("return", _returned(lowering(ops, x)))]), ops, title, backend, route)


def record_guarded(guarded: Guarded, otherwise: Lowering, ops: Any, title: str, backend: str, route: str) -> Program:
    """The same of two lowerings: a result and a scalar that says whether it is right; and what serves where it is not.

    For eager calls: the program asks with an `if`.
    """
    tape, x = _stand_ins(ops)
    result, right = guarded(ops, x)
    body = _body(tape.lines, [("if", render(right)), ("return", _returned(result))])
    tape, x = _stand_ins(ops)
    rest = _body(tape.lines, [("return", _returned(otherwise(ops, x)))])
    return _program(body + rest, ops, title, backend, route)


def _program(body: list[str], ops: Any, title: str, backend: str, route: str) -> Program:
    text = "\n".join(body)
    used = [statement for name, statement in ops.imports.items() if re.search(rf"\b{name}\.", text)]
    source = _module(title, used, body, getattr(ops, "decorator", ""))
    return Program(backend, route, source, _compile(source, f"<poolkit {backend} {next(_COUNTER)}: {title}>"))


def _stand_ins(ops: Any) -> tuple[Tape, Value]:
    tape = Tape()
    for attribute in ops.imports:
        setattr(ops, attribute, Name(tape, attribute))
    return tape, Value(tape, "x")


def _returned(result: Any) -> str:
    results = cast("tuple[object, ...]", result) if isinstance(result, tuple) else (result,)
    return ", ".join(map(render, results))


def _body(
    lines: dict[str, Value], ends: list[tuple[str, str]], outer: dict[str, str] | None = None, first: int = 1
) -> list[str]:
    """The lines that the ends need; a value that is used once stands in the line that uses it.

    Those of a function within know what is outside (`outer`: variable -> what stands for it), and count from `first`.
    """
    text_of = texts(lines)
    needed = _needed(text_of, " ".join(text for _, text in ends))
    statements = [(name, text) for name, text in text_of.items() if name in needed] + ends
    blocks = {value.variable: value for value in lines.values() if isinstance(value, Block)}
    uses = _uses(statements, blocks)
    short = dict(outer or {})
    body: list[str] = []
    for name, recorded in statements:
        text = _VARIABLE.sub(lambda m: short.get(m[0], m[0]), recorded)
        variable = f"t{first + len(body)}"
        if name in blocks:
            inner = _function(blocks[name], short, f"f{variable[1:]}", first + len(body) + 1)
            short[name] = inner[0] if len(inner) == 1 else f"f{variable[1:]}"
            body += inner if len(inner) > 1 else []
        elif name == "return":
            last = body.pop().removeprefix(f"{text} = ") if body and body[-1].startswith(f"{text} = ") else _bare(text)
            body.append(f"{'    ' * (len(ends) > 1)}return {last}")
        elif name == "if":
            body.append(f"if {_bare(text)}:")
        elif _FACT.fullmatch(recorded) or (uses.count(name) == 1 and len(text) <= INLINE):
            short[name] = text
        else:
            short[name] = variable
            body.append(f"{variable} = {_bare(text)}")
    return body


def _function(block: Block, outer: dict[str, str], name: str, first: int) -> list[str]:
    """A recorded function as one line, a lambda, or as the lines of a def."""
    body = _body(block.lines, [("return", render(block.returned))], outer, first)
    if len(body) > 1:
        return [f"def {name}():", *(f"    {line}" for line in body)]
    value = body[0].removeprefix("return ")
    return [f"lambda: ({value})" if isinstance(block.returned, tuple) else f"lambda: {value}"]


def _uses(statements: list[tuple[str, str]], blocks: dict[str, Block]) -> list[str]:
    """Every use of a variable. One within a function counts twice: what was computed outside is not moved into it."""
    uses: list[str] = []
    for name, text in statements:
        uses += _VARIABLE.findall(text) * (2 if name in blocks else 1)
    return uses


def _needed(lines: dict[str, str], returned: str) -> set[str]:
    needed: set[str] = set()
    waiting = _VARIABLE.findall(returned)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += _VARIABLE.findall(lines.get(name, ""))  # what is outside a function has no line in it
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
