"""Arguments behind names: what they are, and a call read again with the literals that they surely are."""

from __future__ import annotations

from poolkit.dialects.calls import Expression, known
from poolkit.dialects.dialect import NotPooling
from poolkit.dialects.reading import fields_of
from poolkit.errors import NotExactError
from poolkit.port.python.evaluated import values_of
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import expression
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Tree
from poolkit.port.python.values import Value
from poolkit.spec.operation import Operation


def value_of(tree: Tree, names: Names, text: str, site: Site) -> Value:
    return values_of(tree, names).of(expression(text), site.node)


def resolve(tree: Tree, names: Names, site: Site) -> bool:
    """Read a site again with the literals behind its names; whether they are all known then, or it pools nothing."""
    again = values_of(tree, names).literals_in(site.call, site.node)
    unknown = Expression(site.computed) in (*again.args, *dict(again.kwargs).values())
    if again == site.call or unknown:
        return False
    try:
        fields = fields_of(again)
    except NotPooling as error:
        site.error = error
        return True
    except NotExactError:
        return False
    if isinstance(fields, Operation):
        return False
    site.fields, site.call, site.error = fields, again, None
    return all(known(value) for value in fields.values())
