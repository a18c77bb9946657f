"""The order of axes of all layers of a file, by Keras's configuration or by whoever knows it."""

from __future__ import annotations

from poolkit.dialects.calls import Call
from poolkit.dialects.reading import fields_of
from poolkit.errors import NotExactError
from poolkit.port.python.names import Names
from poolkit.port.python.orders import SETS_FORMAT, set_by
from poolkit.port.python.rules.either_order import channels
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Tree

LAYERS = "keras.layers."


def data_format(tree: Tree, names: Names, site: Site) -> None:
    """``keras.config.set_image_data_format("channels_first")`` is the format of every layer that says none."""
    takes = site.word.startswith(LAYERS) or (
        site.word.startswith(("keras.ops.", "keras.backend.")) and "pool" in site.word
    )
    set_to: list[object] = [channels(tree.order)] if tree.order else set_by(tree, SETS_FORMAT)
    said = set_to if takes else []
    if not said or not site.read:
        return
    if any(name == "data_format" and value is not None for name, value in site.call.kwargs):
        return
    if len(set(said)) > 1 or said[0] not in ("channels_first", "channels_last"):
        site.error = NotExactError(
            f"the file calls {SETS_FORMAT} with values that are not one literal, so that the order of its axes is not "
            "known here; give data_format to the layer"
        )
        return
    kwargs = tuple(pair for pair in site.call.kwargs if pair[0] != "data_format")
    call = Call(site.call.name, site.call.args, (*kwargs, ("data_format", said[0])))
    try:
        site.fields, site.call = fields_of(call), call
    except NotExactError:
        return  # it has a format already, by its place
