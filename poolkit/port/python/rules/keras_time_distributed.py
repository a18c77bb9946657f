"""A wrapper that calls a layer once a step: one spec does it for all."""

from __future__ import annotations

from poolkit.errors import NotExactError
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import plain_name
from poolkit.port.python.sites import Site, applied
from poolkit.port.python.tree import Tree

LAYERS = "keras.layers."
EVERY_STEP = "TimeDistributed pools every step, as one spec does with layout={}"


def wrapped(tree: Tree, names: Names, site: Site) -> None:
    """``TimeDistributed(MaxPooling2D(2))`` calls a layer of Keras's once a step."""
    call = tree.given_to(site.outer)
    if site.error is not None or call is None or site.role != "layer":
        return
    full = names.full(call.func)
    name = full.removeprefix(LAYERS) if full is not None else (plain_name(call.func) or "").rpartition(".")[2]
    if not site.word.startswith(LAYERS) or name not in ("TimeDistributed", "Bidirectional", "Wrapper"):
        return
    if name == "TimeDistributed" and isinstance(site.fields, dict):
        layout = f"...{str(site.fields['layout']).removeprefix('...').removeprefix('N')}"
        site.fields, site.outer, site.reformed = {**site.fields, "layout": layout}, call, True
        site.notes[:] = dict.fromkeys([*site.notes, EVERY_STEP.format(layout)])
        wrapped(tree, names, applied(tree, site))  # which may be in another one
        return
    site.error = NotExactError(
        f"{tree.text(call.func)} around it applies it to every step of a sequence, which only a layer of Keras's "
        "takes; fold the steps into the batch, pool, and unfold them"
    )
