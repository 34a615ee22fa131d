"""What flags mean to a person at the hub, and what to do about them."""

from __future__ import annotations

from collections.abc import Mapping

from hub.store.entries import FlagKind

WHAT_TO_DO: Mapping[FlagKind, str] = {
    FlagKind.CONFLICT: "another entry was offered under a number that was held: two gates use one "
    "identity, or a gate's disk was copied. Compare: chot hub journals verify --folder",
    FlagKind.CHAIN_BROKEN: "the entry, or the one before it, was altered before it came. Have the "
    "gate's journal folder brought in: chot hub journals verify --folder",
    FlagKind.UNDECODABLE: "the gate is newer than this hub: update chot here, then run chot hub "
    "entries reread. If it is not newer, its medium is damaged",
    FlagKind.SEAL_UNOPENED: "sealed for a key that is not here: put the former seal-….key back "
    "into keys/, then chot hub entries reread. Until then nobody knows whom these entries are of",
    FlagKind.MISSING: "the gate lost these entries: look at its medium (chot journal verify there)",
    FlagKind.SUSPECT_CLOCK: "set the gate's clock, look at its RTC battery and NTP; do not rely on "
    "the dates of these entries",
    FlagKind.DUPLICATE_PASSAGE: "one person at two places: a number that is lent or copied, or two "
    "gates close to each other. Ask at both sites",
    FlagKind.REVOKED_MEANWHILE: "let in by a gate that was cut off: tell the site, trace contacts "
    "if the person is isolated, and see why the gate did not hear (chot hub journals list)",
    FlagKind.UNSECURED: "the gate's medium was too slow or full and its policy opens all the same: "
    "look at the gate's health, and whether that policy is wanted there",
    FlagKind.TAILGATED: "somebody went through behind the one who was admitted, unchecked: ask at "
    "the site; where it happens often there, set the turnstile's window shorter or post somebody",
    FlagKind.REVIVED: "a copy of the gate's disk is in use, or an old one was put back: find out "
    "which is the gate, deny the device (chot hub device deny) and enrol it anew",
}
"""In words, by kind."""
