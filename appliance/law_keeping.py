"""Keeps the law in force at what the release's documents say, and the plug-ins at work."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry

from admission.ports import Clock
from admission.site import Site
from appliance.config import Config
from appliance.credential_plugins.plugins import CredentialPlugins, installed_plugins
from appliance.credential_plugins.reporting import PluginMetrics, plugins_check
from appliance.documents import Documents
from appliance.health import Health, Weight
from appliance.inspection import read_rulebook
from appliance.law_in_force import LawInForce
from appliance.rotating_secret import load_schemes


class LawKeeper:
    """Holds the law in force, and takes each newer set of documents in turn."""

    def __init__(
        self,
        law: LawInForce,
        documents: Documents,
        plugins: CredentialPlugins,
        unusable: list[str],
    ) -> None:
        self.law = law
        self._documents = documents
        self._plugins = plugins
        self._unusable = unusable
        self._changed = asyncio.Event()
        documents.listen(lambda _: self._changed.set())

    async def take(self) -> None:
        """Let the documents of this moment be in force; they are read off the loop."""
        self._changed.clear()
        await asyncio.to_thread(self.law.take, self._documents.by_name)

    async def run(self) -> None:
        """Take the documents whenever others have taken their place, until cancelled."""
        while True:
            await self._changed.wait()
            await self.take()

    def describe(
        self, health: Health, registry: CollectorRegistry, site: Site, clock: Clock
    ) -> None:
        """Let health and Prometheus see the documents, the site's directive and the plug-ins."""
        health.add("law", self.law.finding, Weight.NOTE)
        health.add("law.whole", self.law.whole, Weight.SERVICE)
        health.add("law.directive", lambda: self.law.directive(site, clock.now()), Weight.SERVICE)
        health.add("credential-plugins", plugins_check(self._plugins, self._unusable), Weight.NOTE)
        registry.register(PluginMetrics(self._plugins))


@asynccontextmanager
async def kept_law(
    config: Config,
    documents: Documents,
    *,
    monotonic_ns: Callable[[], int],
    rng: random.Random,
) -> AsyncIterator[LawKeeper]:
    """Open the law of a site; the plug-ins' process ends with the block.

    :raises ConfigError: if a file that the configuration names cannot be used.
    :raises admission.errors.RulebookError: if the rulebook cannot be used.
    """
    table = config.credentials
    own = read_rulebook(Path(config.site.rulebook))
    schemes = load_schemes(Path(table.rotating_file)) if table.rotating_file else ()
    names, unusable = installed_plugins() if table.plugins else ([], [])
    plugins = CredentialPlugins(names, monotonic_ns, draw=rng.random)
    law = LawInForce(own, rotating=schemes, strangers=plugins.ask if names else None)
    plugins.start()
    try:
        yield LawKeeper(law, documents, plugins, unusable)
    finally:
        await asyncio.to_thread(plugins.close)
