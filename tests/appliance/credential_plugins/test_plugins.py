"""Protects a gate from its plug-ins: whatever one of them does, the scan and the others go on.

Each test starts the real process and finds its plug-ins by their entry points.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from admission.backoff import Backoff
from admission.credential import Credential, CredentialKind, Holder
from admission.identity import Identifier, IdentifierKind
from admission.reading import MAX_TEXT_LENGTH
from appliance.credential_plugins.plugins import (
    CredentialPlugins,
    PluginLimits,
    installed_plugins,
    worker_environment,
)
from tests.appliance.credential_plugins.installing import install
from tests.worlds import ROOT

READY_S = 60
CODE = "XDECL1;111111;001087029317;NGUYEN VAN A;1987-01-18"
GOOD = '''
from admission.credential import Credential, CredentialKind
from admission.identity import Identifier, IdentifierKind

def good(text, payload):
    """Knows anything that begins with its mark, once the hostile one has let it."""
    if text.startswith("GOOD"):
        number = Identifier(IdentifierKind.FOREIGN, text[4:] + payload.decode())
        return Credential(CredentialKind.PLUGGED_IN, (number,))
'''
HOSTILE = """
import ctypes, os, sys, time
from admission.credential import Credential, CredentialKind, Holder
from admission.identity import Identifier, IdentifierKind
from appliance.credential_plugins.wire import Message, Step, pack

def raises(): raise RuntimeError("secret of somebody")
def leaves(): sys.exit(3)
def fills():
    return bytearray(1 << 40)
def recurses(): return recurses()
def prints():
    print("noise" * 200_000); sys.stderr.write("noise" * 200_000)
    os.write(1, b"noise" * 100_000)
    return 7
def loops():
    while True: pass
def stalls(): time.sleep(3600)
def ends(): os._exit(0)
def crashes(): ctypes.string_at(0)
def everywhere(data):
    for descriptor in range(3, 64):
        try: os.write(descriptor, data)
        except OSError: pass
def floods(): everywhere(b"\\xff" * 60_000)
def forges():
    data = pack(Message(Step.NOTHING, 10**6))
    everywhere(len(data).to_bytes(4, "big") + data)
def oversized():
    return Credential(CredentialKind.PLUGGED_IN, (Identifier(IdentifierKind.FOREIGN, "1"),) * 10**6)
def pretends():
    return Credential(CredentialKind.PLUGGED_IN, (Identifier(IdentifierKind.TYPED_CODE, "1"),))
def writes():
    with open(__file__ + ".out", "w") as file: file.write("x")
def tells():
    return Credential(CredentialKind.PLUGGED_IN, (), Holder(repr(sorted(os.environ))[:120]))

def hostile(text, payload):
    act = globals().get(text)
    return act() if act else None
"""


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., CredentialPlugins]]:
    open_ones = []

    def start(*names: str, limits: PluginLimits | None = None) -> CredentialPlugins:
        environment = worker_environment()
        environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), environment["PYTHONPATH"]])
        plugins = CredentialPlugins(
            names,
            time.monotonic_ns,
            draw=random.random,
            environment=environment,
            backoff=Backoff(0.001, 0.001),
            limits=limits or PluginLimits(deadline_ms=5_000, total_ms=5_000),
        )
        open_ones.append(plugins)
        plugins.start()
        return plugins

    yield start
    for plugins in open_ones:
        plugins.close()


def example(name: str) -> str:
    """Return a file of the example in the documentation."""
    page = (ROOT / "docs" / "credential-plugins.md").read_text(encoding="utf-8")
    found = re.search(rf"`{re.escape(name)}`:\n\n```\w+\n(.*?)```", page, re.DOTALL)
    assert found is not None
    return found[1]


def is_the_examples_answer(credential: Credential | None) -> bool:
    return credential == Credential(
        CredentialKind.PLUGGED_IN,
        (
            Identifier(IdentifierKind.FOREIGN, "EXAMPLE_DECLARATION/111111"),
            Identifier(IdentifierKind.DOCUMENT, "001087029317"),
        ),
        Holder("NGUYEN VAN A", date(1987, 1, 18)),
        format="example_declaration",
    )


def test_the_example_in_the_documentation_works(
    tmp_path: Path,
    started: Callable[..., CredentialPlugins],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = tomllib.loads(example("pyproject.toml"))["project"]
    entry_points = project["entry-points"]["chot.credentials"]
    module = "chot_example_declaration"
    install(tmp_path, module, example(f"{module}.py"), entry_points)
    monkeypatch.syspath_prepend(tmp_path)
    names, unusable = installed_plugins()
    assert (names, unusable) == (["example_declaration"], [])
    plugins = started(*names)
    assert plugins.wait_until_ready(READY_S)
    assert is_the_examples_answer(plugins.ask(CODE, b""))
    for other in ("", "XDECL1;", CODE.replace("-01-18", "-02-30"), CODE.replace("17;", "1é;")):
        assert plugins.ask(other, b"") is None
    for strange in ("\ud800", "x" * (MAX_TEXT_LENGTH + 1)):
        assert plugins.ask(strange, b"") is None
    (state,) = plugins.states()
    assert (state.loaded, state.asked, state.found, state.faults) == (True, 5, 1, 0)
    assert plugins.starts == 1


@pytest.mark.slow
def test_the_example_installs_as_the_documentation_says(
    tmp_path: Path, started: Callable[..., CredentialPlugins]
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "chot_example_declaration.py"):
        (source / name).write_text(example(name), encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index"]
    options = ["--no-deps", "--no-build-isolation", "--target", str(tmp_path)]
    subprocess.run([*pip, *options, str(source)], check=True)
    plugins = started("example_declaration")
    assert plugins.wait_until_ready(READY_S)
    assert is_the_examples_answer(plugins.ask(CODE, b""))


@pytest.fixture
def two(tmp_path: Path, started: Callable[..., CredentialPlugins]) -> CredentialPlugins:
    """Give a hostile plug-in, and a good one that is asked after it."""
    install(tmp_path, "hostile_module", HOSTILE, {"a_hostile": "hostile_module:hostile"})
    install(tmp_path, "good_module", GOOD, {"good": "good_module:good"})
    plugins = started("a_hostile", "good")
    assert plugins.wait_until_ready(READY_S)
    return plugins


def is_good(credential: Credential | None) -> bool:
    number = Identifier(IdentifierKind.FOREIGN, "GOOD/17")
    return credential == Credential(CredentialKind.PLUGGED_IN, (number,), format="good")


def test_faults_within_a_plugin_leave_the_process_and_the_others_alone(
    two: CredentialPlugins, tmp_path: Path
) -> None:
    acts = ["raises", "leaves", "fills", "recurses", "prints", "oversized", "pretends", "writes"]
    for act in acts:
        assert two.ask(act, b"") is None, act
        assert is_good(two.ask("GOOD1", b"7")), act
    told = two.ask("tells", b"")
    assert told is not None
    assert told.holder is not None
    assert set(re.findall(r"\w+", told.holder.name)) <= {
        *("LANG", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH")
    }
    hostile, good = two.states()
    assert (hostile.faults, hostile.found, hostile.timeouts, hostile.deaths) == (8, 1, 0, 0)
    assert (good.faults, good.found) == (0, 8)
    assert two.starts == 1
    assert (tmp_path / "hostile_module.py.out").read_bytes() == b""


@pytest.mark.parametrize("act", ["loops", "ends", "crashes", "floods", "forges"])
def test_a_process_that_dies_or_hangs_is_replaced(two: CredentialPlugins, act: str) -> None:
    patient, hasty = two._limits, PluginLimits(deadline_ms=100, total_ms=100)
    two._limits = hasty if act == "loops" else patient
    assert two.ask(act, b"") is None
    two._limits = patient
    assert two.wait_until_ready(READY_S)
    assert is_good(two.ask("GOOD1", b"7"))
    hostile, good = two.states()
    assert (hostile.timeouts, hostile.deaths) == ((1, 0) if act == "loops" else (0, 1))
    assert (good.timeouts, good.deaths) == (0, 0)
    assert two.starts == 2


def test_a_plugin_that_breaks_often_rests_and_the_others_go_on(
    tmp_path: Path, started: Callable[..., CredentialPlugins]
) -> None:
    install(tmp_path, "hostile_module", HOSTILE, {"a_hostile": "hostile_module:hostile"})
    install(tmp_path, "good_module", GOOD, {"good": "good_module:good"})
    limits = PluginLimits(deadline_ms=5_000, total_ms=5_000, breakdowns=2)
    plugins = started("a_hostile", "good", limits=limits)
    for _ in range(2):
        assert plugins.wait_until_ready(READY_S)
        assert plugins.ask("ends", b"") is None
    assert plugins.wait_until_ready(READY_S)
    assert plugins.ask("ends", b"") is None  # asked of the good one only
    assert is_good(plugins.ask("GOOD1", b"7"))
    hostile, good = plugins.states()
    assert (hostile.resting, hostile.deaths, good.resting) == (True, 2, False)
    assert plugins.starts == 3


def test_plugins_that_cannot_be_loaded_are_left_out(
    tmp_path: Path, started: Callable[..., CredentialPlugins]
) -> None:
    install(
        tmp_path, "raising_module", "raise SystemExit(1)", {"a_raising": "raising_module:parse"}
    )
    install(tmp_path, "dying_module", "import os; os._exit(1)", {"b_dying": "dying_module:parse"})
    source = "def parse(text, payload): ...\nparse.identifier_kinds = ['typed_code']"
    install(tmp_path, "greedy_module", source, {"c_greedy": "greedy_module:parse"})
    install(tmp_path, "good_module", GOOD, {"good": "good_module:good"})
    plugins = started("a_raising", "b_dying", "c_greedy", "d_missing", "good")
    assert plugins.wait_until_ready(READY_S)
    assert is_good(plugins.ask("GOOD1", b"7"))
    loaded = {state.name: state.loaded for state in plugins.states()}
    assert [name for name, is_loaded in loaded.items() if is_loaded] == ["good"]
    assert plugins.starts == 2


def test_nothing_is_started_where_nothing_is_installed(
    started: Callable[..., CredentialPlugins],
) -> None:
    plugins = started()
    assert plugins.ask("anything", b"") is None
    assert plugins.starts == 0


def test_a_gate_that_closes_does_not_wait_for_a_plugin_that_loads(
    tmp_path: Path, started: Callable[..., CredentialPlugins]
) -> None:
    install(tmp_path, "slow_module", "import time; time.sleep(3600)", {"slow": "slow_module:parse"})
    plugins = started("slow")
    assert plugins.ask("anything", b"") is None
    plugins.close()
    assert not plugins.wait_until_ready(0)


def test_names_that_cannot_be_used_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "one_module", "", {"twice": "one_module:parse", "Upper": "one_module:parse"})
    install(tmp_path, "two_module", "", {"twice": "two_module:parse", "word": "two_module:parse"})
    monkeypatch.syspath_prepend(tmp_path)
    assert installed_plugins() == (["word"], ["Upper", "twice"])
