"""What the hub learns reaches a running gate: people, permits, passes, orders, rulebooks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.end_to_end.running import RunningGate, RunningHub, command, until
from tests.worlds import ROOT

Site = tuple[RunningHub, RunningGate]
DOCUMENT, TYPED = "000190000001", "57213004864"
CODE = f"{DOCUMENT}|NGUYEN VAN AN|1990-02-28|0||"


def csv(path: Path, **cells: str) -> str:
    path.write_text(",".join(cells) + "\n" + ",".join(cells.values()) + "\n")
    return str(path)


@pytest.mark.slow
def test_what_the_hub_learns_counts_at_the_gate_without_a_restart(
    site: Site, tmp_path: Path
) -> None:
    hub, gate = site
    data = ("--data", str(hub.folder))
    now = datetime.now(UTC)

    def tell(*arguments: str) -> None:
        command("hub", *arguments)

    gate.comes_to_answer(CODE, "no_record")
    dosed = (now - timedelta(days=60)).date().isoformat()
    person = csv(
        tmp_path / "persons.csv",
        document=DOCUMENT, typed_code=TYPED, name="Nguyen Van An", born="1990-02-28",
        doses="2", product="pfizer", last_dose=dosed,
    )  # fmt: skip
    tell("import", "persons", *data, person)
    gate.comes_to_answer(CODE, "card_opens")
    gate.comes_to_answer(TYPED, "card_opens")
    gate.comes_to_answer(f"{DOCUMENT}|NGUYEN VAN BA|1990-02-28|0||", "identity_mismatch")

    hour_ago = (now - timedelta(hours=1)).isoformat(timespec="seconds")
    tell("directive", "set", *data, "--district", "760", "--directive", "16", "--from", hour_ago)
    gate.comes_to_answer(CODE, "permit_needed")
    permit = csv(
        tmp_path / "permits.csv",
        number="GDD-1", document=DOCUMENT, typed_code=TYPED, **{"from": hour_ago},
    )  # fmt: skip
    tell("import", "permits", *data, permit)
    gate.comes_to_answer(CODE, "card_opens")
    tell("withdraw", *data, "permit", "GDD-1")
    gate.comes_to_answer(CODE, "permit_revoked")

    key = tmp_path / "permits.key"
    chot = ("appliance", "pass")
    command(*chot, "key", "--out", str(key), "--name", "Phuong 1")
    issued = json.loads(
        command(
            *chot, "issue", "--key", str(key), "--kind", "permit", "--document", DOCUMENT,
            "--hash-key", str(hub.folder / "keys/hash.key"), "--district", "760", "--json",
        )
    )  # fmt: skip
    gate.comes_to_answer(issued["text"], "issuer_unknown")
    tell("document", "put", *data, "trust/passes", f"{key}.issuers")
    gate.comes_to_answer(issued["text"], "card_opens")
    forged = issued["text"][:-3] + ("000" if issued["text"][-3:] != "000" else "111")
    gate.comes_to_answer(forged, "signature_invalid")
    tell("withdraw", *data, "pass", issued["number"])
    gate.comes_to_answer(issued["text"], "revoked")

    rules = json.loads((ROOT / "configs/rulebooks/hcmc-2021-09.json").read_bytes())
    rules |= {"id": "quan-1", "districts": [760], "requirements": [], "examples": []}
    (tmp_path / "quan-1.json").write_text(json.dumps(rules))
    tell("document", "put", *data, "rulebook/quan-1", str(tmp_path / "quan-1.json"))
    gate.comes_to_answer(CODE, "card_opens")
    assert gate.health()["checks"]["law"]["ok"]
    until(lambda: gate.is_all_at(hub), "every entry at the hub")
