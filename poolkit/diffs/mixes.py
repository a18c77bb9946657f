"""What differs where one side is a composite: part by part in words, and in numbers by trial on random inputs."""

from __future__ import annotations

from poolkit.dialects.normal import normal
from poolkit.diffs import trial
from poolkit.diffs.agreeing import agreement, plain
from poolkit.diffs.properties import said_otherwise, sentences
from poolkit.diffs.wording import EVERY, NEVER, Holds, sizes_text
from poolkit.spec.mix import Mix
from poolkit.spec.pool_spec import PoolSpec

TRIED = 12  # square maps up to this size


def sentences_of_mixes(a: PoolSpec | Mix, b: PoolSpec | Mix, count: int) -> list[str]:
    """A sentence for each part that only one side has, or that the two weight otherwise."""
    if _is_cat(a) and _is_cat(b):
        return _side_by_side(_parts(a), _parts(b), count)
    if _is_cat(a) or _is_cat(b):
        who, other, cat = ("A", "B", a) if _is_cat(a) else ("B", "A", b)
        return [
            f"{who} puts {len(_parts(cat))} pools side by side along the channels; {other} gives one number for each"
        ]
    return _added(_shares(a, count), _shares(b, count)) + _kept(a, b)


def _is_cat(pools: PoolSpec | Mix) -> bool:
    return pools.shares is None


def _parts(pools: PoolSpec | Mix) -> tuple[PoolSpec, ...]:
    return pools.poolings()


def _side_by_side(a: tuple[PoolSpec, ...], b: tuple[PoolSpec, ...], count: int) -> list[str]:
    if len(a) != len(b):
        return [f"A puts {len(a)} pools side by side, B {len(b)}"]
    pairs = enumerate(zip(a, b, strict=True), 1)
    return [f"part {i}: {said}" for i, (p, q) in pairs for said in sentences(p, q, count)]


def _shares(pools: PoolSpec | Mix, count: int) -> dict[PoolSpec, float]:
    """What is added: for each different pool its share."""
    shares: dict[PoolSpec, float] = {}
    for share, part in zip(pools.shares or (), _parts(pools), strict=True):
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


def _kept(a: PoolSpec | Mix, b: PoolSpec | Mix) -> list[str]:
    if a.keepdims == b.keepdims:
        return []
    return ["A keeps the pooled axes, B drops them" if a.keepdims else "A drops the pooled axes, B keeps them"]


def mixes_agree(a: PoolSpec | Mix, b: PoolSpec | Mix, count: int, letters: str) -> str:
    """The sizes of square maps at which both give the same numbers, as `agreement` says them."""
    if _is_cat(a) and _is_cat(b) and len(_parts(a)) == len(_parts(b)):
        return _parts_agree(_parts(a), _parts(b))
    if _is_cat(a) or _is_cat(b):
        return NEVER
    if _shares(a, count) == _shares(b, count):
        return EVERY
    if not trial.has_numpy():
        return "at sizes that only NumPy, which is not installed, could tell"
    holds: Holds = [trial.same_numbers(a, b, count, (n,) * count) for n in range(1, TRIED + 1)]
    found = sizes_text([holds] * count, letters)
    return found if found.endswith("only") or found == NEVER else f"{found}, as tried on square maps up to {TRIED}"


def _parts_agree(a: tuple[PoolSpec, ...], b: tuple[PoolSpec, ...]) -> str:
    texts = [agreement(p, q) for p, q in zip(a, b, strict=True)]
    if len(set(texts)) == 1:
        return texts[0]
    return "; ".join(f"part {i} {text}" for i, text in enumerate(texts, 1))


def mixes_said_otherwise(a: PoolSpec | Mix, b: PoolSpec | Mix) -> str:
    """How two that mean the same are written; empty where they are written alike."""
    first, second = _parts(a), _parts(b)
    if type(a) is not type(b) or len(first) != len(second):
        return "one is a composite and the other is not, and they mean the same"
    several = [said_otherwise(p, q) for p, q in zip(first, second, strict=True)]
    if len(several) == 1:
        return several[0]
    return "; ".join(f"part {i}: {said}" for i, said in enumerate(several, 1) if said)
