"""What differs where one side is a composite: part by part in words, and in numbers by trial on random inputs."""

from __future__ import annotations

from poolkit.dialects.normal import normal
from poolkit.diffs import trial
from poolkit.diffs.agreeing import agreement
from poolkit.diffs.along import plain
from poolkit.diffs.properties import said_otherwise, sentences
from poolkit.diffs.wording import EVERY, NEVER, Holds, sizes_text
from poolkit.spec.operation import Operation
from poolkit.spec.pool_spec import PoolSpec

TRIED = 12  # square maps up to this size


def sentences_of_mixes(a: Operation, b: Operation, count: int) -> list[str]:
    """A sentence for each part that only one side has, or that the two weight otherwise."""
    if a.joined != b.joined:
        return [f"A {_said(a)}; B {_said(b)}"]
    if a.joined:
        return _part_by_part(a.poolings(), b.poolings(), a.joined, count)
    return _added(_shares(a, count), _shares(b, count)) + _kept(a, b)


def _said(pools: Operation) -> str:
    if not pools.joined:
        return "gives one number for each"
    return f"puts {len(pools.poolings())} pools {pools.joined}"


def _part_by_part(a: tuple[PoolSpec, ...], b: tuple[PoolSpec, ...], joined: str, count: int) -> list[str]:
    if len(a) != len(b):
        return [f"A puts {len(a)} pools {joined}, B {len(b)}"]
    pairs = enumerate(zip(a, b, strict=True), 1)
    return [f"part {i}: {said}" for i, (p, q) in pairs for said in sentences(p, q, count)]


def _shares(pools: Operation, count: int) -> dict[PoolSpec, float]:
    """What is added: for each different pool its share."""
    shares: dict[PoolSpec, float] = {}
    for share, part in zip(pools.shares or (), pools.poolings(), strict=True):
        same = normal(plain(part, count))
        shares[same] = shares.get(same, 0.0) + share
    return {part: share for part, share in shares.items() if share}


def _added(a: dict[PoolSpec, float], b: dict[PoolSpec, float]) -> list[str]:
    said: list[str] = []
    for part in dict.fromkeys((*a, *b)):
        first, second = a.get(part, 0.0), b.get(part, 0.0)
        if first and second and first != second:
            said.append(f"A adds {first:g} times ({_short(part)}), B {second:g} times")
        elif first != second:
            who, other = ("A", "B") if first else ("B", "A")
            said.append(f"{who} adds {first or second:g} times ({_short(part)}); {other} does not")
    return said


def _short(part: PoolSpec) -> str:
    return " ".join(word for word in str(part).split() if not word.startswith(("layout=", "keepdims=")))


def _kept(a: Operation, b: Operation) -> list[str]:
    if a.keepdims == b.keepdims:
        return []
    return ["A keeps the pooled axes, B drops them" if a.keepdims else "A drops the pooled axes, B keeps them"]


def mixes_agree(a: Operation, b: Operation, count: int, letters: str) -> str:
    """The sizes of square maps at which both give the same numbers, as `agreement` says them."""
    if a.joined != b.joined:
        return _tried(a, b, count, letters)
    if not a.joined:
        return EVERY if _shares(a, count) == _shares(b, count) else _tried(a, b, count, letters)
    several = a.poolings(), b.poolings()
    texts = [agreement(p, q) for p, q in zip(*several, strict=False)]
    if len(several[0]) == len(several[1]) and (a.apart or set(texts) == {EVERY}):
        return texts[0] if len(set(texts)) == 1 else "; ".join(f"part {i} {text}" for i, text in enumerate(texts, 1))
    return _tried(a, b, count, letters)


def _tried(a: Operation, b: Operation, count: int, letters: str) -> str:
    if not trial.has_numpy():
        return "at sizes that only NumPy, which is not installed, could tell"
    holds: Holds = [trial.same_numbers(a, b, count, (n,) * count) for n in range(1, TRIED + 1)]
    found = sizes_text([holds] * count, letters)
    return found if found.endswith("only") or found == NEVER else f"{found}, as tried on square maps up to {TRIED}"


def mixes_said_otherwise(a: Operation, b: Operation) -> str:
    """How two that mean the same are written; empty where they are written alike."""
    first, second = a.poolings(), b.poolings()
    if type(a) is not type(b) or len(first) != len(second):
        return "one is a composite and the other is not, and they mean the same"
    several = [said_otherwise(p, q) for p, q in zip(first, second, strict=True)]
    if len(several) == 1:
        return several[0]
    return "; ".join(f"part {i}: {said}" for i, said in enumerate(several, 1) if said)
