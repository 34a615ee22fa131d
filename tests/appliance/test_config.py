"""A configuration is either used as it was meant, or refused with the key and what to do."""

from __future__ import annotations

import contextlib
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.hours import Hours
from admission.site import Demands, Direction, StalePolicy
from appliance.camera_table import CameraSourceTable
from appliance.config import load_config, parse_config, site_of
from appliance.errors import ConfigError
from appliance.site_table import hours_of, reset_from
from appliance.wedge_table import WedgeSourceTable
from scanner.wedge.layouts import LayoutName
from scanner.wedge.settings import WedgeEnd
from tests.worlds import ROOT

SHIPPED = sorted((ROOT / "configs").glob("*.toml"))
TEXT = """
[site]
id = "s"
name = "S"
place = "supermarket"
district = "d"
directive = 15
rulebook = "rules.json"
[appliance]
device = "gate"
state_dir = "state"
[hub]
url = "http://127.0.0.1:9000"
root_file = "/keys/root.json"
hash_key_file = "hash.key"
[[lane]]
name = "in"
sources = [{kind = "camera", name = "cam", device = "/dev/video0"}]
bridge = {kind = "screen_only"}
"""


def tree() -> dict[str, Any]:
    return tomllib.loads(TEXT)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_configurations_load(path: Path) -> None:
    config = load_config(path)
    assert Path(config.site.rulebook).is_file()
    assert site_of(config).timezone.utcoffset(None) is None


def test_three_are_shipped() -> None:
    assert {p.stem for p in SHIPPED} >= {"kiosk", "supermarket", "factory"}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_every_line_that_sets_a_key_for_the_first_time_is_explained(path: Path) -> None:
    """A technician reads these files instead of a manual."""
    lines = path.read_text().splitlines()
    assert sum("#" in line for line in lines) > len([x for x in lines if " = " in x]) / 2


def test_paths_are_taken_from_the_files_folder(tmp_path: Path) -> None:
    config = parse_config(tree(), tmp_path / "gate.toml")
    assert config.site.rulebook == str(tmp_path / "rules.json")
    assert config.appliance.state_dir == str(tmp_path / "state")
    assert config.hub.root_file == "/keys/root.json"
    source = config.lane[0].sources[0]
    assert isinstance(source, CameraSourceTable)
    assert source.device == "/dev/video0"


def _without_site_id(t: dict[str, Any]) -> None:
    del t["site"]["id"]


def _typo(t: dict[str, Any]) -> None:
    t["site"]["directve"] = 16


def _typo_in_a_source(t: dict[str, Any]) -> None:
    t["lane"][0]["sources"][0]["devcie"] = "x"


def _unknown_kind(t: dict[str, Any]) -> None:
    t["lane"][0]["sources"][0]["kind"] = "lidar"


def _no_lane(t: dict[str, Any]) -> None:
    t["lane"] = []


def _same_name(t: dict[str, Any]) -> None:
    t["lane"] *= 2


def _zone(t: dict[str, Any]) -> None:
    t["site"]["timezone"] = "Asia/Sai_Gon_Express"


def _site(**keys: Any) -> Any:
    return lambda t: t["site"].update(keys)


def _sideways(t: dict[str, Any]) -> None:
    t["lane"][0]["direction"] = "sideways"


def _url(t: dict[str, Any]) -> None:
    t["hub"]["url"] = "ftp://hub"


def _without_people(t: dict[str, Any]) -> None:
    t["hub"]["leave_out"] = ["persons"]


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (_without_site_id, "id"),
        (_typo, "site.directve"),
        (_typo_in_a_source, "lane[0].sources[0].devcie"),
        (_unknown_kind, "lidar"),
        (_no_lane, "lane"),
        (_without_people, "persons"),
        (_same_name, "used twice"),
        (_zone, "time zone"),
        (_site(reset_at="4 o'clock"), "site.reset_at"),
        (_site(reset_at=4), "site.reset_at"),
        (_site(hours=["8-21"]), "site.hours"),
        (_site(hours="08:00-21:00"), "site.hours"),
        (_site(hours=["08:00-21:00 mon-sunday"]), "'mon-sunday'"),
        (_site(stale="admit"), "site.stale"),
        (_site(capacity=0), "site.capacity"),
        (_site(capacity=50), "nobody would ever leave"),
        (_site(headcount=50, roster=True), "nobody would ever leave"),
        (_site(headcount=50), "site.headcount"),
        (_site(anti_passback_s=-1), "site.anti_passback_s"),
        (_site(test_max_age_h=0), "site.test_max_age_h"),
        (_site(capacty=50), "site.capacty"),
        (_sideways, "direction"),
        (_url, "url"),
    ],
)
def test_faults_are_named_with_a_hint(spoil: Any, named: str) -> None:
    spoiled = tree()
    spoil(spoiled)
    with pytest.raises(ConfigError) as caught:
        parse_config(spoiled, Path("gate.toml"))
    assert named in str(caught.value)
    assert caught.value.hint


def test_a_typo_brings_the_right_spelling() -> None:
    spoiled = tree()
    _typo(spoiled)
    with pytest.raises(ConfigError) as caught:
        parse_config(spoiled, Path("gate.toml"))
    assert "'directive'" in caught.value.hint


@pytest.mark.parametrize("content", [b"[site", b"\xff\xfe", b"\x00" * 10, b"a" * (1 << 21)])
def test_hostile_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "gate.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError):
        load_config(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml"):
        load_config(tmp_path / "gone.toml")


def test_a_wedge_has_a_us_keyboard_and_ends_with_enter_unless_told_otherwise() -> None:
    changed = tree()
    changed["lane"][0]["sources"] = [{"kind": "wedge", "name": "hand", "device": "/dev/input/x"}]
    (source,) = parse_config(changed, Path("gate.toml")).lane[0].sources
    assert source == WedgeSourceTable("hand", "/dev/input/x", LayoutName.US, WedgeEnd.ENTER, 0.25)


@pytest.mark.parametrize(
    ("key", "known"), [("layout", "us, de, fr"), ("line_end", "enter, tab, none")]
)
def test_an_unknown_word_of_a_wedge_is_refused_with_the_known_ones(key: str, known: str) -> None:
    changed = tree()
    changed["lane"][0]["sources"] = [{"kind": "wedge", "name": "h", "device": "/d", key: "vn"}]
    with pytest.raises(ConfigError) as caught:
        parse_config(changed, Path("gate.toml"))
    assert key in str(caught.value)
    assert known in caught.value.hint


def test_an_unknown_symbology_is_refused_with_the_known_ones() -> None:
    path = ROOT / "configs" / "supermarket.toml"
    tree = tomllib.loads(path.read_text())
    tree["lane"][0]["sources"][0]["symbologies"] = ["qr_code", "ean_13"]
    with pytest.raises(ConfigError) as caught:
        parse_config(tree, path)
    assert "data_matrix" in caught.value.hint


def test_what_a_site_asks_for_reaches_the_law(tmp_path: Path) -> None:
    wanted = tree()
    wanted["site"] |= {
        "district_code": 760,
        "capacity": 50,
        "headcount": 20,
        "anti_passback_s": 600,
        "reset_at": "05:30",
        "declaration_max_age_h": 72,
        "test_max_age_h": 48,
        "permit": True,
        "roster": True,
        "essential": True,
        "hours": ["08:00-21:00 mon-sat", "22:00-24:00 sun"],
        "stale": "roster_only",
    }
    wanted["lane"].append({**wanted["lane"][0], "name": "out", "direction": "out"})
    wanted["lane"][1]["sources"] = [{"kind": "keypad", "name": "pad", "device": "/dev/pad"}]
    config = parse_config(wanted, tmp_path / "gate.toml")
    site = site_of(config)
    assert (site.district_code, site.stale) == (760, StalePolicy.ROSTER_ONLY)
    assert site.demands == Demands(
        declaration_max_age_h=72,
        test_max_age_h=48,
        permit=True,
        roster=True,
        essential=True,
        capacity=50,
        headcount=20,
        anti_passback_s=600,
        hours=(Hours(480, 1260, 0b011_1111), Hours(1320, 1440, 0b100_0000)),
    )
    assert [lane.direction for lane in config.lane] == [Direction.IN, Direction.OUT]
    assert reset_from(config.site).minute == 330


@pytest.mark.parametrize(
    ("text", "weekdays"),
    [("mon", 1), ("sat-mon", 0b110_0001), ("mon-sun", 127), ("tue,thu-fri", 0b001_1010)],
)
def test_days_of_the_week(text: str, weekdays: int) -> None:
    assert hours_of(f"08:00-12:00 {text}").weekdays == weekdays


@given(st.text(alphabet="0123456789:- ,monstuewdfra", max_size=30))
def test_hours_are_read_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert 0 < hours_of(text).weekdays <= 127


@pytest.mark.parametrize("text", ["08:00-21:00 ", "24:00-08:00", "8:00-21:00", "08:00-21:60", ""])
def test_what_states_no_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no hours"):
        hours_of(text)


@pytest.mark.parametrize(
    ("table", "hint"),
    [
        ({"timeout_ms": 5}, "milliseconds"),
        ({"when_unavailable": "open"}, "hold, admit"),
        ({"budget_mib": 1}, "mebibytes"),
        ({"keep_days": {"scans": 0}}, "never removed"),
        ({"remember": "always"}, "until_power_off"),
    ],
)
def test_values_of_the_journal_that_mean_nothing_are_told_what_they_may_be(
    tmp_path: Path, table: dict[str, object], hint: str
) -> None:
    given = tree() | {"journal": table}
    with pytest.raises(ConfigError) as caught:
        parse_config(given, tmp_path / "gate.toml")
    assert hint in caught.value.hint
