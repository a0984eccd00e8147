"""Endpoints of the workspace itself: who we are, teammates, teams, tags, attributes."""

from __future__ import annotations

from typing import Any, Final

from handoff_connectors.intercom.simulator import api_errors, render
from handoff_connectors.intercom.simulator.api import Request, Table, endpoint
from handoff_connectors.intercom.simulator.model import Attribute
from handoff_sync.simulator.endpoints import Answer

WORKSPACE: Final = Table()
CONVERSATION_TYPES: Final = ("string", "integer", "list", "decimal", "boolean", "datetime", "relationship", "files")
DATA_TYPES: Final = ("string", "integer", "float", "boolean", "datetime", "date")
MODELS: Final = ("contact", "company")


@endpoint(WORKSPACE, "GET", "/me", "")
def me(request: Request) -> Answer:
    return Answer(200, render.me(request.workspace, request.caller.admin))


@endpoint(WORKSPACE, "GET", "/admins", "read_admins")
def admins(request: Request) -> Answer:
    return Answer(200, {"type": "admin.list", "admins": [render.admin(a) for a in request.workspace.admins.values()]})


@endpoint(WORKSPACE, "GET", "/admins/{id:text}", "read_admins")
def admin(request: Request) -> Answer:
    found = request.workspace.admins.get(request.call.params["id"])
    if found is None:
        raise api_errors.admin_not_found()
    return Answer(200, render.admin(found))


@endpoint(WORKSPACE, "GET", "/teams", "read_admins")
def teams(request: Request) -> Answer:
    return Answer(200, {"type": "team.list", "teams": [render.team(t) for t in request.workspace.teams.values()]})


@endpoint(WORKSPACE, "GET", "/teams/{id:text}", "read_admins")
def team(request: Request) -> Answer:
    found = request.workspace.teams.get(request.call.params["id"])
    if found is None:
        raise api_errors.team_not_found()
    return Answer(200, render.team(found))


@endpoint(WORKSPACE, "GET", "/tags", "read_tags")
def tags(request: Request) -> Answer:
    return Answer(200, {"type": "list", "data": [render.tag(t) for t in request.workspace.tags.values()]})


@endpoint(WORKSPACE, "POST", "/tags", "write_tags")
def create_tag(request: Request) -> Answer:
    """A name that exists answers with the tag that has it."""
    name = request.json().get("name")
    if not isinstance(name, str) or not name.strip():
        raise api_errors.invalid("invalid tag parameters")
    return Answer(200, render.tag(request.workspace.tag_named(name.strip())))


@endpoint(WORKSPACE, "GET", "/tags/{id:text}", "read_tags")
def tag(request: Request) -> Answer:
    found = request.workspace.tags.get(request.call.params["id"])
    if found is None:
        raise api_errors.tag_not_found()
    return Answer(200, render.tag(found))


# --- attributes ------------------------------------------------------------------------------------


def _made(request: Request, body: dict[str, Any], model: str) -> Attribute:
    workspace = request.workspace
    made = Attribute(id=workspace.new_attribute_id(), name=str(body["name"]), model=model,
                     data_type=str(body["data_type"]), description=str(body.get("description") or ""),
                     created_at=workspace.now(), admin_id=request.caller.admin.id)  # fmt: skip
    workspace.attributes[made.id] = made
    return made


@endpoint(WORKSPACE, "GET", "/conversations/attributes", "read_conversations", since=(2, 16))
def conversation_attributes(request: Request) -> Answer:
    archived_too = request.call.query.first("include_archived") == "true"
    known = [a for a in request.workspace.attributes.values()
             if a.model == "conversation" and (archived_too or not a.archived)]  # fmt: skip
    return Answer(200, {"type": "list", "data": [render.conversation_attribute(a) for a in known]})


@endpoint(WORKSPACE, "POST", "/conversations/attributes", "write_conversations", since=(2, 16))
def create_conversation_attribute(request: Request) -> Answer:
    body = request.json()
    if not body.get("name"):
        raise api_errors.invalid("name is required", 422)
    if body.get("data_type") not in CONVERSATION_TYPES:
        allowed = ", ".join(CONVERSATION_TYPES)
        raise api_errors.invalid(f"data_type '{body.get('data_type')}' is not valid. Allowed types: {allowed}", 422)
    workspace = request.workspace
    if workspace.attributes_of("conversation", str(body["name"])) and not workspace.settings.duplicate_attribute_names:
        raise api_errors.invalid(f"You already have '{body['name']}' in your conversation data.", 422)
    return Answer(200, render.conversation_attribute(_made(request, body, "conversation")))


@endpoint(WORKSPACE, "GET", "/conversations/attributes/{id}", "read_conversations", since=(2, 16))
def conversation_attribute(request: Request) -> Answer:
    found = request.workspace.attributes.get(int(request.call.params["id"]))
    if found is None or found.model != "conversation":
        raise api_errors.not_found()
    return Answer(200, render.conversation_attribute(found))


@endpoint(WORKSPACE, "GET", "/data_attributes", "read_users")
def data_attributes(request: Request) -> Answer:
    model = request.call.query.first("model")
    if model == "conversation":
        text = "model=conversation is no longer supported. Use GET /conversations/attributes instead"
        raise api_errors.invalid(text, 422)
    known = [a for a in request.workspace.attributes.values()
             if a.model in MODELS and not a.archived and model in (None, a.model)]  # fmt: skip
    return Answer(200, {"type": "list", "data": [render.data_attribute(a) for a in known]})


@endpoint(WORKSPACE, "POST", "/data_attributes", "write_users")
def create_data_attribute(request: Request) -> Answer:
    body = request.json()
    model, name = body.get("model"), str(body.get("name") or "")
    if model not in MODELS:
        raise api_errors.invalid("The Data Attribute model field must be either contact or company")
    if body.get("data_type") not in DATA_TYPES:
        raise api_errors.invalid("Data Type isn't an option")
    if not name or any(not (letter.isalnum() or letter in " -_") for letter in name):
        text = "Your name for this attribute must only contain alphanumeric characters, currency symbols, and hyphens"
        raise api_errors.invalid(text)
    if request.workspace.attributes_of(model, name):
        text = (
            f"You already have '{name}' in your {model} data. To save this as new {model} data, use a different name."
        )
        raise api_errors.invalid(text)
    return Answer(200, render.data_attribute(_made(request, body, model)))


@endpoint(WORKSPACE, "GET", "/subscription_types", "read_users")
def subscription_types(request: Request) -> Answer:
    name = {"name": "Newsletters", "description": "What is new", "locale": "en"}
    kind = {"type": "subscription", "id": "135", "state": "live", "consent_type": "opt_out",
            "default_translation": name, "translations": [name], "content_types": ["email"]}  # fmt: skip
    return Answer(200, {"type": "list", "data": [kind]})
