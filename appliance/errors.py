"""Errors of the daemon.

ApplianceError
├── ConfigError         a configuration that cannot be used
├── HouseError          a package of ours is shadowed by somebody else's of the same name
├── PortInUseError      the kiosk's address is taken
├── HubUnavailable      the hub did not answer, or not as a hub
│   └── HubRefused      it answered with another status than 200, and perhaps when to come again
├── HistoryContradicted the hub holds another history of a journal than lies here
├── EnrolmentRefused    the hub turned this gate down
├── EnrolmentPending    nobody at the hub has decided about this gate yet
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


class HubRefused(HubUnavailable):
    """The hub answered with another status than 200.

    `retry_after_s` is how long it asks to be left alone, 0 if it does not say.
    """

    def __init__(self, message: str, *, hint: str = "", retry_after_s: float = 0.0) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class HistoryContradicted(ApplianceError):  # noqa: N818 - a finding about the journal
    """The hub holds another history of a journal than lies here: one of them was altered."""


class EnrolmentRefused(ApplianceError):  # noqa: N818 - the hub's answer
    """The hub turned this gate down."""


class EnrolmentPending(ApplianceError):  # noqa: N818 - a state
    """Nobody at the hub has decided about this gate yet."""
