"""Documents, rulebooks and messages that are nearly genuine, and the readers that they go to.

What is read is used too: a trust list that reads must not stop the code that it is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import msgspec

from admission import certlogic, rulebook_format, wire
from admission.acceptance import load_acceptance
from admission.acceptance_format import load_value_sets
from admission.credential import UNRECOGNISED
from admission.decide import decide
from admission.errors import OrdersError, RulebookError, RuleError, WireError
from admission.orders import read_orders
from admission.passage import passage
from admission.rulebook_loading import load_rulebook
from admission.site import Place
from admission.standing import Lookup, Standing
from admission.verdict import Verdict
from tests.admission.situations import CODE, found, site
from tests.admission.test_acceptance import a_rule
from tests.fuzz import enrolment, trust_documents
from tests.fuzz.reader import Reader
from tests.worlds import ROOT, ManualClock, a_reading, a_site

NOW = ManualClock().now()
ORDERS = {
    "format": "chot-orders/1",
    "orders": [
        {"district": 0, "directive": 15, "from": "2021-09-16T00:00:00+07:00"},
        {"district": 760, "directive": 16, "from": "2021-09-16T00:00:00+07:00"},
    ],
}
LOGIC: tuple[Any, ...] = (
    {"if": [{"in": [{"var": "payload.dn"}, [1, 2]]}, {"!": [False]}, {"and": [1, 2]}]},
    {"reduce": [[1, 2], {"+": [{"var": "current"}, {"var": "accumulator"}]}, 0]},
    {
        "after": [
            {"plusTime": [{"var": "payload.dt"}, 14, "day"]},
            {"plusTime": ["2021-09-20T00:00:00Z", -1, "month"]},
        ]
    },
)
VALUE_SETS = ({"dn": ["1", "2"]}, [{"valueSetId": "a", "valueSetValues": {"x": {}}}])


@cache
def readers() -> dict[str, Reader]:
    """Return every reader by name."""
    return {
        **dict(trust_documents.readers()),
        **dict(_law()),
        **dict(_messages()),
        **dict(enrolment.readers()),
    }


def _law() -> Iterator[tuple[str, Reader]]:
    def readable(read: Callable[[bytes], Any], *seeds: Any, error: Any = RulebookError) -> Reader:
        return Reader(read, error, "json", tuple(json.dumps(seed).encode() for seed in seeds))

    rulebook = json.loads((ROOT / "configs" / "rulebooks" / "hcmc-2021-09.json").read_bytes())
    rules = [a_rule(Identifier=f"VR-VN-000{n}", Logic=each) for n, each in enumerate(LOGIC)]
    yield "rulebook", readable(_decided, rulebook)
    yield "rulebook's form", readable(rulebook_format.read, rulebook)
    yield "acceptance rules", readable(load_acceptance, rules)
    yield "value sets", readable(load_value_sets, *VALUE_SETS)
    yield "CertLogic", readable(_evaluated, *LOGIC, error=RuleError)
    yield (
        "orders",
        readable(lambda data: read_orders(data).directive(760, NOW, 15), ORDERS, error=OrdersError),
    )


def _messages() -> Iterator[tuple[str, Reader]]:
    entry = passage(
        a_reading("1"),
        UNRECOGNISED,
        Standing(Lookup.NOT_FOUND),
        Verdict(),
        NOW,
        site=a_site(),
        lane="1",
        rulebook="r",
        digest_key=bytes(16),
    )
    packed = wire.pack_passage(entry)
    yield "passage", Reader(wire.unpack_passage, WireError, "msgpack", (packed,))


def _decided(data: bytes) -> Any:
    rulebook = load_rulebook(data)
    return [decide(CODE, found(), rulebook, site(place, 16), NOW) for place in Place]


def _evaluated(data: bytes) -> Any:
    try:
        expression = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return certlogic.compile_rule(expression)({"payload": {"dn": 2, "dt": "2021-08-01"}})
