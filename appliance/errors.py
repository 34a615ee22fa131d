"""Errors of the daemon.

ApplianceError
├── ConfigError         a configuration that cannot be used
├── HouseError          a package of ours is shadowed by somebody else's of the same name
├── PortInUseError      the kiosk's address is taken
├── HubUnavailable      the hub did not answer, or not as a hub
├── SourceDied          a thread of a source ended by itself (`camera_door`)
├── DeskRefusalError    the officer's desk does not do what it is asked (`desk.refusal`)
└── TooManyViewers      as many kiosk pages are open as are served (`web.screen`)
"""

from __future__ import annotations

from admission.errors import ChotError


class ApplianceError(ChotError):
    """Root of this package's errors; see `ChotError`."""


class ConfigError(ApplianceError):
    """The configuration cannot be used."""


class HouseError(ApplianceError):
    """Another package of the same name would be imported in place of ours."""


class PortInUseError(ApplianceError):
    """The kiosk's address is taken by another program."""


class HubUnavailable(ApplianceError):  # noqa: N818 - a state of the network, not a programming error
    """The hub did not answer, or not as a hub does."""
