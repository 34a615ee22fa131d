"""What the process of a local board is told of pins, before any driver is imported."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from admission.gate import Input
from admission.signal import Output

Line = Annotated[int, msgspec.Meta(ge=0, le=511)]
"""A line's number on its chip. On a Raspberry Pi's header that is the BCM number, as in GPIO17."""
Bias = Literal["pull_up", "pull_down", "disabled"]


class GpioSpec(msgspec.Struct, frozen=True, tag="gpio", forbid_unknown_fields=True):
    """Pins of this computer.

    `chip` is a label, a device path, or empty for a Raspberry Pi's header. A contact closes to
    ground; with `pull_down` in `bias` it closes to the supply. An input's bias is `pull_up` unless
    named here, and `disabled` where a resistor is fitted outside.

    :raises ValueError: if one line is named twice.
    """

    outputs: dict[Output, Line]
    inputs: dict[Input, Line] = {}
    bias: dict[Input, Bias] = {}
    chip: str = ""

    def __post_init__(self) -> None:
        lines = [*self.outputs.values(), *self.inputs.values()]
        twice = sorted({line for line in lines if lines.count(line) > 1})
        if twice:
            msg = f"named twice: {', '.join(f'GPIO{line}' for line in twice)}"
            raise ValueError(msg)
