"""What each kind of pooling does to a photograph: the picture in docs/kinds.md.

Run: python examples/kinds.py docs/kinds.png
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

import poolkit as pk
from poolkit.tools.demo import photograph

matplotlib.use("agg")  # which needs no display

from matplotlib import pyplot

WINDOW = "window=12 stride=6"
KINDS = (
    "avg",
    "max",
    "min",
    "median",
    "sum",
    "std",
    "lp p=2.0 normalize=mean",
    "gem p=8.0",
    "softmax beta=16.0",
    "logsumexp beta=16.0",
    "stochastic",
    "blur window=7 stride=6",
    "first",
    "last",
    "mean_sqrt",
    "fractional_max window=3 output_size=20,30",
    "s3 window=12 stride=6 grid=24",
)


def pooled(kind: str, photo: Any) -> Any:
    """The photograph pooled by a kind with its options, no brighter than white."""
    spec = pk.PoolSpec.parse(f"{kind} {'' if 'window' in kind else WINDOW} layout=NHWC")
    image: Any = pk.pool(photo, spec, key=pk.Key(0))[0]  # which those that draw nothing ignore
    return np.clip(image / max(1.0, float(image.max())), 0, 1)


def draw(path: Path) -> None:
    photo = photograph()
    pictures = {"the photograph": photo[0], **{kind: pooled(kind, photo) for kind in KINDS}}
    figure, places = pyplot.subplots(3, -(-len(pictures) // 3), figsize=(10, 6.4), layout="constrained")
    for place in places.flat:
        place.axis("off")
    for place, (title, image) in zip(places.flat, pictures.items(), strict=False):
        place.imshow(image, interpolation="nearest")
        place.set_title(textwrap.fill(title, 24), fontsize=8)
    figure.savefig(path, dpi=80, metadata={"Software": None})
    pyplot.close(figure)


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
