"""Where well-known models pool: what is measured, as data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import poolkit as pk

SPATIAL = {1: "L", 2: "HW", 3: "DHW"}
LAYOUTS = ("channels_first", "channels_last")


@dataclass(frozen=True)
class Site:
    """One pool of one model, with the feature map that it sees there.

    The window, stride, padding and output size are those of each axis.
    """

    name: str
    kind: str
    size: tuple[int, ...]  # of the pooled axes
    channels: int
    window: int = 0  # 0: to `output_size`
    stride: int = 1
    padding: int | str = "valid"
    output_size: int = 0
    masked: bool = False  # the first cells of each sequence are real
    batches: tuple[int, int] = (1, 8)

    def letters(self, layout: str) -> str:
        spatial = SPATIAL[len(self.size)]
        return f"NC{spatial}" if layout == "channels_first" else f"N{spatial}C"

    def spec(self, layout: str) -> pk.PoolSpec:
        letters = self.letters(layout)
        if self.output_size:
            return pk.PoolSpec(self.kind, output_size=self.output_size, layout=letters)
        return pk.PoolSpec(self.kind, window=self.window, stride=self.stride, padding=self.padding, layout=letters)

    def shape(self, layout: str, batch: int) -> tuple[int, ...]:
        return (batch, self.channels, *self.size) if layout == "channels_first" else (batch, *self.size, self.channels)

    def axes(self, layout: str) -> tuple[int, ...]:
        """Where the pooled axes stand."""
        first = 2 if layout == "channels_first" else 1
        return tuple(range(first, first + len(self.size)))

    @property
    def whole(self) -> bool:
        return self.output_size == 1

    @property
    def divides(self) -> bool:
        """Whether bins are windows that stand side by side."""
        return bool(self.output_size) and all(n % self.output_size == 0 for n in self.size)

    @property
    def windows(self) -> tuple[int, ...]:
        return (
            tuple(-(-n // self.output_size) for n in self.size) if self.output_size else (self.window,) * len(self.size)
        )

    @property
    def strides(self) -> tuple[int, ...]:
        return self.windows if self.output_size else (self.stride,) * len(self.size)

    @property
    def pad(self) -> int:
        """Cells of padding on each side; every "same" here has stride 1 and an odd window, so both are equal."""
        if self.padding == "same":
            return self.window // 2
        return self.padding if isinstance(self.padding, int) else 0

    def bins(self, n: int) -> list[tuple[int, int]]:
        return [(i * n // self.output_size, -(-(i + 1) * n // self.output_size)) for i in range(self.output_size)]

    @property
    def cells(self) -> int:
        """Of the largest window."""
        return math.prod(self.windows)


def _of_maps(what: str, kind: str) -> tuple[Site, ...]:
    """The last map of ResNet-50, its second stage, and one that no cache holds."""
    return (
        Site(f"global {what} 7x7x2048", kind, (7, 7), 2048, output_size=1, batches=(1, 32)),
        Site(f"global {what} 56x56x256", kind, (56, 56), 256, output_size=1),
        Site(f"global {what} 112x112x64", kind, (112, 112), 64, output_size=1),
    )


def _spp(n: int, channels: int) -> tuple[Site, ...]:
    return tuple(
        Site(f"YOLO max {k} s1 {n}x{n}x{channels}", "max", (n, n), channels, k, padding="same") for k in (5, 9, 13)
    )


SITES = (
    *_of_maps("avg", "avg"),
    *_of_maps("max", "max"),
    Site("ResNet max 3 s2 112x112x64", "max", (112, 112), 64, 3, 2, 1),
    Site("VGG max 2 s2 112x112x64", "max", (112, 112), 64, 2, 2),
    Site("Inception avg 3 s1 35x35x288", "avg", (35, 35), 288, 3, padding="same"),
    *_spp(20, 512),
    *_spp(56, 64),
    Site("avg 31 s1 56x56x64", "avg", (56, 56), 64, 31, padding="same"),
    *(Site(f"PSPNet avg to {o} 60x60x512", "avg", (60, 60), 512, output_size=o) for o in (1, 2, 3, 6)),
    Site("avg to 7 14x14x512", "avg", (14, 14), 512, output_size=7),
    Site("avg to 7 30x30x512", "avg", (30, 30), 512, output_size=7),
    Site("avg to 7 57x57x256", "avg", (57, 57), 256, output_size=7),
    Site("max to 7 14x14x512", "max", (14, 14), 512, output_size=7),
    Site("max to 7 30x30x512", "max", (30, 30), 512, output_size=7),
    Site("audio max 3 s2 16000x64", "max", (16000,), 64, 3, 2),
    Site("video avg 2 16x56x56x32", "avg", (16, 56, 56), 32, 2, 2),
    Site("video max 2 16x56x56x32", "max", (16, 56, 56), 32, 2, 2),
    Site("masked avg 512x768", "avg", (512,), 768, output_size=1, masked=True),
)

# The smallest global average of a real network: what a call costs there is hardly anything but overhead.
SMALL = Site("ResNet-18 global avg 7x7x64", "avg", (7, 7), 64, output_size=1)


def _over_one_map(kind: str, k: int) -> Site:
    return Site(f"{kind} {k} s1", kind, (64, 64), 32, k, padding="same")


def _as_many_results(kind: str, k: int) -> Site:
    return Site(f"{kind} {k} s1", kind, (63 + k, 63 + k), 32, k)


# What is the same for two windows with stride 1, and the two: what the larger window costs.
GROWTH = tuple(
    pair
    for kind in ("max", "avg")
    for pair in (
        ("map", _over_one_map(kind, 3), _over_one_map(kind, 63)),
        ("results", _as_many_results(kind, 3), _as_many_results(kind, 63)),
        ("results", _as_many_results(kind, 31), _as_many_results(kind, 63)),
    )
)
