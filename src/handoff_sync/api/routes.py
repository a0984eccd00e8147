"""The two kinds of routes: with a key (everything under /v1) and open."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from handoff_sync.api.auth import Scope, authenticate
from handoff_sync.api.body import StrictRequest
from handoff_sync.api.problems import MEDIA_TYPE

_MEANINGS: Final = {
    400: "The body is not JSON as we read it",
    401: "No key, or one that we do not know",
    403: "The key lacks the scope, or the plan does not include it",
    404: "Nothing of that name in this workspace",
    408: "The body came too slowly",
    409: "The state does not allow it",
    410: "It was there and is no more",
    412: "It was changed meanwhile; read it again",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "A field is not as expected",
    502: "The helpdesk did not answer as expected",
    503: "Not now; Retry-After says when",
}


class KeyRoute(APIRoute):
    """Asks for the key and its scope before a byte of the body is read, then reads the body by our rules."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        scope = _declared_scope(self)
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            await authenticate(request, scope)
            return await handle(StrictRequest(request.scope, request.receive))

        return handler


class HotRoute(KeyRoute):
    """For the busiest routes: the endpoint takes the request alone, reads and checks it itself, and is called at once.

    What FastAPI would do in between costs as much as all the rest of a gate call.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        scope = _declared_scope(self)
        endpoint: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint

        async def handler(request: Request) -> Response:
            await authenticate(request, scope)
            return await endpoint(StrictRequest(request.scope, request.receive))

        return handler


def _declared_scope(route: APIRoute) -> Scope:
    try:
        return Scope((route.openapi_extra or {})["security"][0]["apiKey"][0])
    except (KeyError, IndexError, TypeError):
        raise TypeError(f"{route.path} declares no scope: pass openapi_extra=needs(Scope...).") from None


def key_router(tag: str, route_class: type[KeyRoute] = KeyRoute) -> APIRouter:
    """A router whose every route needs a key."""
    return APIRouter(route_class=route_class, tags=[tag], strict_content_type=False)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route, for OpenAPI."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _MEANINGS[status], "content": content} for status in statuses}


def keyed(*more: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route with a key that reads something."""
    return problems(*sorted({401, 403, 422, 503, *more}))


def keyed_body(*more: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route with a key and a body."""
    return keyed(400, 408, 413, 415, *more)
