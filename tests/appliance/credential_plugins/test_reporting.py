"""Protects the technician's view of the plug-ins: which one fails, and how often."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from appliance.credential_plugins.plugins import PluginState
from appliance.credential_plugins.reporting import PluginMetrics, plugins_check


class Stand:
    def __init__(self, *states: PluginState, ready: bool = True) -> None:
        self._states = states
        self.ready = ready
        self.starts = 3

    def states(self) -> tuple[PluginState, ...]:
        return self._states


GOOD = PluginState("good", loaded=True, asked=9, found=5)
RESTING = PluginState("tired", loaded=True, resting=True, timeouts=5)
BROKEN = PluginState("broken", loaded=False, deaths=1)


def test_each_formats_counts_are_told() -> None:
    registry = CollectorRegistry()
    registry.register(PluginMetrics(Stand(GOOD, RESTING, BROKEN)))

    def value(name: str, form: str) -> float | None:
        return registry.get_sample_value(name, {"format": form})

    assert value("chot_plugin_texts_total", "good") == 9
    assert value("chot_plugin_reads_total", "good") == 5
    assert value("chot_plugin_timeouts_total", "tired") == 5
    assert value("chot_plugin_deaths_total", "broken") == 1
    serving = {form: value("chot_plugin_serving", form) for form in ("good", "tired", "broken")}
    assert serving == {"good": 1, "tired": 0, "broken": 0}
    assert registry.get_sample_value("chot_plugin_process_starts_total") == 3


def test_health_names_the_plugin_that_fails() -> None:
    assert plugins_check(Stand(GOOD))().ok
    assert plugins_check(Stand())().ok
    assert not plugins_check(Stand(GOOD, ready=False))().ok
    assert plugins_check(Stand(BROKEN, ready=False))().why == (
        "credential plug-ins: broken cannot be loaded"
    )
    finding = plugins_check(Stand(GOOD, RESTING, BROKEN), ["Upper"])()
    assert not finding.ok
    for part in ("Upper has no usable name", "tired broke too often", "broken cannot be loaded"):
        assert part in finding.why
    assert finding.facts == {"plugins": 3, "starts": 3}
