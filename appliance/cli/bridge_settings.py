"""A board's configuration in words, as the site's file has them, and where two of them differ."""

from __future__ import annotations

from typing import Any

from admission.signal import Output
from firmware_bridge.link.configuration import BoardConfiguration


def settings_of(configuration: BoardConfiguration) -> dict[str, Any]:
    """Return what a configuration says, key by key, as plain values.

    >>> settings_of(BoardConfiguration())["max_on_ms"]["gate"]
    5000
    """
    sets = ("outputs", "active_low", "inputs", "normally_closed")
    times = ("dead_man_ms", "window_ms", "min_pulse_ms", "debounce_ms", "settle_ms")
    return {
        **{key: [m.name.lower() for m in sorted(getattr(configuration, key))] for key in sets},
        "mode": "hold" if configuration.hold else "pulse",
        "fail": "safe" if configuration.fail_safe else "secure",
        "safe_blink": configuration.safe_blink,
        "max_on_ms": {o.name.lower(): configuration.max_on_ms[o] for o in Output},
        **{key: getattr(configuration, key) for key in times},
    }


def differences(now: BoardConfiguration, wanted: BoardConfiguration) -> list[tuple[str, str, str]]:
    """Return each key whose values differ, as the board has it and as it should be.

    >>> differences(BoardConfiguration(), BoardConfiguration(hold=True))
    [('mode', 'pulse', 'hold')]
    """
    has, should = settings_of(now), settings_of(wanted)
    return [(key, said(has[key]), said(should[key])) for key in has if has[key] != should[key]]


def said(value: Any) -> str:
    """Return a plain value in words."""
    match value:
        case dict():
            return ", ".join(f"{key} {item}" for key, item in value.items())
        case list():
            return ", ".join(value) or "none"
        case bool():
            return "yes" if value else "no"
        case None:
            return "not known yet"
        case _:
            return str(value)
