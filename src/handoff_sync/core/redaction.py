"""Masks card numbers, security codes, keys and tokens in text before it leaves: ticket, mail, callback, log.

All patterns run in linear time: repetitions are bounded or cannot overlap with what follows them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from handoff_sync.core.cards import SEPARATOR, card_spans
from handoff_sync.core.effects import StoredMessage

CODE_MASK: Final = "[security code removed]"
SECRET_MASK: Final = "[secret removed]"

# What is masked can free what stood against it: a token right behind a card number.
_PASSES: Final = 16

_Span = tuple[int, int, str]

_EDGE = r"(?<![A-Za-z0-9_-])"
_TOKENS: Final = re.compile(
    _EDGE + r"(?:"
    r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}"
    r"|sk-[A-Za-z0-9_-]{20,}"
    r"|gh[pousr]_[A-Za-z0-9]{30,}"
    r"|github_pat_[A-Za-z0-9_]{22,}"
    r"|glpat-[A-Za-z0-9_-]{20,}"
    r"|xox[abeprs]-[A-Za-z0-9-]{10,}"
    r"|(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Z])"
    r"|AIza[A-Za-z0-9_-]{35}"
    r"|ya29\.[A-Za-z0-9_-]{20,}"
    r"|SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,}"
    r"|npm_[A-Za-z0-9]{36}"
    r"|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"
    r"|whsec_[A-Za-z0-9+/]{16,}={0,2}"
    r"|eyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"
    r")"
)
# A value follows its label; a digit (or, behind a colon, a sign) in it tells it from prose.
_LABELLED: Final = re.compile(
    r"(?<![?&])(?:pass(?:word|wd|phrase)|\bpwd|\btoken|secret|(?:api|access|auth|private|secret)[_ -]?(?:key|token))"
    r"(?:[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?(?=[^\s\"']{0,60}[0-9!@#$%^&*+/])"
    r"|[ \t]{1,3}is[ \t]{1,3}(?=[^\s\"']{0,60}[0-9]))"
    r"((?!\[)[^\s\"']{6,300})",
    re.IGNORECASE,
)
_BEARER: Final = re.compile(
    r"\b(?:bearer|basic)[ \t]{1,3}((?=[^\s]{0,60}[0-9=._])[A-Za-z0-9._~+/-]{16,}=*)", re.IGNORECASE
)
_IN_URL: Final = re.compile(
    r"[?&](?:access_token|client_secret|token|api_?key|key|sig|signature|secret|password)=((?!\[)[^\s&#\"'<>]{6,})",
    re.IGNORECASE,
)
_URL_LOGIN: Final = re.compile(r"://[^\s/:@\[\]]{1,80}:((?!\[)[^\s/@]{1,200})@")
_PRIVATE_KEY: Final = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_KEY_END: Final = re.compile(r"-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")

_CODE_LABELLED: Final = re.compile(
    r"(?<![a-z])(?:cvv2?|cvc2?|cvn|csc|security code|card code|c[oó]digo de seguran[cç]a|c[oó]digo de seguridad)"
    r"(?:[ \t]{0,2}(?:number|code|no\.?|is|was|:|=|-|#|\()){0,3}[ \t]{0,3}([0-9]{3,4})(?![0-9])",
    re.IGNORECASE,
)
_EXPIRY = r"(?:(?:0?[1-9]|1[0-2])[ ]?[/.-][ ]?(?:20)?[0-9]{2}|(?:0[1-9]|1[0-2])[0-9]{2})(?![0-9])"
_GAP = rf"(?:{SEPARATOR}|;){{1,4}}"
_CODE_BEHIND_CARD: Final = re.compile(
    rf"{_GAP}(?:(?:exp(?:iry|ires|\.)?|valid(?: until| thru)?)?[ :]{{0,3}}{_EXPIRY}{_GAP})?"
    r"([0-9]{3,4})(?![0-9]|[.,][0-9])"
)


def redact(text: str, keep: Sequence[re.Pattern[str]] = ()) -> str:
    """`text` with what must not leave masked; a card keeps its last four digits. Repeating changes nothing.

    Args:
        keep: What matches one of these stays although it looks like a card: a shop's own order numbers.
    """
    for _ in range(_PASSES):
        masked = _redact_once(text, keep)
        if masked == text:
            break
        text = masked
    return text


def _redact_once(text: str, keep: Sequence[re.Pattern[str]]) -> str:
    plain, origin = _normalised(text)
    spans = sorted((origin[start], origin[end - 1] + 1, mask) for start, end, mask in _spans(plain, keep))
    out: list[str] = []
    done = 0
    for start, end, mask in spans:
        if start >= done:
            out += [text[done:start], mask]
        done = max(done, end)
    return "".join(out) + text[done:] if out else text


def redact_messages(messages: Iterable[StoredMessage]) -> tuple[StoredMessage, ...]:
    """The same messages with their texts redacted."""
    return tuple(replace(item, message=replace(item.message, text=redact(item.message.text))) for item in messages)


def _spans(text: str, keep: Sequence[re.Pattern[str]]) -> Iterator[_Span]:
    kept = [match.span() for pattern in keep for match in pattern.finditer(text)]
    for start, end in card_spans(text):
        if any(left <= start and end <= right for left, right in kept):
            continue
        last = "".join(char for char in text[start:end] if char.isdigit())[-4:]
        yield start, end, f"[card ending in {last}]"
        if code := _CODE_BEHIND_CARD.match(text, end):
            yield *code.span(1), CODE_MASK
    for match in _CODE_LABELLED.finditer(text):
        yield *match.span(1), CODE_MASK
    for match in _TOKENS.finditer(text):
        yield *match.span(), SECRET_MASK
    for pattern in (_LABELLED, _BEARER, _IN_URL, _URL_LOGIN):
        for match in pattern.finditer(text):
            yield *match.span(1), SECRET_MASK
    yield from _private_keys(text)


def _private_keys(text: str) -> Iterator[_Span]:
    """From the first line of a key to its last, or to the end of the text: half a key is a secret too."""
    position = 0
    while begin := _PRIVATE_KEY.search(text, position):
        end = _KEY_END.search(text, begin.end())
        position = end.end() if end else len(text)
        yield begin.start(), position, SECRET_MASK


def _normalised(text: str) -> tuple[str, Sequence[int]]:
    """The text in NFKC with every decimal digit as 0-9, and for each of its positions the one in `text`."""
    if text.isascii():
        return text, range(len(text))
    plain: list[str] = []
    origin: list[int] = []
    for index, char in enumerate(text):
        simple = char if char.isascii() else _simple(char)
        plain.append(simple)
        origin += [index] * len(simple)
    return "".join(plain), origin


def _simple(char: str) -> str:
    value = unicodedata.decimal(char, None)
    return str(value) if value is not None else unicodedata.normalize("NFKC", char)
