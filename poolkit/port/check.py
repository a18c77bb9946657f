"""`poolkit port --check`: original and port, side by side on random input, each in its own layout."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from poolkit.dialects.calls import Call
from poolkit.dialects.reading import call_of, read_call
from poolkit.errors import NotExactError, PoolkitError, ShapeError, shortened
from poolkit.port.onnx_nodes import evaluated
from poolkit.port.report import Row
from poolkit.port.runner import Run, runner
from poolkit.port.target import target_of
from poolkit.running import registry
from poolkit.spec.operation import Operation
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_all, is_many
from poolkit.tools.cost import cost

Array = Any

# A file may name sizes that no memory holds, and windows that no one waits for.
MOST = 2**23  # elements of an input
MOST_WORK = 2**27  # cells of all windows of an input together, for which XLA takes about a second
MOST_BINS = 64  # of unequal sizes, each of which may be a call in the port; compiling these takes JAX 4 s for an input
SECONDS = 60  # of processor time, after which no further row of a file is run


@dataclass(frozen=True)
class Checked:
    """What a check found: the largest difference of all inputs, and the largest share of what is allowed.

    `allowed` is twice the tolerance of the conformance suite, which bounds how far each of two results may be from the
    definition. `problem` says why nothing was run, or why results could not be compared.
    """

    shapes: tuple[tuple[int, ...], ...] = ()
    difference: float | None = None
    share: float | None = None
    problem: str = ""

    @property
    def agrees(self) -> bool:
        """Whether nothing was found that is outside the tolerance; True where nothing could be run."""
        return self.share is None or self.share <= 1  # NaN is not

    def to_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        finite = self.difference is not None and math.isfinite(self.difference)
        return {
            "agrees": self.agrees if self.share is not None else None,
            "shapes": self.shapes,
            "difference": self.difference if finite else None,
            "problem": self.problem,
        }

    def __str__(self) -> str:
        if self.share is None or self.difference is None:
            return f"not run: {self.problem}"
        if self.problem:
            return f"differs: {self.problem}"
        return f"{self.difference:.2g}{'' if self.agrees else ', outside the tolerance'}"


def checks(rows: Sequence[Row], backend: str, layout: str | None = None) -> dict[int, Checked]:
    """What the check of each row found, by the row's number; rows that are alike are run once."""
    found: dict[Row, Checked | None] = {}
    alike = [replace(row, where="", call=None, ported=None) for row in rows]
    end = time.process_time() + SECONDS
    for key, row in zip(alike, rows, strict=True):
        if key not in found:
            found[key] = check(row, backend, layout) if time.process_time() < end else _not_run(row)
    several = {at: found[key] for at, key in enumerate(alike)}
    return {at: one for at, one in several.items() if one is not None}


def _not_run(row: Row) -> Checked | None:
    problem = f"the rows before it took {SECONDS} s; port and check it by itself"
    return Checked(problem=problem) if _written_for(row) else None


def _written_for(row: Row) -> bool:
    """Whether something was written for a row."""
    return row.status in ("exact", "caveat") and row.call is not None and row.after != row.before


def check(row: Row, backend: str, layout: str | None = None) -> Checked | None:
    """The original of a row and its port on inputs of a few sizes; None for a row that nothing was written for.

    >>> from poolkit.dialects.calls import Call
    >>> from poolkit.dialects.reading import read_call
    >>> call = Call("numpy.mean", ("x",), (("axis", (1, 2)), ("keepdims", True)))
    >>> row = Row("line 1", str(call), "exact", "mean", spec=read_call(call), call=call)
    >>> check(row, "numpy").share <= 1
    True
    """
    if not _written_for(row):
        return None
    problem = _not_alike(row.spec)
    if problem or row.spec is None:
        return Checked(problem=problem)
    try:
        original, ported, letters = _sides(row, backend, layout)
        return _compared(row, original, ported, letters)
    except PoolkitError as error:
        return Checked(problem=str(error))
    except Exception as error:  # whatever a framework raises while it is imported
        return Checked(problem=f"{_said(error)} ends the check")


def _not_alike(spec: Operation | None) -> str:
    """Why original and port are not held against each other; empty where they are."""
    if spec is None:
        return "an argument is not a literal, so that its value is not known"
    needs = f"it pools by other tensors, too: {', '.join(spec.needs)}" if spec.needs else ""
    return needs or ("either side draws by itself" if "samples" in spec.takes else "")


def _said(error: Exception) -> str:
    return f"the framework's {type(error).__name__}: {shortened(str(error).partition(chr(10))[0])}"


def _told(run: Run, whose: str) -> Run:
    """The same function, with whatever a framework raises for what it cannot run as a `NotExactError`."""

    def told(x: Array) -> Array:
        try:
            return run(x)
        except PoolkitError:
            raise
        except Exception as error:
            raise NotExactError(f"{whose} ends in {_said(error)}") from None

    return told


Letters = tuple[str, str]


def _sides(row: Row, backend: str, layout: str | None) -> tuple[Run, Run, Letters]:
    assert row.spec is not None
    assert row.call is not None
    for call in (row.call, row.ported):
        _refuse_what_ends(call, row.spec)
    target = target_of(row.spec, backend, layout)
    if row.ported is not None:
        ported = runner(_written(row.after) or row.ported)
    else:
        ported = functools.partial(evaluated, backend, target.spec)
    letters = _letters(row.spec, row.shape), _letters(target.spec, row.shape)
    if sorted(letters[0]) != sorted(letters[1]):
        raise ShapeError(f"the layouts {letters[0]} and {letters[1]} have different letters")
    return _told(runner(row.call), "the original"), _told(ported, "the port"), letters


def _refuse_what_ends(call: Call | None, spec: Operation) -> None:
    """Keras's adaptive maximum ends the whole process on TensorFlow where the last axis gets one bin."""
    bins: tuple[Any, ...] = _many(spec.output_size) if isinstance(spec, PoolSpec) else ()
    if call is not None and "AdaptiveMaxPooling" in call.name and bins[-1:] == (1,):
        raise NotExactError(f"{call} is not run, because on TensorFlow it would end this process")


def _written(after: str) -> Call | None:
    """The very call that was written, where it can be read as it stands."""
    try:
        call = call_of(after)
        read_call(call)
    except PoolkitError:
        return None
    return call


def _letters(spec: Operation, shape: Sequence[int | None] | None) -> str:
    if spec.axes is not None:
        return spec.letters
    spatial = {3: "L", 5: "DHW"}.get(len(shape) if shape else 4, "HW")
    return f"N{spatial}C" if spec.layout == "channels_last" else f"NC{spatial}"


# ------------------------------------------------------------------------------------------------------ comparing


def _compared(row: Row, original: Run, ported: Run, letters: Letters) -> Checked:
    assert row.spec is not None
    bins = sum(n for part in row.spec.poolings() for n in _many(part.output_size) if n is not None)
    if bins > MOST_BINS:
        return Checked(problem=f"it has {bins} bins, of which {MOST_BINS} are run at the most")
    shapes = tuple(shape for shape in dict.fromkeys(_shapes(row, letters[0])) if _fits(row.spec, shape))
    if not shapes:
        return Checked(problem="its windows are too large to be run on a trial")
    differences, shares = [0.0], [0.0]
    for shape in shapes:
        x = np.random.default_rng(7).standard_normal(shape).astype("float32")
        first = _restored(row.spec, np.asarray(original(x)), row.spec.output_shape(shape))
        second = _moved(np.asarray(ported(np.ascontiguousarray(_moved(x, *letters)))), *_kept(row.spec, letters))
        if first.shape != second.shape:
            problem = f"on {shape} the original gives the shape {first.shape}, the port {second.shape}"
            return Checked(shapes, math.inf, math.inf, problem)
        same = first == second  # infinities, whose difference is no number, too
        difference = np.where(same, 0, np.abs(first.astype("float64") - second.astype("float64")))
        differences.append(float(np.max(difference, initial=0)))
        shares.append(_share(row.spec, x, first, difference))
    problem = _other_rank(original, ported, letters) if row.ranks else ""
    if problem:
        return Checked(shapes, math.inf, math.inf, problem)
    return Checked(shapes, max(differences), max(shares))


def _fits(spec: Operation, shape: tuple[int, ...]) -> bool:
    """Whether a trial of this shape fits into memory, and ends while somebody waits for it."""
    return math.prod(shape) <= MOST and cost(spec, shape).operations <= MOST_WORK


def _other_rank(original: Run, ported: Run, letters: Letters) -> str:
    """How a port differs on tensors without a batch, and without channels that could move; empty where it does not.

    It may also fail there, so that somebody is told.
    """
    have, want = (one.replace("N", "", 1) for one in letters)
    x = np.random.default_rng(7).standard_normal((4, 5, 6, 7)[: len(have)]).astype("float32")
    try:
        first = np.asarray(original(x))
        plain, moved = (np.asarray(ported(np.ascontiguousarray(one))) for one in (x, _moved(x, have, want)))
    except Exception:  # whatever a framework raises for a rank that it does not take
        return ""
    back = _moved(moved, want, have) if moved.ndim == len(want) else moved
    if any(first.shape == one.shape and np.allclose(first, one, 1e-5, 1e-5) for one in (plain, back)):
        return ""
    return f"on {x.shape} the original gives the shape {first.shape} and other numbers than the port's {plain.shape}"


def _restored(spec: Operation, values: Array, shape: Sequence[int | None]) -> Array:
    """With the axes that a call of the file behind the original, such as a Reshape, gives back, as the port does."""
    globally = isinstance(spec, PoolSpec) and is_all(spec.output_size, 1) and spec.keepdims
    dropped = values.shape == tuple(n for n in shape if n != 1)
    return values.reshape(shape) if globally and dropped else values


def _moved(x: Array, have: str, want: str) -> Array:
    """Axes from one order into another."""
    return x.transpose([have.index(letter) for letter in want])


def _kept(spec: Operation, letters: Letters) -> Letters:
    """The letters of the results, the port's first."""
    pooled = "" if spec.keepdims else (spec.axes or letters[0].replace("N", "").replace("C", ""))
    first, second = ("".join(letter for letter in one if letter not in pooled) for one in letters)
    return second, first


def _share(spec: Operation, x: Array, values: Array, difference: Array) -> float:
    """The largest part of the allowed error that the differences take: 1 is the bound."""
    from poolkit_conformance.tolerances import allowed

    kind = spec.kind if isinstance(spec, PoolSpec) else "max" if spec.selects else "avg"
    plain = spec.replace(indices=False) if spec.indices else spec
    magnitude = np.abs(np.asarray(registry.adapter(registry.DEFINITION).evaluate(plain, np.abs(x).astype("float64"))))
    bound = 2 * allowed(kind, str(values.dtype), values, magnitude)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(difference == 0, 0, difference / bound)
    return float(np.max(shares, initial=0))


def _shapes(row: Row, letters: str) -> Iterator[tuple[int, ...]]:
    """The file's own size, and a few more, no two axes of which are alike."""
    assert row.spec is not None
    if row.shape is not None and len(row.shape) == len(letters):
        own = dict(zip(letters, row.shape, strict=True))
        spatial = {letter: n for letter, n in own.items() if letter not in "NC"}
        if all(spatial.values()):
            yield tuple({"N": 2, "C": 3, **spatial}.get(letter) or 1 for letter in letters)
    reach = max(_reaches(row.spec))
    for more in (0, 3, reach + 5):
        sizes = {letter: reach + more + at for at, letter in enumerate(letters)}
        yield tuple({**sizes, "N": 2, "C": 3}[letter] for letter in letters)


def _reaches(spec: Operation) -> Iterator[int]:
    """How many cells an axis needs."""
    for part in spec.poolings():
        window, dilation = _many(part.window), _many(part.dilation)
        yield 4
        yield from (n for n in _many(part.output_size) if n is not None)
        yield from (k * d for k in window for d in dilation if k is not None and d is not None)


def _many(value: Any) -> tuple[Any, ...]:
    return tuple(value) if is_many(value) else (value,)
