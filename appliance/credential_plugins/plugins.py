"""The gate's plug-ins: asked within a deadline, started anew when they break, rested if often.

Counts only: nothing of what a code says is kept or told.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import entry_points

import msgspec

from admission.backoff import Backoff
from admission.credential import Credential
from admission.identity import IdentifierKind
from admission.reading import MAX_PAYLOAD_BYTES, MAX_TEXT_LENGTH
from appliance.credential_plugins.process import PluginProcess
from appliance.credential_plugins.wire import (
    GROUP,
    MAX_PLUGINS,
    Message,
    Request,
    Step,
    credential_of,
    is_plugin_name,
)

RESTARTING = Backoff(0.5, 60.0)
_ENVIRONMENT = ("PATH", "LANG", "LD_LIBRARY_PATH")
_MS = 1_000_000


class PluginLimits(msgspec.Struct, frozen=True):
    """How long a gate waits for plug-ins, and how often they may break.

    A plug-in has `deadline_ms` for one text; none is asked any more once all of them together took
    `total_ms`. One of which the process died or hung `breakdowns` times within `rest_s` is not
    asked for the next `rest_s`.
    """

    deadline_ms: int = 100
    total_ms: int = 150
    start_ms: int = 30_000
    breakdowns: int = 5
    rest_s: int = 600


class PluginState(msgspec.Struct):
    """One plug-in, for health and metrics. `loaded` is None until that is known."""

    name: str
    loaded: bool | None = None
    resting: bool = False
    asked: int = 0
    found: int = 0
    faults: int = 0
    """Raised, or returned something else than a credential of the registers it declared."""
    timeouts: int = 0
    deaths: int = 0


class _Plugin:
    def __init__(self, name: str, breakdowns: int) -> None:
        self.state = PluginState(name)
        self.kinds: tuple[IdentifierKind, ...] = ()
        self.broken_ns: deque[int] = deque(maxlen=breakdowns)


class CredentialPlugins:
    """All plug-ins of a gate, in one process. Nothing is started where none is installed.

    `ask` belongs to one thread, the loop's; a thread of its own starts the process anew.

    `starts` counts how often the process was started.

    :param names: entry points of the group `chot.credentials` (`installed_plugins`).
    :param draw: gives a random number in [0, 1) for each pause before a new start.
    """

    def __init__(
        self,
        names: Sequence[str],
        monotonic_ns: Callable[[], int],
        *,
        draw: Callable[[], float],
        environment: Mapping[str, str] | None = None,
        backoff: Backoff = RESTARTING,
        limits: PluginLimits | None = None,
    ) -> None:
        self._limits = limits or PluginLimits()
        self._monotonic_ns = monotonic_ns
        self._draw = draw
        self._environment = worker_environment() if environment is None else environment
        self._backoff = backoff
        self._plugins = {name: _Plugin(name, self._limits.breakdowns) for name in names}
        self._child: PluginProcess | None = None
        self._process: PluginProcess | None = None  # the child, once it is ready
        self.starts = 0
        self._number = 0
        self._failures = 0
        self._lost, self._closed, self._ready = (threading.Event() for _ in range(3))
        self._keeper = threading.Thread(target=self._keep, name="credential-plugins", daemon=True)

    def start(self) -> None:
        """Start the process, in the background. Until it is ready, `ask` returns None."""
        if self._plugins:
            self._keeper.start()

    @property
    def ready(self) -> bool:
        """Whether the process can be asked."""
        return self._process is not None

    def wait_until_ready(self, timeout_s: float) -> bool:
        """Return whether the process is ready to be asked, waiting for it so long."""
        return self._ready.wait(timeout_s)

    def ask(self, text: str, payload: bytes) -> Credential | None:
        """Return what the first plug-in that knows the text makes of it, else None.

        Blocks for `deadline_ms` + `total_ms` at the very most. Never raises.
        """
        process = self._process
        if process is None or len(text) > MAX_TEXT_LENGTH or len(payload) > MAX_PAYLOAD_BYTES:
            return None
        if not process.alive:  # it ended while nobody asked it: no plug-in's fault that we know of
            self._lose(process)
            return None
        began_ns = now_ns = self._monotonic_ns()
        for plugin in self._plugins.values():
            if not plugin.state.loaded or self._rests(plugin, now_ns):
                continue
            credential = self._ask(process, plugin, text, payload)
            now_ns = self._monotonic_ns()
            spent = now_ns - began_ns >= self._limits.total_ms * _MS
            if credential is not None or self._process is None or spent:
                return credential
        return None

    def states(self) -> list[PluginState]:
        """Return every plug-in's state as of now."""
        now_ns = self._monotonic_ns()
        return [
            msgspec.structs.replace(plugin.state, resting=self._rests(plugin, now_ns))
            for plugin in self._plugins.values()
        ]

    def close(self) -> None:
        """End the process and its thread, also one that is just being started."""
        self._closed.set()
        self._lost.set()
        child = self._child
        if child is not None:
            child.kill()
        if self._keeper.is_alive():
            self._keeper.join()

    def _ask(
        self, process: PluginProcess, plugin: _Plugin, text: str, payload: bytes
    ) -> Credential | None:
        state = plugin.state
        self._number += 1
        request = Request(self._number, state.name, text, payload)
        until_ns = self._monotonic_ns() + self._limits.deadline_ms * _MS
        try:
            message = process.ask(request, until_ns)
        except OSError as error:
            state.asked += 1
            self._broken(plugin, timed_out=isinstance(error, TimeoutError))
            self._lose(process)
            return None
        except ValueError:  # a lone surrogate cannot be handed over, and no code has one
            return None
        state.asked += 1
        self._failures = 0
        return self._taken(plugin, message)

    def _taken(self, plugin: _Plugin, message: Message) -> Credential | None:
        state = plugin.state
        if message.step is Step.NOTHING:
            return None
        try:
            if message.step is not Step.FOUND or message.claim is None:
                raise ValueError("the plug-in failed")  # noqa: TRY301 - counted as its other faults
            credential = credential_of(message.claim, state.name, plugin.kinds)
        except ValueError:
            state.faults += 1
            return None
        state.found += 1
        return credential

    def _broken(self, plugin: _Plugin, *, timed_out: bool) -> None:
        plugin.broken_ns.append(self._monotonic_ns())
        if timed_out:
            plugin.state.timeouts += 1
        else:
            plugin.state.deaths += 1

    def _rests(self, plugin: _Plugin, now_ns: int) -> bool:
        stamps, rest_ns = plugin.broken_ns, self._limits.rest_s * 1_000 * _MS
        often = len(stamps) == self._limits.breakdowns and stamps[-1] - stamps[0] < rest_ns
        return often and now_ns - stamps[-1] < rest_ns

    def _lose(self, process: PluginProcess) -> None:
        self._process = None
        self._ready.clear()
        process.kill()
        self._lost.set()

    def _keep(self) -> None:
        """Have a process as long as any plug-in can be loaded. The thread's work."""
        while not self._closed.is_set():
            self._lost.clear()
            if self._started():
                self._process = self._child
                self._ready.set()
                if not self._closed.is_set():
                    self._lost.wait()
            self._process = None
            self._ready.clear()
            if self._child is not None:
                self._child.kill()
                self._child.reap()
            if not self._loadable():
                return
            self._failures += 1
            self._closed.wait(self._backoff.delay_s(self._failures, self._draw()))

    def _loadable(self) -> list[str]:
        return [name for name, each in self._plugins.items() if each.state.loaded is not False]

    def _started(self) -> bool:
        """Start a process; return whether it has loaded a plug-in and waits to be asked."""
        names = self._loadable()
        command = [sys.executable, "-P", "-B", "-m", "appliance.credential_plugins.worker", *names]
        until_ns = self._monotonic_ns() + self._limits.start_ms * _MS
        self.starts += 1
        self._child = loading = None
        try:
            self._child = PluginProcess(command, self._monotonic_ns, environment=self._environment)
            if self._closed.is_set():
                return False
            while (message := self._child.receive(until_ns)).step is not Step.READY:
                loading = self._plugins[message.plugin]
                if message.step is not Step.LOADING:
                    loading.state.loaded = message.step is Step.LOADED
                    loading.kinds = message.kinds
                    loading = None
        except (OSError, KeyError):
            if loading is not None and not self._closed.is_set():
                loading.state.loaded = False  # the process died or hung over this one
                loading.state.deaths += 1
            return False
        return bool(self._loadable())


def installed_plugins() -> tuple[list[str], list[str]]:
    """Return the names of the installed plug-ins, and those that cannot be used.

    A name is unusable that is not a lower-case word (`wire.is_plugin_name`), that two packages
    give, or that comes after `MAX_PLUGINS` others. Nothing is imported.
    """
    names = sorted(entry_point.name for entry_point in entry_points(group=GROUP))
    usable = [name for name in names if is_plugin_name(name) and names.count(name) == 1]
    kept = usable[:MAX_PLUGINS]
    return kept, sorted(set(names) - set(kept))


def worker_environment() -> dict[str, str]:
    """Return what the plug-ins' process needs of ours: where libraries are, and no secrets."""
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
