"""CertLogic in words: what a rule says, for the people who answer for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Language = Literal["vi", "en"]

_NAMES: Mapping[str, tuple[str, str]] = {
    "payload.doses": ("số mũi đã tiêm", "doses"),
    "payload.product": ("vắc-xin mũi cuối", "product of the last dose"),
    "payload.last_dose": ("ngày tiêm mũi cuối", "date of the last dose"),
    "payload.days_since_last_dose": ("số ngày từ mũi cuối", "days since the last dose"),
    "payload.doses_required": ("số mũi cần tiêm", "doses of a full course"),
    "payload.waiting_days": ("số ngày chờ", "waiting days"),
    "payload.recovered": ("ngày khỏi bệnh", "date of recovery"),
    "payload.months_since_recovery": ("số tháng từ khi khỏi bệnh", "months since recovery"),
    "payload.born": ("ngày sinh", "date of birth"),
    "payload.age": ("tuổi", "age"),
    "payload.vulnerable": (
        "có bệnh nền hoặc suy giảm miễn dịch",
        "underlying disease or immunosuppression",
    ),
    "payload.district": ("mã quận", "district code"),
    "external.today": ("hôm nay", "today"),
}
_WORDS: Mapping[str, tuple[str, str]] = {
    "and": ("và", "and"),
    "if": ("nếu", "if"),
    "then": ("thì", "then"),
    "else": ("nếu không thì", "otherwise"),
    "not": ("không phải", "not"),
    "in": ("thuộc", "is one of"),
    "true": ("đúng", "yes"),
    "false": ("sai", "no"),
    "known": ("đã biết", "is known"),
    "or": ("hoặc", "or"),
}
_COMPARISONS = {
    ">": ">", "<": "<", ">=": "≥", "<=": "≤", "===": "=", "+": "+",
    "after": ">", "before": "<", "not-after": "≤", "not-before": "≥",
}  # fmt: skip


def in_words(expression: Any, language: Language) -> str:
    """Return a valid expression as one line of text.

    >>> in_words({">=": [{"var": "payload.age"}, 65]}, "en")
    'age ≥ 65'
    >>> in_words({"if": [{"var": "payload.vulnerable"}, True, {"var": "terms.old"}]}, "vi")
    'có bệnh nền hoặc suy giảm miễn dịch hoặc “old”'
    """
    return _Writer(0 if language == "vi" else 1).write(expression, outermost=True)


def fact_word(path: str, language: Language) -> str:
    """Return a fact or a term in words.

    >>> fact_word("payload.age", "en"), fact_word("terms.old", "en")
    ('age', '“old”')
    """
    return _Writer(0 if language == "vi" else 1).write({"var": path})


class _Writer:
    def __init__(self, language: int) -> None:
        self._language = language

    def write(self, expression: Any, *, outermost: bool = False) -> str:
        if isinstance(expression, bool):
            return self._word("true" if expression else "false")
        if isinstance(expression, list):
            return f"[{', '.join(self.write(item) for item in expression)}]"
        if not isinstance(expression, dict):
            return str(expression)
        ((name, operands),) = expression.items()
        text, compound = self._operation(name, operands)
        return f"({text})" if compound and not outermost else text

    def _operation(self, name: str, operands: Any) -> tuple[str, bool]:
        if name == "var":
            return self._variable(operands), False
        if name == "!":
            return f"{self._word('not')} {self._truth(operands[0])}", False
        if name == "and":
            return f" {self._word('and')} ".join(self._truth(one) for one in operands), True
        if name == "if":
            return self._choice(*operands)
        if name == "in":
            left, right = (self.write(one) for one in operands)
            return f"{left} {self._word('in')} {right}", True
        if name in _COMPARISONS:
            return f" {_COMPARISONS[name]} ".join(self.write(one) for one in operands), len(
                operands
            ) > 2 or name == "+"
        return f"{name}({', '.join(self.write(one) for one in operands)})", False

    def _choice(self, guard: Any, then: Any, otherwise: Any) -> tuple[str, bool]:
        """`if` is how CertLogic, which knows no `or`, says it: with `true`, or with `false`."""
        first = self._truth(guard)
        if then is True:
            return f"{first} {self._word('or')} {self.write(otherwise)}", True
        if otherwise is False:
            return f"{first} {self._word('and')} {self.write(then)}", True
        words = (self._word("if"), first, self._word("then"), self.write(then))
        return f"{' '.join(words)} {self._word('else')} {self.write(otherwise)}", True

    def _truth(self, expression: Any) -> str:
        """Write what stands where a truth is wanted: of a date or a number, that it is known."""
        text = self.write(expression)
        path = expression.get("var", "") if isinstance(expression, dict) else ""
        is_value = path.startswith("payload.") and path != "payload.vulnerable"
        return f"{text} {self._word('known')}" if is_value else text

    def _variable(self, path: str) -> str:
        if path.startswith("terms."):
            return f"“{path.removeprefix('terms.')}”"
        known = _NAMES.get(path)
        return known[self._language] if known else path

    def _word(self, name: str) -> str:
        return _WORDS[name][self._language]
