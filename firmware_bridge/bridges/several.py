"""One bridge over many: a microcontroller at the gate, a stack light above it, a reader's lamp."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import Callable, Sequence

import msgspec

from admission.gate import Input
from admission.signal import GATES, Output, Signal
from firmware_bridge.bridges.board_bridge import BoardBridge
from firmware_bridge.bridges.listeners import AliveListener, EventListener
from firmware_bridge.errors import BridgeError, BridgeSuperseded, BridgeUnavailable
from firmware_bridge.link.messages import HelloReply


class MemberPlan(msgspec.Struct, frozen=True):
    """One member: its name in messages, the outputs wired to it, and how to make its bridge.

    `open` is called once, with the listener of its events and that of its link's state.
    """

    name: str
    outputs: frozenset[Output]
    open: Callable[[EventListener | None, AliveListener], BoardBridge]


class _Member:
    def __init__(self, name: str, outputs: frozenset[Output], bridge: BoardBridge) -> None:
        self.name = name
        self.outputs = outputs
        self.bridge = bridge

    def share(self, signal: Signal) -> Signal | None:
        """Return what of the signal is this member's; None if it has no say in it.

        A member whose lamps are not in the signal is told so, for what they say is over. One that
        has nothing but gates is left alone: no signal ends another's gate cycle.
        """
        pulses = tuple(pulse for pulse in signal.pulses if pulse.output in self.outputs)
        if not pulses and self.outputs <= GATES:
            return None
        return msgspec.structs.replace(signal, pulses=pulses)

    def named(self, error: BridgeError) -> BridgeError:
        """Return the error as this member's."""
        named = copy.copy(error)
        named.args = (f"{self.name}: {error}",)
        return named


class SeveralBridge:
    """Stands behind the Bridge port. `run` runs all members; give it to a task group.

    A signal with a gate in it goes to the gate's member last, once all others have acknowledged:
    whoever is told that it failed knows that no gate was opened for it, as far as the gate's own
    board knows. If the gate's member fails or declines, the others go dark again. While any member
    is known to be dead no gate is opened at all; other signals still reach those that live.
    `on_event` gets the events of all members; `on_alive` is told when all of them live, and when
    that ceases.

    :raises ValueError: if there is no member, a name is used twice, or two members have one gate:
        an admission would open it, and be reported, twice.
    """

    def __init__(
        self,
        plans: Sequence[MemberPlan],
        *,
        on_event: EventListener | None = None,
        on_alive: AliveListener | None = None,
    ) -> None:
        if not plans or len({plan.name for plan in plans}) != len(plans):
            raise ValueError("several bridges are at least one, each with a name of its own")
        for gate in GATES:
            if sum(gate in plan.outputs for plan in plans) > 1:
                msg = f"{gate.name.lower()} is wired to two members"
                raise ValueError(msg)
        self._on_alive = on_alive
        self._all_alive = False
        self._shows = 0
        self._members: list[_Member] = []
        for plan in plans:
            bridge = plan.open(on_event, self._hear)
            self._members.append(_Member(plan.name, plan.outputs, bridge))

    @property
    def bridges(self) -> list[BoardBridge]:
        """The members' own bridges, in the order of their plans."""
        return [member.bridge for member in self._members]

    @property
    def alive(self) -> bool:
        """Whether every member's hardware has answered within its heartbeat limit."""
        return all(member.bridge.alive for member in self._members)

    @property
    def last_error(self) -> BridgeError | None:
        """Why the first member that is not alive is not, with its name; None if all are."""
        for member in self._members:
            if not member.bridge.alive:
                return member.named(member.bridge.last_error or _unreached())
        return None

    @property
    def board(self) -> HelloReply | None:
        """How the gate's board introduced itself last; without a gate, the first member's."""
        gates = (member for member in self._members if member.outputs & GATES)
        return next(gates, self._members[0]).bridge.board

    @property
    def sensed(self) -> frozenset[Input]:
        """The inputs that are active, of all members."""
        return frozenset().union(*(member.bridge.sensed for member in self._members))

    async def show(self, signal: Signal, *, entry: int = 0) -> None:
        """Return once every member that has a part in the signal has acknowledged it.

        `entry` goes to the gate's member alone. If several fail, the first's error is raised, after
        all have ended.

        :raises BridgeError: as `McuBridge.show`, with the member's name.
        """
        self._shows += 1
        turn = self._shows
        shares = [(member, share) for member in self._members if (share := member.share(signal))]
        gates = [item for item in shares if _opens_a_gate(item[1])]
        others = [item for item in shares if not _opens_a_gate(item[1])]
        if gates:
            self._require_all()
        await self._show_all(others, 0)
        if not gates:
            return
        if turn != self._shows:
            raise BridgeSuperseded("a newer signal took its place before the gate was opened")
        try:
            await self._show_all(gates, entry)
        except BridgeError:
            if turn == self._shows:
                await self._darken(others)
            raise

    async def run(self) -> None:
        """Run every member. Ends by cancellation only.

        :raises Exception: whatever a listener raised.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for member in self._members:
                    group.create_task(member.bridge.run(), name=f"bridge {member.name}")
        except BaseExceptionGroup as group_error:
            raise group_error.exceptions[0] from None

    async def _show_all(self, shares: list[tuple[_Member, Signal]], entry: int) -> None:
        endings = await asyncio.gather(
            *(member.bridge.show(share, entry=entry) for member, share in shares),
            return_exceptions=True,
        )
        superseded: BaseException | None = None
        for (member, _), ending in zip(shares, endings, strict=True):
            if isinstance(ending, BridgeSuperseded):
                superseded = superseded or ending
            elif isinstance(ending, BridgeError):
                raise member.named(ending) from ending
            elif ending is not None:
                raise ending
        if superseded is not None:
            raise superseded

    async def _darken(self, shares: list[tuple[_Member, Signal]]) -> None:
        """Take back what the lamps say, as far as it is possible: there is an error to be told."""
        nothing = [(member, msgspec.structs.replace(share, pulses=())) for member, share in shares]
        with contextlib.suppress(BridgeError):
            await self._show_all(nothing, 0)

    def _require_all(self) -> None:
        if (error := self.last_error) is not None:
            raise error

    def _hear(self, alive: bool) -> None:
        """Take news of a member's link: it counts when it changes what all are together."""
        everybody = alive and self.alive
        if everybody is not self._all_alive:
            self._all_alive = everybody
            if self._on_alive is not None:
                self._on_alive(everybody)


def _opens_a_gate(signal: Signal) -> bool:
    return any(pulse.output in GATES for pulse in signal.pulses)


def _unreached() -> BridgeUnavailable:
    return BridgeUnavailable(
        "nobody has answered yet", hint="the bridge's run() opens it: has it been started?"
    )
