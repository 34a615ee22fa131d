"""One lane's judgement: what a reading says, what is known of its holder, and the law's answer."""

from __future__ import annotations

from typing import Protocol

import msgspec

from admission.attempts import Attempts, guessable
from admission.credential import UNRECOGNISED, Credential, CredentialKind, Signature
from admission.decide import decide
from admission.instant import Instant
from admission.law import Law
from admission.passage import Passage, digest_of, passage
from admission.people import Token
from admission.ports import Book
from admission.reading import Reading, Symbology
from admission.repeat import UsedOnce
from admission.site import Direction, Site
from admission.standing import Lookup, Standing
from admission.verdict import Alert, Outcome, Reason, Verdict
from admission.zone import Zone

FAULT = Verdict(Outcome.REFER, (Reason.FAULT,))
LAW_UNREAD = Verdict(Outcome.REFER, (Reason.NO_RULE,))
NOTHING_LOOKED_UP = Standing(Lookup.NOTHING_TO_LOOK_UP)


class LawSource(Protocol):
    """Where the law of the moment comes from."""

    @property
    def law(self) -> Law:
        """The law in force now, as one value: a reading is judged by one law alone."""
        ...


class Tokens(Protocol):
    """Gives the pseudonyms by which people are told apart here."""

    def token(self, person: int | None, digest: bytes, now: Instant) -> Token:
        """Return the token of a person; of a code of this digest where nobody is known by it."""
        ...


class Judgement(msgspec.Struct, frozen=True):
    """What one reading says, what is known of it, and the answer under the rules of that moment.

    `token` is whom a passage would be of, None for a code that is nobody's. `first_use` says that
    this presentation is the first of a code that counts once. `error` is what kept the judge from
    an answer of the law.
    """

    site: Site
    rulebook: str
    credential: Credential = UNRECOGNISED
    standing: Standing = NOTHING_LOOKED_UP
    verdict: Verdict = FAULT
    token: Token | None = None
    first_use: bool = False
    error: Exception | None = None

    @property
    def worker(self) -> bool:
        """Whether the person is on this site's roster."""
        return self.standing.roster is not None


class Judge:
    """The judge of one lane. No clock of its own, and nothing in it waits.

    :param zone: shared by all lanes of the appliance; so is `used`.
    """

    def __init__(
        self,
        lane: str,
        site: Site,
        *,
        law: LawSource,
        book: Book,
        zone: Zone,
        used: UsedOnce,
        tokens: Tokens,
        direction: Direction,
        digest_key: bytes,
        attempts: Attempts | None = None,
    ) -> None:
        self.direction = direction
        self._lane = lane
        self._site = site
        self._law = law
        self._book = book
        self._zone = zone
        self._used = used
        self._tokens = tokens
        self._digest_key = digest_key
        self._attempts = attempts or Attempts()

    def judge(self, reading: Reading, now: Instant) -> Judgement:
        """Return the judgement. Never raises: what failed stands in it, with REFER.

        A code that counts once is used up by this; `settle` gives it back if nobody passed.
        """
        so_far = Judgement(self._site, "")
        try:
            law = self._law.law
            site = law.site_at(self._site, now)
            rulebook = law.rulebook_at(site, now)
            so_far = Judgement(site, rulebook.label)
            credential = law.read(reading, now)
            held_off = self._held_off(reading, credential, now)
            standing = NOTHING_LOOKED_UP
            if not held_off:
                standing = self._book.standing_of(
                    credential, now, permits=rulebook.needs(site).permit
                )
            token = self._token(reading, credential, standing, now)
            so_far = Judgement(site, so_far.rulebook, credential, standing, token=token)
            first_use = self._use(credential)
            if first_use:
                so_far = msgspec.structs.replace(so_far, first_use=True)
            here = self._zone.presence_of(
                token, self.direction, now, used=first_use is False, held_off=held_off
            )
            verdict = decide(credential, standing, rulebook, site, now, here)
            if self._admits_by_half_a_law(law, verdict):
                verdict = LAW_UNREAD
        except Exception as error:  # noqa: BLE001 - whatever fails here, a person stands in front
            return msgspec.structs.replace(so_far, error=error)
        return msgspec.structs.replace(so_far, verdict=self._counted(so_far, verdict, now))

    def entry(self, reading: Reading, judgement: Judgement, now: Instant) -> Passage:
        """Return the journal's entry of a judgement."""
        return passage(
            reading,
            judgement.credential,
            judgement.standing,
            judgement.verdict,
            now,
            site=judgement.site,
            lane=self._lane,
            rulebook=judgement.rulebook,
            digest_key=self._digest_key,
            direction=self.direction,
            token=judgement.token,
        )

    def give_back(self, judgement: Judgement) -> None:
        """Let a code that counts once be shown again: its holder was not let pass."""
        if judgement.first_use:
            self._used.give_back(judgement.credential.once)

    def _admits_by_half_a_law(self, law: Law, verdict: Verdict) -> bool:
        """Whether somebody would enter by rules of which the gate could not read all."""
        enters = verdict.outcome is Outcome.ADMIT and self.direction is Direction.IN
        return enters and not law.whole

    def _held_off(self, reading: Reading, credential: Credential, now: Instant) -> bool:
        """Whether this is a number, right or mistyped, in a lane that takes none for now."""
        mistyped = (
            credential.kind is CredentialKind.UNRECOGNISED and reading.symbology is Symbology.TYPED
        )
        number = mistyped or guessable(credential)
        return number and self._attempts.held_off(now.monotonic_ns)

    def _counted(self, so_far: Judgement, verdict: Verdict, now: Instant) -> Verdict:
        """Count a number that nobody has, and tell the officer when it was one too many."""
        wrong = so_far.standing.lookup is Lookup.NOT_FOUND and guessable(so_far.credential)
        if wrong and self._attempts.wrong(now.monotonic_ns):
            return msgspec.structs.replace(verdict, alerts=(*verdict.alerts, Alert.GUESSING))
        return verdict

    def _token(
        self, reading: Reading, credential: Credential, standing: Standing, now: Instant
    ) -> Token | None:
        if standing.person is not None:
            return self._tokens.token(standing.person, b"", now)
        if credential.kind is CredentialKind.UNRECOGNISED:
            return None
        return self._tokens.token(None, digest_of(reading, credential, self._digest_key), now)

    def _use(self, credential: Credential) -> bool | None:
        """Use up a code that counts once; None for any other, and for one that proves nothing."""
        proof = credential.proof
        if not credential.once or proof is None or proof.signature is not Signature.VALID:
            return None
        return self._used.use(credential.once, proof.expires_ns or 0)
