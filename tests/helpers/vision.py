"""Imports torchvision and timm where torchvision's compiled operators do not fit the installed PyTorch.

torchvision's Python part registers meta kernels for its operators when it is imported, and fails where its shared
library did not load and left them undefined. No pooling layer uses them, so where that happens their names are
defined here, with any schema, and the import is done once more.
"""

from __future__ import annotations

import sys

import torch

OPERATORS = (
    *("qnms", "roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool", "deform_conv2d"),
    *("_roi_align_backward", "_roi_pool_backward", "_ps_roi_align_backward", "_ps_roi_pool_backward"),
    "_deform_conv2d_backward",
)

# Kept for as long as the process runs: the definitions go with the object.
LIBRARY = torch.library.Library("torchvision", "FRAGMENT")


def _define() -> None:
    LIBRARY.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    for name in OPERATORS:
        LIBRARY.define(f"{name}(Tensor x) -> Tensor")


try:
    import torchvision
except RuntimeError:
    for module in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[module]
    _define()
    import torchvision

import timm  # noqa: E402

__all__ = ["timm", "torchvision"]
