"""`poolkit port` of source that no one writes by hand: nested, encoded or broken into lines in unusual ways."""

from __future__ import annotations

import ast
import codecs
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest

from poolkit import InputError
from poolkit.port.files import port_file
from poolkit.port.python.flow import Flow
from poolkit.port.python.nodes import Node
from poolkit.port.python.source import port_source
from poolkit.port.python.tree import Span, Tree
from poolkit.port.report import Row
from tests.helpers.portmodels import run

HEAD = "import torch.nn as nn\nfrom torch.nn import functional as F\n\n"
POOL = "nn.MaxPool2d(2)(x)"

DEEP = {
    "a sum": f"y = {POOL}" + " + x" * 3000,
    "attributes": "y = x" + ".a" * 3000 + ".mean((2, 3))",
    "methods": "y = x" + ".f()" * 900 + ".mean((2, 3))",
    "a sum as an argument": f"y = nn.MaxPool2d({' + '.join(['1'] * 900)})(x)",
}


@pytest.mark.parametrize("to", ["keras", None])
@pytest.mark.parametrize("kind", DEEP)
def test_what_nests_too_deeply_is_refused(kind: str, to: str | None) -> None:
    with pytest.raises(InputError, match="nests deeper than Python's recursion goes"):
        port_source(HEAD + DEEP[kind] + "\n", to, name="deep.py")


def test_a_chain_of_names_is_followed_to_its_start() -> None:
    chain = "k0 = [2, 3]\n" + "".join(f"k{n} = k{n - 1}\n" for n in range(1, 2000))
    pool = 'y = tf.nn.max_pool2d(x, k1999, 2, "VALID")\n'
    [row] = port_source(f"import tensorflow as tf\n{HEAD}{chain}{pool}", "torch").rows

    assert row.after == "F.max_pool2d(x, (2, 3), 2)"


LONG = {
    "elif": "if a:\n    pass\n" + "".join(f"elif a == {n}:\n    y = {POOL}\n" for n in range(1000)),
    "items": f"y = {POOL}{'[0]' * 900}",
    "signs": f"y = {'-' * 900}{POOL}",
    "choices": f"y = {'1 if a else ' * 900}{POOL}",
    "lambdas": f"y = {'lambda: ' * 900}{POOL}",
    "calls": f"y = {'f(' * 190}{POOL}{')' * 190}",
    "a line": f"y = {POOL}  # {'x' * 1_000_000}",
    "names": f"{'y' * 100_000} = {POOL}",
    "brackets": f"y = {'(' * 150}{POOL}{')' * 150}",
    "targets": f"{'y = ' * 500}{POOL}",
    "comparisons": f"y = {POOL} {'< x ' * 500}",
    "statements": f"y = {POOL}; {'y = x; ' * 500}",
    "handlers": "try:\n    pass\n" + "".join(f"except E{n}:\n    y = x\n" for n in range(300)) + f"z = {POOL}",
    "blocks": "".join(f"{' ' * n}if a:\n" for n in range(90)) + " " * 90 + f"y = {POOL}",
}


@pytest.mark.parametrize("kind", LONG)
def test_what_is_long_is_ported(kind: str) -> None:
    before = HEAD + LONG[kind] + "\n"
    ported = port_source(before, "keras")

    assert ported.text.count("keras.layers.MaxPooling2D(2)(x)") == before.count(POOL)
    assert [row.before for row in ported.rows] == [POOL] * before.count(POOL)
    ast.parse(ported.text)


FEEDS = ["\f{0}y = {1}\n", "{0}\fy = {1}\n", "{0}\f\fif x:\n    y = 1\n\f    y = {1}\n"]
FEEDS += ["{0}\fa = 1\n\n\f\ndef f(x):\n    \f    return {1}  # \f\n\fz = 1\n", "\ufeff\f{0}y = {1}\n"]
FEEDS += ["{0}\f{1}\n", "{0}s = '''\n\fa'''\n\fy = {1}\n", "{0}y = [1,\n\f {1}]\n", "\f# ü\n\f{0}s = 'ü'\n\fy = {1}\n"]


@pytest.mark.parametrize("text", FEEDS, ids=repr)
def test_form_feeds_move_no_position(text: str) -> None:
    head = f"import os\n{HEAD}"  # a line that stays: one that goes takes its form feed along
    plain = port_source(text.replace("\f", "").format(head, POOL), "keras")
    ported = port_source(text.format(head, POOL), "keras")

    assert ported.text.replace("\f", "") == plain.text
    assert ported.text.count("\f") == text.count("\f")
    assert [row.to_dict() for row in ported.rows] == [row.to_dict() for row in plain.rows]
    assert [row.before for row in ported.rows] == [POOL]


NO_TEXT = ["rot13", "hex", "base64", "zlib", "bz2", "uu", "quopri", "punycode", "undefined", "nosuch", "a" * 9999]
NO_TEXT += ["utf-16", "utf-32", "unicode_escape", "cp037"]


@pytest.mark.parametrize("encoding", NO_TEXT, ids=lambda name: name[:20])
def test_coding_lines_of_what_is_no_text(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "it.py").write_text(f"# -*- coding: {encoding} -*-\n{HEAD}y = {POOL}\n")
    result = run(tmp_path / "it.py", "--to", "keras", "--in-place")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("InputError: received ")
    assert len(result.stderr.splitlines()) == 1
    assert len(result.stderr) < 600


TEXTS = [("utf-8", b""), ("utf-8", codecs.BOM_UTF8), ("latin-1", b""), ("cp1252", b""), ("koi8-r", b""), ("utf-7", b"")]
TEXTS += [("shift_jis", b""), ("iso2022_jp", b""), ("gbk", b"")]


@pytest.mark.parametrize(("encoding", "mark"), TEXTS)
def test_encodings_stay(tmp_path: Path, encoding: str, mark: bytes) -> None:
    comment = {"koi8-r": "ю", "shift_jis": "ガ", "iso2022_jp": "ガ", "gbk": "中"}.get(encoding, "ü")
    text = f"# coding: {encoding}\n{HEAD}y = {POOL}  # {comment}\n"
    (tmp_path / "it.py").write_bytes(mark + text.encode(encoding))
    assert run(tmp_path / "it.py", "--to", "keras", "--in-place").exit_code == 0
    data = (tmp_path / "it.py").read_bytes()

    assert data.startswith(mark)
    assert data.removeprefix(mark).decode(encoding).endswith(f"y = keras.layers.MaxPooling2D(2)(x)  # {comment}\n")


BYTES = {
    "UTF-16 without a mark": f"y = {POOL}\n".encode("utf-16-le"),
    "UTF-16 with a mark": f"y = {POOL}\n".encode("utf-16"),
    "latin-1 without a coding line": b"y = 1  # \xe9\n",
    "two encodings": codecs.BOM_UTF8 + b"# coding: latin-1\n",
    "a null byte": b"y = 1\0\n",
    "half of a pair": b"# coding: utf-7\n# +2AA-\n",
    "text that the encoding writes otherwise": b"# coding: utf-7\n# +AGE-\n",
    "carriage returns alone": b"x = 1\ry = 2\r",
    "no statement": b"\x1a\n",
}


@pytest.mark.parametrize("kind", BYTES)
def test_bytes_that_are_no_source(tmp_path: Path, kind: str) -> None:
    (tmp_path / "it.py").write_bytes(BYTES[kind])
    with pytest.raises(InputError, match=r"^received .*; (give|save|convert) "):
        port_file(tmp_path / "it.py", "keras")


# ------------------------------------------------------------------------------------------------- how long it takes

HEADS = f"{HEAD}from keras import layers\nimport tensorflow as tf\n"
REPEATED = {
    "pools": "y{0} = F.max_pool2d(x, 2)\n",
    "comments": "y{0} = F.max_pool2d(x,  # why\n    2)\n",
    "means": "y{0} = tf.reduce_mean(x, [1, 2])\n",
    "shapes": "h, w = x.shape[2:]\ny{0} = F.avg_pool2d(x, (h, w)).view(x.size(0), -1)\n",
    "constants": "K{0} = 2\ny{0} = F.max_pool2d(x, K{0})\n",
    "functions": "def f{0}(x):\n    return F.avg_pool2d(x, x.size(2)).flatten(1)\n",
    "imports": "from keras.layers import MaxPooling2D as M{0}\ny{0} = M{0}(2)(x)\n",
    "layers added": "model.add(layers.MaxPooling2D(2))\n",
    "attributes": "self.p{0} = nn.MaxPool2d(2)\nx = self.p{0}(x)\n",
}


def looked_at(source: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often porting asks where a node is, which it does in whatever goes through a file."""
    asked, span = Counter[str](), Tree.span

    def counted(tree: Tree, node: Node) -> Span:
        asked["span"] += 1
        return span(tree, node)

    with monkeypatch.context() as patch:
        patch.setattr(Tree, "span", counted)
        port_source(source, "keras" if "nn" in source else "torch")
    return asked["span"]


@pytest.mark.parametrize("kind", [*REPEATED, "a Sequential"])
def test_time_is_linear(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def source(count: int) -> str:
        if kind == "a Sequential":
            return f"{HEADS}m = nn.Sequential({', '.join(['nn.MaxPool2d(2)'] * count)})\n"
        return HEADS + "".join(REPEATED[kind].format(n) for n in range(count))

    few, many = (looked_at(source(count), monkeypatch) for count in (40, 160))
    assert many < 5 * few


ENDLESS = {
    "statements": "y=x;" * 4_000_000,
    "lines": "#\n" * 1_000_000,
    "lines that go on": "y = " + "\\\n" * 1_000_000 + "1",
    "an f-string": f"y = f'{'{x}' * 500_000}'",
    "brackets": "y = (x\n" * 1_000_000,
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_what_would_take_hours_is_refused(kind: str) -> None:
    began = time.process_time()
    with pytest.raises(InputError, match=r"more than 100000 tokens .* or lines, .*; cut the file in parts"):
        port_source(f"{HEAD}{ENDLESS[kind]}\n", "keras", name="long.py")
    assert time.process_time() - began < 10


def held_by_flow(source: str) -> int:
    """How many bytes the pass through a file takes at the most."""
    tree = Tree(source)
    tracemalloc.start()
    Flow(tree)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


@pytest.mark.parametrize("kind", ["continues", "handlers"])
def test_names_that_stay_take_no_memory_each_time_a_turn_ends_or_a_handler_starts(kind: str) -> None:
    def source(count: int) -> str:
        names = "".join(f"    n{n} = 1\n" for n in range(count))
        if kind == "continues":
            return f"while a:\n{names}" + "    if b:\n        continue\n" * count
        return f"try:\n{names}" + "".join(f"except E{n}:\n    pass\n" for n in range(count))

    few, many = (held_by_flow(source(count)) for count in (100, 400))
    assert many < 6 * few


def test_many_cases_that_each_give_a_name_are_not_gone_through_for_each_name() -> None:
    tree = Tree("match a:\n" + "".join(f"    case [x{n}]: pass\n" for n in range(9000)))
    began = time.process_time()
    Flow(tree)
    assert time.process_time() - began < 4


# ----------------------------------------------------------------------------------------- what the fuzzer came across

FOUND = {
    "a star alone": "h = *x\ny = F.avg_pool2d(x, (h, 2))\n",
    "stars": "h = *x, 2\nw = *x,\ny = F.avg_pool2d(F.avg_pool2d(x, h), w)\n",
    "a layer by its name": "m = nn.Sequential(layers=nn.MaxPool2d(2))\n",
}


@pytest.mark.parametrize("kind", FOUND)
@pytest.mark.parametrize("to", ["keras", "jax", None])
def test_what_stands_where_nobody_puts_it_is_reported(kind: str, to: str | None) -> None:
    assert port_source(HEAD + FOUND[kind], to).rows


def test_a_value_that_is_made_of_one_twice_is_looked_at_once() -> None:
    doubled = "k0 = x.shape[2]\n" + "".join(f"k{n} = k{n - 1} + k{n - 1}\n" for n in range(1, 60))
    size, pool = port_source(f"{HEAD}{doubled}y = F.max_pool2d(x, (k59, k59), k59)\n", "keras").rows

    assert size.after == "x.shape[1]"
    assert pool.before == "F.max_pool2d(x, (k59, k59), k59)"


@pytest.mark.parametrize("field", ["where", "before", "after", "note"])
def test_a_text_of_a_row_is_no_longer_than_a_message(field: str) -> None:
    text = f"begins {'n' * 1_000_000} ends"
    texts = {"where": "line 1", "before": "f(x)"} | ({field: text} if field != "note" else {})
    long = getattr(Row(status="left", notes=(text,) if field == "note" else (), **texts), field)

    assert len(long) <= 2000
    assert long.startswith("begins n")
    assert long.endswith("n ends")


@pytest.mark.parametrize("to", ["jax", None])
def test_a_report_of_long_calls_is_short(to: str | None) -> None:
    long = " + ".join(["x"] * 200) + f" + x{'x' * 1_000_000}"
    ported = port_source(f"{HEAD}a = F.max_pool2d({long}, 2)\nb = other.max_pool2d({long})\n", to)

    assert [row.status for row in ported.rows] == ["exact", "failed"]
    assert len(str([row.to_dict() for row in ported.rows])) < 15_000
    assert to is None or f"({long})" in ported.text
