"""[hub] of a configuration: where knowledge comes from, and where entries go."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from appliance.table import Seconds, Table

PROXY_HINT = "a proxy's address, such as http://proxy.example.org:3128, or empty"


class HubTable(Table, frozen=True):
    """[hub]: where knowledge comes from, and what of it is left out.

    `root_file` and `hash_key_file` are what every gate of the region has; empty: beside this gate's
    identity in the state folder, where `chot enrol` puts them.
    `ca_file` names the certificates by which an https hub is known; empty: the one that enrolling
    brought, else the system's. `proxy` is the way out; empty: what the environment says.
    """

    url: Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s]+$")]
    root_file: str = ""
    hash_key_file: str = ""
    poll_s: Seconds = 2.0
    leave_out: tuple[Literal["permits", "roster", "officers"], ...] = ()
    ca_file: str = ""
    proxy: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^\s/]+/?)?$")] = ""
