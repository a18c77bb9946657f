"""A dtype of a layer, or a policy of all, that casts what a pool is given."""

from __future__ import annotations

from poolkit.dialects.calls import Call, text
from poolkit.dialects.policies import policy_of
from poolkit.dialects.reading import fields_of
from poolkit.errors import NotExactError
from poolkit.port.python.names import Names
from poolkit.port.python.orders import set_by
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Tree

LAYERS = "keras.layers."
POLICIES = ("set_global_policy", "set_dtype_policy", "set_floatx")


def typed(tree: Tree, names: Names, site: Site) -> None:
    """``dtype="float16"`` and a policy of all layers cast what a layer of Keras's is given, and the port does not."""
    if not site.word.startswith(LAYERS):
        return
    dtype = dict(site.call.kwargs).get("dtype")
    if policy_of(dtype):
        call = Call(site.call.name, site.call.args, tuple(pair for pair in site.call.kwargs if pair[0] != "dtype"))
        site.call = call
        site.caveats.append(f"dtype={text(dtype)} casts what it is given, and the port does not; cast before it")
        try:
            site.fields, site.error = fields_of(call), None
        except NotExactError as error:
            site.error = error  # of another argument, which may be known after all
    for policy in POLICIES:
        if any(value != "float32" for value in set_by(tree, policy)):
            site.caveats.append(f"{policy} casts what it is given, and the port does not; cast before it")
