"""Countries' business rules for EU Digital COVID Certificates, used as they are published.

A rule is the JSON object of the DCC gateway's schema (`validation-rule.schema.json`), its `Logic`
CertLogic. Which rules apply and what their results mean is as in the EU's own verifiers
(dgc-business-rules, 'Validation rules'; dgca-certlogic):

- Of each identifier the newest version that is valid at the moment counts.
- General rules apply to every certificate, the others to their type.
- Acceptance rules say what the accepting country asks. Invalidation rules are the issuing
  country's, and apply to the certificates that it issued.
- Every rule that applies must be true. One that is false is not fulfilled; one that cannot be
  evaluated, or is for a newer schema than the certificate's, is open: an officer decides.

Rules are checked and compiled at load; a bad one stops the load and is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from admission import certlogic
from admission.acceptance_format import (
    CertificateType,
    Description,
    RuleForm,
    Version,
    json_list,
    version,
)
from admission.certlogic import Rule
from admission.credential import Evidence
from admission.errors import RulebookError, RuleError
from admission.instant import Instant
from admission.verdict import Text

MAX_RULES = 512
MAX_RULE_STEPS = 5_000
"""Steps of one rule. The EU's largest takes about 2,000, in a `reduce`."""
ENGINE_VERSION = (1, 3, 3)
"""The CertLogic that `certlogic` implements: rules for a newer one cannot be used."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_S = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)
_LAST_S = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)


_TYPE_OF = {
    Evidence.VACCINATION: CertificateType.VACCINATION,
    Evidence.TEST: CertificateType.TEST,
    Evidence.RECOVERY: CertificateType.RECOVERY,
}


class Fulfilled(msgspec.Struct, frozen=True, gc=False):
    """Every rule that applies is true."""


class Failed(msgspec.Struct, frozen=True, gc=False):
    """A rule is not fulfilled: the first one, in the order of the rules. `text` is what it says."""

    rule: str
    text: Text


class Open(msgspec.Struct, frozen=True, gc=False):
    """None is false, but these could not be evaluated; without any, no rule applies at all."""

    rules: tuple[str, ...] = ()


Judgement = Fulfilled | Failed | Open


class AcceptanceRule(msgspec.Struct, frozen=True):
    """One compiled rule. It counts from `from_ns` through `until_ns`, ns since the Unix epoch."""

    identifier: str
    version: Version
    schema_version: Version
    country: str
    region: str
    certificate_type: CertificateType
    issuers_own: bool
    from_ns: int
    until_ns: int
    text: Text
    rule: Rule


class Acceptance(msgspec.Struct, frozen=True):
    """The rules of a document, compiled. `load_acceptance` makes it."""

    rules: tuple[AcceptanceRule, ...]

    def judge(
        self,
        certificate: Any,
        evidence: Evidence,
        now: Instant,
        value_sets: Mapping[str, Sequence[str]],
        *,
        issuer: str = "",
        region: str = "",
        issued_ns: int | None = None,
        expires_ns: int | None = None,
    ) -> Judgement:
        """Return whether the rules accept a genuine certificate at a moment. Never raises.

        :param certificate: its own JSON, the rules' `payload`.
        :param value_sets: lists of codes by name (`acceptance_format.load_value_sets`).
        :param issuer: country that issued it, two letters: its Invalidation rules apply too.
        :param region: region of the accepting country, whose own rules apply besides the others.
        :param issued_ns: when it was issued, `external.iat`; None = not known.
        :param expires_ns: when it ends, `external.exp`; None = not known.
        """
        external: dict[str, Any] = {
            "validationClock": _text_of(now.wall_ns),
            "valueSets": value_sets,
            "issuerCountryCode": issuer,
        }
        if issued_ns is not None:
            external["iat"] = _text_of(issued_ns)
        if expires_ns is not None:
            external["exp"] = _text_of(expires_ns)
        schema = _schema_of(certificate)
        left_open: list[str] = []
        applying = self.applying(evidence, now, issuer=issuer, region=region)
        for rule in applying:
            external["countryCode"] = rule.country
            fulfilled = _fulfilled(rule, schema, {"payload": certificate, "external": external})
            if fulfilled is False:
                return Failed(rule.identifier, rule.text)
            if fulfilled is None:
                left_open.append(rule.identifier)
        return Fulfilled() if applying and not left_open else Open(tuple(left_open))

    def applying(
        self, evidence: Evidence, now: Instant, *, issuer: str = "", region: str = ""
    ) -> tuple[AcceptanceRule, ...]:
        """Return the rules that apply to a certificate, in the order of the document."""
        types = {CertificateType.GENERAL, _TYPE_OF[evidence]}
        newest: dict[str, AcceptanceRule] = {}
        for rule in self.rules:
            applies = (
                rule.certificate_type in types
                and rule.from_ns <= now.wall_ns <= rule.until_ns
                and rule.region in ("", region)
                and (not rule.issuers_own or rule.country == issuer)
            )
            known = newest.get(rule.identifier)
            if applies and (known is None or rule.version > known.version):
                newest[rule.identifier] = rule
        return tuple(newest.values())


def load_acceptance(rules: bytes | Sequence[Any]) -> Acceptance:
    """Return the rules of a JSON array, or of the objects in it, each checked and compiled.

    :raises RulebookError: if one is malformed, is for a newer engine, cannot be compiled, or stands
        twice in one version; the message names it.
    """
    listed = json_list(rules) if isinstance(rules, bytes) else list(rules)
    if len(listed) > MAX_RULES:
        msg = f"{len(listed)} acceptance rules are over the limit of {MAX_RULES}"
        raise RulebookError(msg, hint="leave out rules whose time is over")
    compiled = [_compiled(content, i) for i, content in enumerate(listed)]
    names = [(rule.identifier, rule.version) for rule in compiled]
    for name in names:
        if names.count(name) > 1:
            msg = f"the acceptance rule {name[0]} stands twice in one version"
            raise RulebookError(msg, hint="a changed rule has a higher version")
    return Acceptance(tuple(compiled))


def _fulfilled(rule: AcceptanceRule, schema: Version | None, data: Any) -> bool | None:
    if schema is not None and (schema[0] != rule.schema_version[0] or schema < rule.schema_version):
        return None
    try:
        result = rule.rule(data)
    except RuleError:
        return None
    return result if isinstance(result, bool) else None


def _schema_of(certificate: Any) -> Version | None:
    """Return the version of a certificate's schema, None for one that states none."""
    stated = certificate.get("ver") if isinstance(certificate, dict) else None
    try:
        return version(stated) if isinstance(stated, str) else None
    except RuleError:
        return None


def _compiled(content: Any, at: int) -> AcceptanceRule:
    name = content.get("Identifier") if isinstance(content, dict) else None
    called = repr(name[:32]) if isinstance(name, str) else f"number {at + 1}"
    try:
        form = msgspec.convert(content, RuleForm)
        return AcceptanceRule(
            identifier=form.identifier,
            version=version(form.version),
            schema_version=version(form.schema_version),
            country=form.country,
            region=form.region,
            certificate_type=form.certificate_type,
            issuers_own=form.type == "Invalidation",
            from_ns=_ns(form.valid_from),
            until_ns=_ns(form.valid_to),
            text=_text(form.description),
            rule=_rule(form),
        )
    except (msgspec.ValidationError, RuleError) as error:
        msg = f"the acceptance rule {called} is wrong: {error}"
        raise RulebookError(msg, hint="its form is the EU's validation-rule.schema.json") from error


def _rule(form: RuleForm) -> Rule:
    if version(form.engine_version) > ENGINE_VERSION:
        msg = f"it is for CertLogic {form.engine_version}, newer than {ENGINE_VERSION}"
        raise RuleError(msg)
    return certlogic.compile_rule(form.logic, MAX_RULE_STEPS)


def _text(descriptions: Iterable[Description]) -> Text:
    """Return what a rule says in Vietnamese and English, English or the first one standing in."""
    by_language = {each.lang.lower()[:2]: each.desc for each in reversed(list(descriptions))}
    english = by_language.get("en") or list(by_language.values())[-1]
    return Text(by_language.get("vi", english), english)


def _ns(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise RuleError("a time of its validity has no offset")
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000


def _text_of(wall_ns: int) -> str:
    """Return the moment as RFC 3339 has it, one beyond the calendar as the calendar's end."""
    moment = _EPOCH + timedelta(seconds=min(max(wall_ns // 1_000_000_000, _FIRST_S), _LAST_S))
    return moment.isoformat().replace("+00:00", "Z")
