"""`chot hub trust`: whose signatures on certificates of others the gates believe."""

from __future__ import annotations

import click

from hub.dcc_cli import batches, dsc, slices
from hub.issuers_cli import csca, health_cards, revoked_cards


@click.group()
def trust() -> None:
    """Make the lists of issuers whose certificates gates believe."""


trust.add_command(health_cards)
trust.add_command(revoked_cards)
trust.add_command(csca)
trust.add_command(dsc)
trust.add_command(slices)
trust.add_command(batches)
