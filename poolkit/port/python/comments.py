"""Comments inside what is rewritten: they move above the statement."""

from __future__ import annotations

from poolkit.port.python.edits import Edits
from poolkit.port.python.tree import Span, Tree


def keep_comments(tree: Tree, edits: Edits) -> None:
    r"""Put the comments of removed text on lines of their own, above the statement that they were in.

    >>> tree = Tree("y = f(  # half\n    2)\n")
    >>> edits = Edits(tree, {(4, len(tree.source) - 1): ["g()"]})
    >>> keep_comments(tree, edits)
    >>> print(edits.applied(), end="")
    # half
    y = g()
    """
    for span in tree.comments:
        if _lost(tree, edits, span):
            statement = tree.statement_at(span[0])
            start = tree.data.rfind(b"\n", 0, tree.span(statement)[0] if statement is not None else span[0]) + 1
            line = tree.data[start : span[0]]
            indent = line[: len(line) - len(line.lstrip())].decode()
            edits.insert(start, f"{indent}{tree.data[span[0] : span[1]].decode()}{tree.newline}")


def _lost(tree: Tree, edits: Edits, span: Span) -> bool:
    """Whether text is inside an edit, and in no part of the file that the edit keeps."""
    around = [edit for edit in edits.found if edit[0] <= span[0] and span[1] <= edit[1]]
    if not around:
        return False
    inner = max(around, key=lambda edit: (edit[0], -edit[1]))
    kept = [tree.span(piece) for piece in edits.found[inner] if not isinstance(piece, str)]
    return not any(start <= span[0] and span[1] <= end for start, end in kept)
