"""Protects the strict check of a DCC's payload: every clause of the schemas, version by version."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credentials.dcc_schema import is_valid
from tests.admission.credentials.dcc_codes import person, recovery, test, vaccination
from tests.admission.credentials.test_dcc_payload import ODD

VERSIONS = ("1.0.0", "1.0.1", "1.1.0", "1.2.0", "1.2.1", "1.3.0", "1.3.1", "1.3.2", "1.3.3")
LONG, TOO_LONG = "A" * 80, "A" * 81


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("make", [vaccination, test, recovery])
def test_a_proper_payload_is_valid_and_every_field_of_it_is_needed(make: Any, version: str) -> None:
    payload = {**make(), "ver": version}
    assert is_valid(payload)
    for missing in ("ver", "nam", "dob"):
        assert not is_valid({key: value for key, value in payload.items() if key != missing})
    group = next(key for key in "vtr" if key in payload)
    optional = {"nm", "ma"} | ({"tc"} if version >= "1.3" else set())
    for field in payload[group][0]:
        entry = {key: value for key, value in payload[group][0].items() if key != field}
        assert is_valid({**payload, group: [entry]}) == (group == "t" and field in optional)
        odd: tuple[Any, ...] = (None, [], {}, b"x")
        for value in odd:
            assert not is_valid({**payload, group: [{**payload[group][0], field: value}]})


@pytest.mark.parametrize(
    ("change", "since"),
    [
        ({"dob": "1987"}, "1.1.0"),
        ({"dob": "1987-01"}, "1.1.0"),
        ({"dob": ""}, "1.3.0"),
        ({"dob": "on 1987-01-18"}, "until 1.1.0"),
        ({"dob": "1987-1-18"}, "never"),
        ({"dob": "1887-01-18"}, "never"),
        ({"dob": "1987-01-18\n"}, "until 1.1.0"),
        ({"nam": {"fnt": LONG}}, "1.3.0"),
        ({"nam": {"fnt": TOO_LONG}}, "never"),
        ({"nam": {"fnt": "NGUYEN VAN"}}, "never"),
        ({"nam": {"gnt": "AN"}}, "1.3.2"),
        ({"nam": {"fn": "Nguyễn"}}, "never"),
        ({"nam": {"fnt": "NGUYEN", "gn": None}}, "never"),
        ({"nam": []}, "never"),
        ({"ver": "1.3"}, "never"),
        ({"ver": 1.3}, "never"),
        ({"v": []}, "never"),
        ({"v": None}, "never"),
        ({"v": [{}]}, "never"),
        ({"t": None}, "never"),
        ({"r": []}, "never"),
        ({"extra": 1}, "1.0.0"),
        (vaccination(dn=0), "never"),
        (vaccination(dn=-1), "never"),
        (vaccination(dn=10), "1.3.0"),
        (vaccination(dn=2.0), "1.0.0"),
        (vaccination(dn=2.5), "never"),
        (vaccination(sd=True), "never"),
        (vaccination(sd="2"), "never"),
        (vaccination(dt="2021-08-01T10:00:00Z"), "1.0.0"),
        (vaccination(mp="anything"), "1.0.0"),
        (vaccination(co="vn"), "never"),
        (vaccination(**{"is": LONG}), "1.3.0"),
        (vaccination(ci=TOO_LONG), "never"),
        (person(v=vaccination()["v"] * 2), "never"),
    ],
)
def test_what_changed_between_the_versions(change: dict[str, Any], since: str) -> None:
    for version in VERSIONS:
        payload = {**vaccination(), **change}
        payload = {**payload, "ver": change["ver"] if set(change) == {"ver"} else version}
        if since.startswith("until"):
            expected = version < since.removeprefix("until ")
        else:
            expected = since != "never" and version >= since
        assert is_valid(payload) == expected, version


def test_two_groups_are_refused_and_a_version_between_counts_as_the_one_before() -> None:
    assert not is_valid({**vaccination(), **recovery()})
    assert is_valid({**vaccination(), "ver": "1.0.4"})
    assert not is_valid({**vaccination(), "ver": "1.0.4", "dob": "1987"})
    assert is_valid({**test(tc=None), "ver": "1.4.0"})
    assert not is_valid({**test(dr=7), "ver": "1.1.0"})
    assert is_valid({**test(dr=7), "ver": "1.2.0"})
    assert not is_valid({**test(nm=LONG + "A"), "ver": "1.3.0"})
    assert is_valid({**test(nm=LONG + "A"), "ver": "1.2.1"})


@given(ODD, st.sampled_from(["ver", "nam", "dob", "v"]))
def test_no_payload_raises(value: object, key: str) -> None:
    is_valid(value)
    is_valid({**vaccination(), key: value})
    is_valid(vaccination(dn=value, co=value))
