"""The words of an error: what was received, the rule that it breaks, what to do."""

from __future__ import annotations

from poolkit.errors import SpecError


def wrong(received: str, rule: str, do: str) -> SpecError:
    return SpecError(f"received {received}, and {rule}; {do}")


def quoted(text: object) -> str:
    return f'"{text}"'


def shown(value: object) -> str:
    """A value as it would be written in a call."""
    return quoted(value) if isinstance(value, str) else repr(value)
