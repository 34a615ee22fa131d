"""What health and Prometheus see of the plug-ins: counts by format, nothing of any code.

Formats are named by installed packages, at most `MAX_PLUGINS` of them: the labels are bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from appliance.credential_plugins.plugins import PluginState
from appliance.health import Check, Finding

_COUNTERS: tuple[tuple[str, str, Callable[[PluginState], int]], ...] = (
    ("chot_plugin_texts", "Texts that a plug-in was asked about.", lambda seen: seen.asked),
    ("chot_plugin_reads", "Texts that a plug-in knew.", lambda seen: seen.found),
    (
        "chot_plugin_faults",
        "Texts over which a plug-in raised, or returned what it may not.",
        lambda seen: seen.faults,
    ),
    (
        "chot_plugin_timeouts",
        "Texts over which a plug-in took too long, so that its process was ended.",
        lambda seen: seen.timeouts,
    ),
    (
        "chot_plugin_deaths",
        "Texts and imports over which a plug-in's process died.",
        lambda seen: seen.deaths,
    ),
)


class ReportsPlugins(Protocol):
    """What is reported on: `CredentialPlugins`, or a stand-in."""

    @property
    def ready(self) -> bool:
        """Whether the process can be asked."""
        ...

    @property
    def starts(self) -> int:
        """How often the process was started."""
        ...

    def states(self) -> Sequence[PluginState]:
        """Return every plug-in's state."""
        ...


class PluginMetrics:
    """Counters of plug-ins, by format; read at each scrape."""

    def __init__(self, plugins: ReportsPlugins) -> None:
        self._plugins = plugins

    def collect(self) -> Iterable[Metric]:
        """Yield all counters as they are now."""
        states = self._plugins.states()
        for name, documentation, count in _COUNTERS:
            family = CounterMetricFamily(name, documentation, labels=["format"])
            for state in states:
                family.add_metric([state.name], count(state))
            yield family
        serving = GaugeMetricFamily(
            "chot_plugin_serving", "Whether a plug-in is loaded and asked.", labels=["format"]
        )
        for state in states:
            serving.add_metric([state.name], float(bool(state.loaded) and not state.resting))
        yield serving
        yield CounterMetricFamily(
            "chot_plugin_process_starts",
            "Starts of the plug-ins' process.",
            value=self._plugins.starts,
        )


def plugins_check(plugins: ReportsPlugins, unusable: Sequence[str] = ()) -> Check:
    """Return the health check of the plug-ins.

    :param unusable: names that `installed_plugins` could not use.
    """

    def check() -> Finding:
        states = plugins.states()
        unloadable = [state.name for state in states if state.loaded is False]
        resting = [state.name for state in states if state.resting]
        complaints = [
            *(f"{name} has no usable name" for name in unusable),
            *(f"{name} cannot be loaded" for name in unloadable),
            *(f"{name} broke too often and rests" for name in resting),
        ]
        usable = len(states) > len(unloadable)
        if usable and not plugins.ready:
            complaints.append("the plug-ins' process is being started")
        why = f"credential plug-ins: {'; '.join(complaints)}" if complaints else ""
        return Finding(not complaints, why, {"plugins": len(states), "starts": plugins.starts})

    return check
