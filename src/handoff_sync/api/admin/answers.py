"""What all routes of the administration answer alike: the revision as ETag, refusals of settings, findings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Final, ParamSpec, TypeVar

from fastapi import Header, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from handoff_sync.api.auth import Scope, caller_of, needs
from handoff_sync.api.deps import deps_of
from handoff_sync.api.field_errors import MOST, FieldError
from handoff_sync.api.fields import Flag
from handoff_sync.api.problems import ProblemError
from handoff_sync.api.views import View
from handoff_sync.errors import (
    ConfigurationError,
    DestinationRefused,
    HandoffError,
    NotFound,
    NotReady,
    Refused,
    VendorAuthError,
)
from handoff_sync.store.rows import WorkspaceRow

P = ParamSpec("P")
T = TypeVar("T")

NEEDS: Final = needs(Scope.ADMIN)
NOT_MODIFIED: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "Nothing changed since that ETag"}}
_LONGEST: Final = 500

IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="The ETag that was read: refused with 412 when it is outdated.")
]
IfNoneMatch = Annotated[str | None, Header(alias="If-None-Match", description="The ETag that is known: else 304.")]
DryRun = Annotated[bool, Query(description="Says what would change, and changes nothing.")]


class FindingView(View):
    """One line of a check. `todo` says what a person must do."""

    name: str
    ok: Flag
    detail: str
    todo: str


class Findings(BaseModel):
    findings: list[FindingView]


# --- the revision --------------------------------------------------------------------------------------------


async def workspace_of(request: Request) -> WorkspaceRow:
    """The caller's workspace as it is now."""
    deps = deps_of(request)
    row = await deps.quick(deps.admin.workspace, caller_of(request).workspace_id)
    if row is None:
        raise NotFound("The workspace was removed.")
    return row


def json_answer(view: BaseModel, *, tag: str | None = None, status: int = 200) -> Response:
    headers = {} if tag is None else {"ETag": tag}
    return Response(view.model_dump_json(), status, headers, media_type="application/json")


def revision_tag(row: WorkspaceRow) -> str:
    """Grows with every change of policy, teams, members, connections and callbacks."""
    return f'"{row.revision}"'


def known_already(header: str | None, tag: str) -> Response | None:
    """The 304 for a caller who knows the newest."""
    if header is None or tag not in _tags(header):
        return None
    return Response(status_code=304, headers={"ETag": tag})


def must_match(header: str | None, row: WorkspaceRow) -> None:
    """412 for a caller who goes by what is outdated."""
    if header is not None and header.strip() != "*" and revision_tag(row) not in _tags(header):
        raise outdated()


def outdated() -> ProblemError:
    return ProblemError(412, "changed_meanwhile", "Somebody changed it meanwhile. Read it again, then repeat.")


def _tags(header: str) -> list[str]:
    return [part.strip().removeprefix("W/") for part in header.split(",")]


# --- refusals ------------------------------------------------------------------------------------------------


def settings_problem(lines: Iterable[str], code: str = "invalid_settings") -> ProblemError:
    """From lines like `settings.token: why` to a 422 that names each place."""
    pairs = [line.partition(": ") for line in lines]
    return refused_fields([(key if text else "", text or key) for key, _, text in pairs], code)


def refused_fields(pairs: Sequence[tuple[str, str]], code: str) -> ProblemError:
    """A 422 with a place, and what to do there, for each."""
    errors = [FieldError(field=_place(key), code=code, message=text[:_LONGEST]) for key, text in pairs[:MOST]]
    count = "1 setting is" if len(pairs) == 1 else f"{len(pairs)} settings are"
    return ProblemError(422, code, f"{count} not as expected.", errors=errors)


def _place(key: str) -> str:
    """A place; the parts that a caller made up are cut and cleaned, because they come back in our answer."""
    return re.sub(r"[^A-Za-z0-9_.\[\]\- ]", "?", key)[:200]


async def outside(request: Request, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `call` gives, which waits for a helpdesk: its trouble becomes a refusal that says whose it is."""
    try:
        return await deps_of(request).outside(call, *args, **kwargs)
    except ConfigurationError as wrong:
        raise settings_problem(wrong.problems) from None
    except (NotFound, Refused, NotReady):
        raise
    except VendorAuthError as error:
        raise ProblemError(422, "credentials_refused", str(error)[:_LONGEST]) from None
    except DestinationRefused as error:
        raise ProblemError(422, "destination_refused", str(error)[:_LONGEST]) from None
    except HandoffError as error:
        raise ProblemError(502, "helpdesk_unavailable", str(error)[:_LONGEST]) from None


def findings_view(found: Sequence[object]) -> list[FindingView]:
    return [FindingView.model_validate(one) for one in found]
