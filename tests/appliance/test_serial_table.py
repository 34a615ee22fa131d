"""The table of a serial scanner: meant as written, or refused with the key and what to do."""

from __future__ import annotations

import random
import time
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest

from appliance.config import Config, parse_config
from appliance.errors import ConfigError
from appliance.inspection import inspect
from appliance.serial_table import (
    ProfileName,
    SerialSourceTable,
    baud_of,
    contradictions,
    line_settings,
    open_serial,
)
from scanner.serial.framing import LineEnd
from scanner.serial.profiles import PROFILES
from tests.appliance.test_config import TEXT


def config(table: str) -> Config:
    tree: dict[str, Any] = tomllib.loads(TEXT)
    tree["lane"][0]["sources"] = [tomllib.loads(f'kind = "serial"\nname = "s"\n{table}')]
    return parse_config(tree, Path("gate.toml"))


def table_of(text: str) -> SerialSourceTable:
    table = config(f'port = "/dev/x"\n{text}').lane[0].sources[0]
    assert isinstance(table, SerialSourceTable)
    return table


def test_every_profile_has_its_name_in_the_configuration() -> None:
    assert set(get_args(ProfileName)) == set(PROFILES)


def test_what_is_not_set_is_the_profile_s() -> None:
    table = table_of('profile = "gm65"')
    assert baud_of(table) == 9600
    assert line_settings(table) == PROFILES["gm65"].line
    assert baud_of(table_of('profile = "gm65"\nbaud = 921600')) == 921_600


def test_bytes_are_written_as_toml_escapes() -> None:
    table = table_of('prefix = "\\u0007"\nsuffix = "\\u00ff%"\nline_end = "gap"\ngap_s = 0.2')
    settings = line_settings(table)
    assert (settings.prefix, settings.suffix) == (b"\x07", b"\xff%")
    assert (settings.end, settings.gap_s) == (LineEnd.GAP, 0.2)


@pytest.mark.parametrize(
    ("text", "named", "hint"),
    [
        ('profile = "honeywel"', "profile", "zebra-ssi"),
        ('line_end = "bell"', "line_end", "crlf"),
        ('prefix = "ễ"', "prefix", "escape"),
        ('prefix = "seventeen letters"', "prefix", ""),
        ('suffix = "\\r"', "suffix", ""),
        ("gap_s = 0", "gap_s", ""),
        ("baud = 300", "baud", ""),
        ("aim_identifier = true", "aim_identifier", "aim_identifiers"),
    ],
)
def test_a_fault_is_named_with_what_to_do(text: str, named: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        table_of(text)
    assert named in str(caught.value)
    assert hint in caught.value.hint
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('profile = "zebra-ssi"\nline_end = "cr"', "line_end"),
        ("gap_s = 0.2", "gap_s"),
        ('line_end = "gap"\ngap_s = 0.002\nbaud = 9600', "gap_s"),
        ('profile = "honeywell"\nfeedback = false', "feedback"),
        ('trigger = "host"', "trigger"),
        ('profile = "newland"\nline_end = "etx"', "line_end"),
        ('profile = "gm65"\nline_end = "etx"', "line_end"),
    ],
)
def test_contradictions_are_judged_by_chot_check(text: str, key: str) -> None:
    problems = [
        problem
        for problem in inspect(config(f'port = "/dev/null"\n{text}'))
        if problem.where == f"lane[0].sources[0].{key}"
    ]
    assert len(problems) == 1
    assert problems[0].remedy


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_as_it_is_does_not_contradict_itself(profile: str) -> None:
    table = table_of(f'profile = "{profile}"')
    assert not list(contradictions(table))
    source = open_serial(
        table, lambda _reading: None, monotonic_ns=time.monotonic_ns, rng=random.Random(1)
    )
    assert source.name == "s"
