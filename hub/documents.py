"""Documents that gates get, each checked by the gates' own reader before it is taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from admission.acceptance_format import load_value_sets
from admission.credentials.dcc_revocations import read_revocations
from admission.credentials.dcc_signers import read_signers
from admission.credentials.health_card_issuers import read_issuers as read_health_card_issuers
from admission.credentials.pass_issuers import read_issuers as read_pass_issuers
from admission.credentials.vds_nc_authorities import read_authorities
from admission.errors import AdmissionError
from admission.rulebook import Rulebook
from admission.rulebook_examples import run_example
from admission.rulebook_format import read
from admission.rulebook_loading import load_rulebook
from admission.seal_recipient import write_recipient
from cache.replica.head import MAX_DOCUMENT_BYTES, MAX_DOCUMENTS
from cache.replica.names import (
    REVOCATION_DCC,
    RULEBOOK,
    SEAL_JOURNAL,
    TRUST_DCC,
    TRUST_HEALTH_CARDS,
    TRUST_PASSES,
    TRUST_VDS,
    VALUES_DCC,
    rulebook_name,
)
from hub.errors import DocumentError
from hub.seal_keys import SealKeys
from hub.store.registers import OrderStore

READERS: Mapping[str, Callable[[bytes], Any]] = {
    TRUST_DCC: read_signers,
    TRUST_HEALTH_CARDS: read_health_card_issuers,
    TRUST_VDS: read_authorities,
    TRUST_PASSES: read_pass_issuers,
    REVOCATION_DCC: read_revocations,
    VALUES_DCC: load_value_sets,
}
"""By name: who reads the document at a gate."""
NAMES = f"{RULEBOOK}/<id>, {', '.join(READERS)}"


def check(name: str, data: bytes) -> int:
    """Return how many of the document's entries a gate would leave out, if it can use the rest.

    :raises DocumentError: if there is no document of this name, or gates could not use this one.
    """
    if not 0 < len(data) <= MAX_DOCUMENT_BYTES:
        msg = f"a document has 1 to {MAX_DOCUMENT_BYTES:,} bytes, not {len(data):,}"
        raise DocumentError(msg)
    try:
        if name.startswith(f"{RULEBOOK}/"):
            rulebook = load_rulebook(data)
            own = rulebook_name(rulebook.id)
            if own != name:
                msg = f"the rulebook calls itself {own}, not {name}"
                raise DocumentError(msg, hint=f"put it as {own}")
            _check_examples(rulebook, data)
            return 0
        if name not in READERS:
            msg = f"gates know no document {name!r}"
            raise DocumentError(msg, hint=f"one of {NAMES}")
        return len(getattr(READERS[name](data), "refused", ()))
    except AdmissionError as error:
        msg = f"gates could not use this {name}: {error}"
        raise DocumentError(msg, hint=error.hint or "what is in force stays") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = f"gates could not use this {name}: it is no JSON object"
        raise DocumentError(msg, hint="what is in force stays") from error


def _check_examples(rulebook: Rulebook, data: bytes) -> None:
    """Refuse a rulebook that answers otherwise than its own authors worked out.

    :raises DocumentError: if one of its examples does not hold.
    :raises RulebookError: if one is malformed.
    """
    for example in read(data).examples:
        result = run_example(rulebook, example)
        if not result.holds:
            got = f"{result.verdict.outcome}, {result.verdict.reason}, card {result.verdict.card}"
            msg = f"the rulebook's example {example.name!r} does not hold: it gives {got}"
            raise DocumentError(msg, hint="chot rulebook test names every one that does not")


async def put(store: OrderStore, name: str, data: bytes) -> int:
    """Check a document and keep it; return how many of its entries gates leave out.

    :raises DocumentError: as `check`, or if there are as many documents as a head can name.
    :raises StoreError: if the store failed.
    """
    left_out = check(name, data)
    await _keep(store, name, data)
    return left_out


async def put_recipient(store: OrderStore, seals: SealKeys) -> bool:
    """Let gates know whom they seal entries for; return whether that is news.

    :raises DocumentError: if there are as many documents as a head can name.
    :raises StoreError: if the store failed.
    """
    if seals.present is None:
        return False
    data = write_recipient(seals.present.public_key())
    if await store.document(SEAL_JOURNAL) == data:
        return False
    await _keep(store, SEAL_JOURNAL, data)
    return True


async def remove(store: OrderStore, name: str) -> bool:
    """Do away with a document. Return whether there was one.

    :raises DocumentError: if gates would lose by it whom they seal entries for.
    :raises StoreError: if the store failed.
    """
    if name == SEAL_JOURNAL:
        msg = f"{name} is not to be removed: gates would write down nobody any more"
        raise DocumentError(msg, hint="chot hub keys rotate seal replaces the key")
    return await store.remove_document(name)


async def _keep(store: OrderStore, name: str, data: bytes) -> None:
    held = await store.documents()
    # One name is left for the orders.
    if name not in held and len(held) >= MAX_DOCUMENTS - 1:
        msg = f"there are {len(held)} documents already"
        raise DocumentError(msg, hint="remove one: chot hub document list, remove")
    await store.put_document(name, data)
