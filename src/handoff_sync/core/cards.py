"""Finds payment card numbers in text: groups of digits whose length, issuer prefix and Luhn sum all fit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

# One run: digits with at most three separators between neighbours; the zero-width ones are invisible.
SEPARATOR: Final = "[ \t\u00ad\u200b-\u200d\u2060\ufeff.,:_/|*\\\\\u00b7\u2022\u2010-\u2015\u2212-]"
_RUN: Final = re.compile(rf"[0-9](?:{SEPARATOR}{{0,3}}[0-9]){{12,}}")
_GROUP: Final = re.compile(r"[0-9]+")

_IN_AN_ID: Final = re.compile(r"[0-9][A-Za-z]\Z")
_COUNTRY: Final = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\Z")
_SHORTEST_IBAN: Final = 13
_IBAN_DIGITS: Final = 32

_LENGTHS_BY_LIKELIHOOD: Final = (16, 15, 14, 13, 19, 18, 17)

# (first prefix, last prefix, lengths); the prefixes of one row have the same number of digits.
_ISSUERS: Final = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),  # Mastercard
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),  # American Express
    ("300", "305", (14,)),  # Diners Club
    ("36", "36", (14,)),  # Diners Club
    ("38", "39", (14,)),  # Diners Club
    ("6011", "6011", (16, 17, 18, 19)),  # Discover
    ("644", "649", (16, 17, 18, 19)),  # Discover
    ("65", "65", (16, 17, 18, 19)),  # Discover, RuPay
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("3528", "3589", (16, 17, 18, 19)),  # JCB
    ("2200", "2204", (16, 17, 18, 19)),  # Mir
    ("5018", "5018", (16, 17, 18, 19)),  # Maestro, to the end
    ("5020", "5020", (16, 17, 18, 19)),
    ("5038", "5038", (16, 17, 18, 19)),
    ("5893", "5893", (16, 17, 18, 19)),
    ("6304", "6304", (16, 17, 18, 19)),
    ("6759", "6763", (16, 17, 18, 19)),
)
_FIRST_DIGITS: Final = frozenset(low[0] for low, _, _ in _ISSUERS)
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def is_card(digits: str) -> bool:
    """Whether `digits` (0-9 only) has the length and prefix of an issuer and a right Luhn sum."""
    return _has_issuer(digits) and _luhn(digits)


def card_spans(text: str) -> Iterator[tuple[int, int]]:
    """Where card numbers stand in `text`, without overlaps. Digits must be 0-9."""
    for run in _RUN.finditer(text):
        groups = [group.span() for group in _GROUP.finditer(text, run.start(), run.end())]
        first = _behind_account(text, groups)
        while first < len(groups):
            last = _card_from(text, groups, first)
            if last is None:
                first += 1
                continue
            yield groups[first][0], groups[last][1]
            first = last + 1


def _behind_account(text: str, groups: list[tuple[int, int]]) -> int:
    """The first group that can begin a card: not one of a bank account (IBAN), nor of an id such as 1Z999…"""
    before = text[max(0, groups[0][0] - 3) : groups[0][0]]
    if _IN_AN_ID.search(before):
        return 1
    if not _COUNTRY.search(before):
        return 0
    digits = ""
    for index, (start, end) in enumerate(groups):
        digits += text[start:end]
        if len(digits) > _IBAN_DIGITS:
            break
        if len(digits) >= _SHORTEST_IBAN and _is_iban(before[-2:], digits):
            return index + 1
    return 0


def _is_iban(country: str, digits: str) -> bool:
    letters = "".join(str(ord(letter) - ord("A") + 10) for letter in country)
    return int(digits[2:] + letters + digits[:2]) % 97 == 1


def _card_from(text: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """The last group of a card that begins with group `first`; the usual lengths are tried first."""
    if text[groups[first][0]] not in _FIRST_DIGITS:
        return None
    digits, last_by_length = "", {}
    for last in range(first, len(groups)):
        digits += text[groups[last][0] : groups[last][1]]
        if len(digits) > 19:
            break
        last_by_length[len(digits)] = last
    for length in _LENGTHS_BY_LIKELIHOOD:
        if length in last_by_length and is_card(digits[:length]):
            return last_by_length[length]
    return None


def _has_issuer(digits: str) -> bool:
    return any(len(digits) in lengths and low <= digits[: len(low)] <= high for low, high, lengths in _ISSUERS)


def _luhn(digits: str) -> bool:
    total = sum(int(digit) for digit in digits[-1::-2]) + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0
