"""Comments inside what is rewritten: they move above the statement."""

from __future__ import annotations

import libcst as cst

from poolkit.port.python.edits import Edits
from poolkit.port.python.tree import Span, Tree


def keep_comments(tree: Tree, edits: Edits) -> None:
    r"""Put the comments of removed text on lines of their own, above the statement that they were in.

    >>> tree = Tree("y = f(  # half\n    2)\n")
    >>> edits = Edits(tree, {tree.span(tree.all(cst.Call)[0]): ["g()"]})
    >>> keep_comments(tree, edits)
    >>> print(edits.applied(), end="")
    # half
    y = g()
    """
    for comment in tree.all(cst.Comment):
        span = tree.span(comment)
        if _lost(tree, edits, span):
            at = _line_of(tree, comment)
            start = tree.data.rfind(b"\n", 0, at) + 1
            indent = tree.data[start:at].decode()
            edits.insert(start, f"{indent if indent.isspace() else ''}{comment.value}{tree.newline}")


def _lost(tree: Tree, edits: Edits, span: Span) -> bool:
    """Whether text is inside an edit, and in no part of the file that the edit keeps."""
    around = [edit for edit in edits.found if edit[0] <= span[0] and span[1] <= edit[1]]
    if not around:
        return False
    inner = max(around, key=lambda edit: (edit[0], -edit[1]))
    kept = [tree.span(piece) for piece in edits.found[inner] if not isinstance(piece, str)]
    return not any(start <= span[0] and span[1] <= end for start, end in kept)


def _line_of(tree: Tree, comment: cst.Comment) -> int:
    """Where the line of a comment's statement starts, after its indentation."""
    here = tree.parent(comment)
    while here is not None and not isinstance(here, cst.BaseStatement):
        here = tree.parent(here)
    return tree.span(here if here is not None else comment)[0]
