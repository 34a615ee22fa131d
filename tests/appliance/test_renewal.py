"""A certificate is renewed in time and by the same key; whatever fails leaves the one that is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from appliance.certificates import load_certificate, pem
from appliance.identity import IdentityFiles, identity_of
from appliance.identity_metrics import IdentityMetrics
from appliance.renewal import Renewal
from hub.authority import Authority, create_authority, load_authority
from hub.store.enrolment import IssuedCertificate
from tests.hub.enrolments import KEY, NAMES, World, a_world
from tests.worlds import ManualClock

DAY_S = 86_400.0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("keys")
    create_authority(folder, ManualClock().now())
    return load_authority(folder)


class Gate:
    """An enrolled gate and the hub that it asks."""

    def __init__(self, world: World, files: IdentityFiles) -> None:
        assert isinstance(world.clock, ManualClock)
        self.clock, self.world, self.files = world.clock, world, files
        self.slept: list[float] = []
        self.renewal = self.asking(world.url)

    def asking(self, url: str) -> Renewal:
        async def one_turn(pause_s: float) -> None:
            self.slept.append(pause_s)
            raise StopAsyncIteration

        return Renewal(
            self.world.session, url, self.files, KEY, self.clock,
            draw=lambda: 0.5, sleep=one_turn,
        )  # fmt: skip

    async def turn(self, days: float = 0) -> None:
        """Let days go by, and the task look once."""
        self.clock.advance(days * DAY_S)
        with pytest.raises(StopAsyncIteration):
            await self.renewal.run()

    @property
    def why(self) -> str:
        finding = self.renewal.finding()
        assert finding.ok is not bool(finding.why)
        return finding.why

    @property
    def until(self) -> str:
        held = load_certificate(self.files.certificate)
        assert held is not None
        return held.ends.date().isoformat()


@pytest.fixture
async def gate(authority: Authority, tmp_path: Path) -> AsyncIterator[Gate]:
    files = identity_of(tmp_path)
    files.folder.mkdir()
    async with a_world(authority, ManualClock()) as world:
        await world.post("/.well-known/est/simpleenroll")
        await world.approve_all()
        issued = await world.store.newest_certificate(KEY.public_key().public_bytes_raw())
        assert isinstance(issued, IssuedCertificate)
        files.authority.write_bytes(pem(authority.certificate))
        files.certificate.write_bytes(pem(x509.load_der_x509_certificate(issued.der)))
        yield Gate(world, files)


async def test_it_asks_at_half_life_and_a_little_later(gate: Gate) -> None:
    await gate.turn(44)
    await gate.turn(2)
    assert gate.until == "2021-12-19", "gates spread: this one waits two more days"
    await gate.turn(2)
    assert gate.until == "2022-02-05"
    assert gate.renewal.finding().facts == {
        "enrolled": True, "device": NAMES.device, "until": "2022-02-05",
    }  # fmt: skip
    assert not gate.why
    (gauge,) = IdentityMetrics(gate.renewal).collect()
    assert gauge.samples[0].value == datetime(2022, 2, 5, 1, tzinfo=UTC).timestamp()


async def test_after_its_end_a_person_has_to_approve(gate: Gate) -> None:
    await gate.turn(91)
    assert "a person at the hub" in gate.why
    assert gate.until == "2021-12-19"
    assert 0 <= gate.slept[-1] <= 60
    await gate.world.approve_all()
    await gate.turn()
    assert not gate.why
    assert gate.until == "2022-03-20"


async def test_a_denied_gate_says_so_and_keeps_what_it_has(gate: Gate) -> None:
    await gate.world.store.set_denied(NAMES.device, 1)
    await gate.turn(50)
    assert "denied" in gate.why
    assert gate.until == "2021-12-19"
    await gate.world.store.set_denied(NAMES.device, None)
    await gate.turn()
    assert not gate.why


async def test_a_hub_that_is_away_becomes_a_finding_only_near_the_end(gate: Gate) -> None:
    gate.renewal = gate.asking("http://127.0.0.1:1")
    await gate.turn(50)
    assert not gate.why, "there is time"
    await gate.turn(20)
    assert "ends soon" in gate.why
    await gate.turn(21)
    assert "cannot be reached" in gate.why


async def test_of_an_unknown_date_nothing_follows(gate: Gate) -> None:
    gate.clock.trust = type(gate.clock.trust).UNKNOWN
    await gate.turn(400)
    assert not gate.why
    assert gate.until == "2021-12-19"


async def test_without_a_certificate_nothing_is_asked(gate: Gate) -> None:
    gate.files.certificate.unlink()
    await gate.turn(50)
    assert gate.renewal.finding().facts == {"enrolled": False}
    assert list(IdentityMetrics(gate.renewal).collect()) == []
    assert not gate.why


async def test_a_certificate_that_cannot_be_read_is_named(gate: Gate) -> None:
    gate.files.certificate.write_bytes(b"noise")
    await gate.turn()
    assert "device.crt" in gate.why


async def test_another_authority_s_certificate_is_not_kept(gate: Gate, tmp_path: Path) -> None:
    create_authority(tmp_path, gate.clock.now())
    gate.files.authority.write_bytes(pem(load_authority(tmp_path).certificate))
    before = gate.files.certificate.read_bytes()
    await gate.turn(50)
    assert gate.files.certificate.read_bytes() == before
