"""Where well-known models pool: what is measured, as data."""

from __future__ import annotations

from dataclasses import dataclass

import poolkit as pk

LAYOUTS = ("NCHW", "NHWC")


@dataclass(frozen=True)
class Site:
    """One pooling layer of one model, with the feature map that it sees there."""

    model: str
    what: str
    kind: str
    size: int  # height and width
    channels: int
    window: int | None = None
    stride: int = 1
    padding: int | str = "valid"
    output_size: int | None = None

    @property
    def name(self) -> str:
        return f"{self.model} {self.what}"

    def spec(self, layout: str) -> pk.PoolSpec:
        if self.output_size is not None:
            return pk.PoolSpec(self.kind, output_size=self.output_size, layout=layout)
        return pk.PoolSpec(self.kind, window=self.window, stride=self.stride, padding=self.padding, layout=layout)

    def shape(self, layout: str, batch: int) -> tuple[int, ...]:
        sizes = {"N": batch, "C": self.channels, "H": self.size, "W": self.size}
        return tuple(sizes[letter] for letter in layout)

    @property
    def pad(self) -> int:
        """Cells of padding on each side; every "same" here has stride 1 and an odd window, so both are equal."""
        if self.padding == "same":
            assert self.window is not None
            return self.window // 2
        return self.padding if isinstance(self.padding, int) else 0

    @property
    def window_and_stride(self) -> tuple[int, int]:
        """Also of an adaptive site: every one here divides its map evenly, into windows that touch."""
        if self.output_size is not None:
            assert self.size % self.output_size == 0
            return self.size // self.output_size, self.size // self.output_size
        assert self.window is not None
        return self.window, self.stride


SITES = (
    Site("ResNet-50", "stem max 3 s2 p1", "max", 112, 64, window=3, stride=2, padding=1),
    Site("ResNet-50", "global avg", "avg", 7, 2048, output_size=1),
    Site("Inception-v3", "avg 3 s1 same", "avg", 35, 288, window=3, padding="same"),
    Site("Inception-v3", "max 3 s2", "max", 35, 288, window=3, stride=2),
    Site("Inception-v3", "global avg", "avg", 8, 2048, output_size=1),
    *(Site("PSPNet", f"adaptive avg {o}", "avg", 60, 512, output_size=o) for o in (1, 2, 3, 6)),
    *(Site("YOLO", f"SPP max {k} s1 same", "max", 20, 512, window=k, padding="same") for k in (5, 9, 13)),
    Site("YOLO", "max 2 s2", "max", 40, 256, window=2, stride=2),
)

# The smallest global average of a real network: what a call costs there is hardly anything but overhead.
SMALL = Site("ResNet-18", "global avg of 1x64x7x7", "avg", 7, 64, output_size=1)
