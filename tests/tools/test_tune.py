"""`pk.tune`: winners are kept in a file, taken where they are right, and never in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import poolkit as pk
from poolkit.cli.commands import poolkit
from poolkit.running import dispatch, registry, tuned
from poolkit.running.further import situation_of
from poolkit.tools import tune
from poolkit.tools.bench import Timing
from tests.helpers.support import ROOT, environment

SPEC = pk.MaxPool(2, layout="NCL")
X = np.arange(8.0, dtype="float32").reshape(1, 1, 8)


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "folder" / "tuned.json"
    monkeypatch.setenv(tuned.VARIABLE, str(path))
    dispatch.forget()
    return path


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The routes by which programs are recorded."""
    names: list[str] = []
    record = dispatch.recorded

    def spy(adapter: Any, plan: Any, route: Any, *others: Any) -> Any:
        names.append(route.name)
        return record(adapter, plan, route, *others)

    monkeypatch.setattr(dispatch, "recorded", spy)
    return names


def key(x: Any = X) -> str:
    adapter = registry.find(x)
    plan = dispatch.plan_of_tensor(adapter, x, SPEC)[1]
    return tuned.key_of(adapter, plan, situation_of(adapter, x, {})._replace(derivative=False), x.shape)


def test_pool_takes_a_winner_and_only_for_its_shape(taken: list[str]) -> None:
    tuned.keep({key(): "fold"})

    pk.pool(X, SPEC)
    pk.pool(np.concatenate([X, X]), SPEC)

    assert taken == ["fold", "maximum"]


def test_a_winner_that_is_not_right_here_is_passed_over(taken: list[str]) -> None:
    tuned.keep({key(): "no such route"})

    assert pk.pool(X, SPEC).tolist() == [[[1, 3, 5, 7]]]
    assert taken == ["maximum"]


def test_a_winner_of_other_versions_is_none(taken: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    tuned.keep({key(): "fold"})
    monkeypatch.setattr(np, "__version__", "99")

    pk.pool(X, SPEC)

    assert taken == ["maximum"]


@pytest.mark.parametrize(
    "held", [b"", b"{", b"\xff\xfe", b"[1]", b"[" * 200_000, b'{"a": 1}', b"\0" * (tuned.LARGE + 1)]
)
def test_a_damaged_file_holds_no_winners_and_is_mended_by_the_next(held: bytes, file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(held)

    assert tuned.read(str(file)) == {}
    assert pk.pool(X, SPEC).tolist() == [[[1, 3, 5, 7]]]
    tuned.keep({"a": "b"})
    assert json.loads(file.read_text()) == {"a": "b"}


WRITER = """
import sys
from poolkit.running import tuned
for i in range(25):
    tuned.keep({f"{sys.argv[1]} {i}": "fold"})
"""


def test_no_winner_is_lost_where_several_processes_write(file: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(n)], cwd=ROOT, env={**environment(), tuned.VARIABLE: str(file)}
        )
        for n in range(4)
    ]

    assert [writer.wait() for writer in writers] == [0] * 4
    assert len(json.loads(file.read_text())) == 100
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_the_lock_of_a_process_that_died_is_broken(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuned, "PATIENCE", 0.05)
    file.parent.mkdir()
    Path(f"{file}.lock").touch()

    tuned.keep({"a": "b"})

    assert tuned.read(str(file)) == {"a": "b"}


def test_a_lock_of_a_time_to_come_and_a_link_to_nothing_are_broken(file: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(tuned, "PATIENCE", 0.05)
    file.parent.mkdir()
    lock = Path(f"{file}.lock")
    lock.touch()
    os.utime(lock, (2**33, 2**33))
    tuned.keep({"a": "b"})

    lock.symlink_to("nothing")

    assert tuned.clear() == 1
    assert not lock.is_symlink()


def test_the_wait_for_others_ends(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.parent.mkdir()
    lock = Path(f"{file}.lock")
    lock.touch()
    monkeypatch.setattr(tuned, "TURNS", 0.05)
    monkeypatch.setattr(tuned.time, "sleep", lambda _: lock.touch())

    with pytest.raises(pk.InputError, match=r"tuned\.json\.lock.*or remove this file where there are none"):
        tuned.keep({"a": "b"})


@pytest.mark.parametrize("sort", ["pipe", "device"])
def test_what_is_no_file_is_not_read_and_not_replaced(file: Path, sort: str) -> None:
    """A process of its own, which is stopped: to open a pipe waits for ever."""
    file.parent.mkdir()
    os.mkfifo(file) if sort == "pipe" else file.symlink_to("/dev/zero")
    code = "import numpy as np, poolkit as pk; pk.pool(np.ones((1, 1, 4)), pk.MaxPool(2, layout='NCL'))"
    around = {**environment(), tuned.VARIABLE: str(file)}

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=around, timeout=60).returncode == 0
    for write in (tuned.clear, lambda: tuned.keep({"a": "b"})):
        with pytest.raises(pk.InputError, match="a folder, a pipe or a device"):
            write()
    assert not file.is_file()


def test_nothing_is_written_through_a_link(file: Path, tmp_path: Path) -> None:
    """The name of the new file is not one that can be foreseen."""
    file.parent.mkdir()
    other = tmp_path / "other"
    Path(f"{file}.{os.getpid()}").symlink_to(other)

    tuned.keep({"a": "b"})

    assert not other.exists()
    assert tuned.read(str(file)) == {"a": "b"}


def test_nothing_is_left_of_what_could_not_be_written(file: Path) -> None:
    with pytest.raises(TypeError):
        tuned.keep({"a": object()})  # type: ignore[dict-item]

    assert not list(file.parent.iterdir())


def test_a_lock_that_is_in_use_is_waited_for(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long one process waits: what counts is how old the lock is."""
    file.parent.mkdir()
    lock, waited = Path(f"{file}.lock"), list[float]()
    lock.touch()

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        lock.unlink() if len(waited) == 3 else lock.touch()

    monkeypatch.setattr(tuned.time, "sleep", sleep)
    tuned.keep({"a": "b"})

    assert len(waited) == 3
    assert not lock.exists()


def test_a_winner_is_for_its_memory_format() -> None:
    x = torch.zeros(1, 2, 8, 8)
    spec = pk.MaxPool(2, layout="NCHW")
    adapter = registry.find(x)
    plan = dispatch.plan_of_tensor(adapter, x, spec)[1]
    of = [situation_of(adapter, t, {}) for t in (x, x.to(memory_format=torch.channels_last))]

    assert tuned.key_of(adapter, plan, of[0], x.shape) != tuned.key_of(adapter, plan, of[1], x.shape)


def test_a_file_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tuned.VARIABLE, "/dev/null/tuned.json")

    with pytest.raises(pk.InputError, match=r"cannot be written .*environment variable POOLKIT_TUNED"):
        tuned.keep({"a": "b"})


def test_a_warm_call_does_not_ask_for_winners(monkeypatch: pytest.MonkeyPatch) -> None:
    pk.pool(X, SPEC)
    monkeypatch.setattr(dispatch, "preferred", None)

    assert pk.pool(X, SPEC).tolist() == [[[1, 3, 5, 7]]]


@pytest.mark.parametrize(
    ("backend", "passes"),
    [
        ("numpy", ["forward"]),
        ("torch", ["forward", "gradient"]),
        ("tensorflow", ["forward", "gradient"]),
        ("jax", ["gradient"]),
    ],
)
def test_the_fastest_route_is_kept(backend: str, passes: list[str], file: Path) -> None:
    rows = pk.tune(SPEC, backend, (1, 2, 8), turns=1, seconds=0.0001)

    kept = json.loads(file.read_text())
    assert [what.rpartition("; ")[2] for what in kept] == passes
    assert set(kept.values()) <= {row.route for row in rows}


def measure(monkeypatch: pytest.MonkeyPatch, **times: float) -> None:
    """Let every measurement of a forward pass give these times."""
    rows = [Timing("numpy", route, False, time, None) for route, time in times.items()]
    monkeypatch.setattr(tune, "timings", lambda *_, derivative, **__: [] if derivative else rows)


@pytest.mark.parametrize(("time", "winner"), [(2.0, "fold"), (2.9, "maximum")])
def test_less_of_a_gain_than_a_twentieth_is_none(
    time: float, winner: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure(monkeypatch, maximum=3.0, fold=time)

    pk.tune(SPEC, "numpy", (1, 2, 8))

    assert list(json.loads(file.read_text()).values()) == [winner]


def test_the_commands_measure_show_and_clear(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measure(monkeypatch, maximum=3.0, fold=1.0)

    def said(*words: str) -> str:
        done = CliRunner().invoke(poolkit, words)
        assert done.exit_code == 0, done.output
        return done.output

    words = ("tune", "max window=2 layout=NCL", "1,2,8", "--backend", "numpy", "--turns", "1")
    assert f"kept in {file}" in said(*words)
    assert list(json.loads(said("tuned", "--json"))["winners"].values()) == ["fold"]
    assert "max window=2 layout=NCL; float32; 1,2,8; contiguous; forward: fold" in said("tuned")
    assert said("tuned", "--clear").startswith("1 forgotten")
    assert not file.exists()
    assert said("tuned", "--clear").startswith("0 forgotten")
