"""A mask that a mean over steps is called with, or that a layer before it makes."""

from __future__ import annotations

import ast

from poolkit.dialects.calls import Expression
from poolkit.errors import NotExactError
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import arguments, literal
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import calls_of

LAYERS = "keras.layers."
MASKED = "GlobalAveragePooling1D"


def masked(tree: Tree, names: Names, site: Site) -> None:
    """``GlobalAveragePooling1D()(x, mask=m)`` leaves steps out, which a spec does not."""
    if site.word != LAYERS + MASKED or site.error is not None:
        return
    mask = arguments(site.outer).get("mask") if isinstance(site.outer, ast.Call) and site.role == "applied" else None
    if mask is not None and literal(mask) is not None:
        site.given["mask"] = Expression(tree.text(mask))
        site.notes.append("where a mask leaves no step, it gives 0, and Keras NaN")
    elif any(_has_mask(call) for call in calls_of(tree, site.node)):
        site.error = NotExactError(
            "it is called with a mask, and averages the steps that the mask leaves alone, which no spec says; multiply "
            "by the mask, sum, and divide by its sum"
        )
    elif any(k.arg == "mask_zero" and literal(k.value) is not False for k in tree.all(ast.keyword)) or any(
        names.full(node.func) == f"{LAYERS}Masking" for node in tree.all(ast.Call)
    ):
        site.caveats.append(
            "behind a Masking, or an Embedding with mask_zero=True, it leaves masked steps out, and the port does not"
        )


def _has_mask(call: ast.Call) -> bool:
    mask = arguments(call).get("mask")
    return len(call.args) > 1 or (mask is not None and literal(mask) is not None)
