"""A small table of endpoints: what a call brings, what is answered, and which function answers it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

E = TypeVar("E")


class Query:
    """Query parameters. A name may come several times; `first` takes the last one said."""

    def __init__(self, raw: str) -> None:
        self._pairs = parse_qsl(raw, keep_blank_values=True)

    def first(self, name: str, default: str | None = None) -> str | None:
        return next((value for key, value in reversed(self._pairs) if key == name), default)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name]

    def pairs(self) -> list[tuple[str, str]]:
        return list(self._pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as it came. Header names are lower case; `params` are the named parts of the path."""

    method: str
    path: str
    query: Query
    headers: Mapping[str, str]
    raw: bytes = b""
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Answer:
    """What is answered. `body`: bytes as they are, None for an empty body, anything else as JSON."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"

    def encoded(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()


class ApiRefusal(Exception):
    """Ends a call with an error answer."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}")
        self.answer = Answer(status, body, dict(headers or {}))

    @property
    def reason(self) -> str:
        """Why, for a person."""
        return str(self.answer.body)


class HelpdeskApi:
    """Answers calls. A helpdesk writes `respond`, which may raise ApiRefusal."""

    def __init__(self) -> None:
        self.observers: list[Callable[[Call, Answer], None]] = []
        """Told of each call and its answer, before a fault can spoil it."""

    def answer(self, call: Call, base: str) -> Answer:
        """The answer to a call. `base`: scheme and host for addresses inside answers."""
        headers: dict[str, str] = {}
        try:
            answer = self.respond(call, base, headers)
        except ApiRefusal as refusal:
            answer = refusal.answer
        answer.headers = {**headers, **answer.headers}
        for observer in list(self.observers):
            observer(call, answer)
        return answer

    def respond(self, call: Call, base: str, headers: dict[str, str]) -> Answer:
        """`headers` go with the answer, also when it becomes an error."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class _Entry(Generic[E]):
    method: str
    pattern: re.Pattern[str]
    endpoint: E


class EndpointTable(Generic[E]):
    """Endpoints by method and path template: `{id}` matches digits, `{name:text}` anything but a slash."""

    def __init__(self) -> None:
        self._plain: dict[tuple[str, str], E] = {}
        self._entries: list[_Entry[E]] = []

    def add(self, method: str, template: str, endpoint: E) -> None:
        if "{" not in template:
            self._plain[method, template] = endpoint
            return
        pattern = re.sub(r"\{(\w+):text\}", r"(?P<\1>[^/]+)", template)
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>\\d+)", pattern)
        self._entries.append(_Entry(method, re.compile(pattern), endpoint))

    def find(self, method: str, path: str) -> tuple[E, dict[str, str]] | None:
        if (plain := self._plain.get((method, path))) is not None:
            return plain, {}
        for entry in self._entries:
            if entry.method == method and (match := entry.pattern.fullmatch(path)):
                return entry.endpoint, match.groupdict()
        return None

    def take_all(self, other: EndpointTable[E]) -> None:
        """Add everything that another table holds."""
        self._plain.update(other._plain)
        self._entries += other._entries
