"""The demonstration's gate enrols itself: the real thing, with nobody to ask on either side."""

from __future__ import annotations

import asyncio
from pathlib import Path

from admission.enrolment import unpack_token
from admission.ports import Clock
from appliance.certificates import Names
from appliance.config import Config
from appliance.demo.embedded_hub import HubFiles, hub_command
from appliance.enrolling import Enrolling
from appliance.identity import identity_of, signing_key
from appliance.identity_keeping import keep

SERIAL = "demo"
_WAIT_S = 60.0


async def enrol(files: HubFiles, config: Config, clock: Clock) -> None:
    """Enrol the gate of this configuration at the embedded hub, which serves already.

    :raises ApplianceError: if that fails.
    """
    names = Names(config.appliance.device, config.site.id, SERIAL)
    token_file = files.folder.parent / "enrolment.token"
    await hub_command(
        "enrol", "token", "--data", str(files.folder), "--site", names.site,
        "--serial", names.serial, "--device", names.device, "--url", config.hub.url,
        "--token-file", str(token_file), quiet=True,
    )  # fmt: skip
    said: asyncio.Queue[str] = asyncio.Queue()

    async def approved(pause_s: float) -> None:
        """Do what a person at the hub does, where the gate would wait for one."""
        if said.empty():
            await asyncio.sleep(pause_s)
            return
        await hub_command(
            "enrol", "approve", "--data", str(files.folder), "--replace", said.get_nowait(),
            quiet=True,
        )  # fmt: skip

    enrolling = Enrolling(
        unpack_token(_text(token_file)),
        names,
        signing_key(identity_of(Path(config.appliance.state_dir))),
        clock,
        waiting=said.put_nowait,
        wait_s=_WAIT_S,
        sleep=approved,
    )
    keep(config, await enrolling.enrol())
    token_file.unlink()


def _text(path: Path) -> str:
    return path.read_text(encoding="ascii")
