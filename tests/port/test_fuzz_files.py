"""Mutated files through `poolkit port`: a report or a PoolkitError, never a traceback, within bounds."""

from __future__ import annotations

import random
import re
import resource
import time
import warnings
from pathlib import Path

import equinox
import flax
import haiku
import jax
import keras
import onnxruntime
import pytest
import tensorflow as tf
import torch
from click.testing import CliRunner, Result

from poolkit import errors
from poolkit.cli.commands import poolkit
from poolkit.port import check
from tests.conftest import Fuzz
from tests.helpers import hostile_files
from tests.helpers.vision import timm

TARGETS = ("torch", "keras", "tensorflow", "jax")
SECONDS, MEGABYTES = 10, 500  # of one file
CHECKED = 1 / 6  # the share of the files that are also run, which takes ten times as long
OF_CHECKS = 2  # the processor time after which no further row of a file is run; that one may take as long as the rest
FRAMEWORKS = (equinox, flax, haiku, jax, keras, onnxruntime, tf, timm, torch)  # imported before a file's time counts


def arguments(rng: random.Random, path: Path) -> list[str]:
    if rng.random() < 0.25:
        return [str(path), *(["--json"] if rng.random() < 0.3 else [])]
    given = [str(path), "--to", rng.choice(TARGETS)]
    given += ["--layout", rng.choice(("NHWC", "NCHW", "channels_first", "NCL", "CHW"))] if rng.random() < 0.2 else []
    given += ["--check"] if rng.random() < CHECKED else []
    return [*given, *(["--json"] if rng.random() < 0.3 else [])]


def peak() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def outcome(result: Result) -> str:
    """What came of a file; an AssertionError for a traceback, an exit code that means nothing or raw text."""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise AssertionError("a traceback") from result.exception
    assert result.exit_code in (0, 1, 2)
    assert not re.search(r"(Call|Name|Expression)\((name|dotted|text)=", result.output)  # poolkit's own objects
    assert all(c.isprintable() or c == "\n" for c in result.stderr)
    if result.exit_code < 2:
        return "reported"
    name, _, message = result.stderr.partition(": ")
    assert issubclass(getattr(errors, name), errors.PoolkitError)
    assert message.startswith("received ")
    assert len(message) <= 2001
    return "refused"


def test_mutated_files_are_reported_or_refused(fuzz: Fuzz, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "SECONDS", OF_CHECKS)
    for rng in fuzz:
        path = hostile_files.drawn(rng, tmp_path)
        given = arguments(rng, path)
        before, began = peak(), time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = CliRunner().invoke(poolkit, ["port", *given])
        checked = "--check" in given
        fuzz.count(f"{path.suffix} {outcome(result)}{' and checked' if checked else ''}")
        assert time.process_time() - began < SECONDS * (1 + checked)
        assert peak() - before < MEGABYTES or fuzz.cases < 20  # what is imported first
