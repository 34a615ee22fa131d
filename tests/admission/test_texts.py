"""Protects the people at the gate: each is told what to do, and nobody's health is announced."""

from __future__ import annotations

import re
import unicodedata

import pytest

from admission.texts import lane_word, next_step, outcome_word, sentence
from admission.verdict import LaneState, Outcome, Reason, Text

HEALTH = (
    "bệnh", "nhiễm", "cách ly", "dương tính", "âm tính", "covid", "f0", "f1", "tiêm", "vắc",
    "sức khỏe", "xét nghiệm", "ill", "sick", "infect", "isolat", "quarantin", "positive",
    "negative", "vaccin", "health", "test", "dose", "disease",
)  # fmt: skip


def _texts(reason: Reason) -> tuple[Text, Text]:
    return sentence(reason), next_step(reason)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_sentence_and_a_next_step_in_both_languages(reason: Reason) -> None:
    for text in _texts(reason):
        for words in (text.vi, text.en):
            assert words.endswith(".")
            assert unicodedata.is_normalized("NFC", words)
            assert len(words) <= 90
        assert not text.vi.isascii()
        assert text.en.isascii()


@pytest.mark.parametrize("reason", list(Reason))
def test_no_text_says_anything_about_health(reason: Reason) -> None:
    for text in _texts(reason):
        for words in (text.vi.lower(), text.en.lower()):
            assert not [h for h in HEALTH if re.search(rf"\b{h}", words)]


def test_every_light_has_its_word() -> None:
    words = [outcome_word(o) for o in Outcome] + [lane_word(s) for s in LaneState]
    assert [w.vi for w in words] == ["MỜI QUA", "CHỜ", "DỪNG", "Mời đưa mã vào khung", "TẠM NGƯNG"]
    assert [w.en for w in words] == [
        "GO",
        "PLEASE WAIT",
        "STOP",
        "Please show your code",
        "OUT OF ORDER",
    ]
