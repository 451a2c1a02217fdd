"""The signed webhook for supplier alerts: Standard Webhooks outside, CloudEvents inside, typed data within."""

import json
from collections.abc import Mapping
from typing import cast

from cloudevents.core.exceptions import BaseCloudEventException, CloudEventValidationError
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from graph.contracts import SourcingSession
from tools.domain.errors import BadInput
from tools.domain.plain_json import misfit
from web.bodies import AlertContent
from web.errors import SignInNeeded, TooLarge, error_answers
from web.settings import WebSettings

FORM = "See docs/alerts.md for an event to copy."
ATTRIBUTES = ("id", "source", "type", "time", "datacontenttype", "dataschema", "subject")
LONGEST_ID = 200
"""Characters of a webhook-id, by which a message is remembered for good."""
SIGNATURE = [
    {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
]


class Accepted(BaseModel):
    """The alert is stored; its replan starts by itself."""

    accepted: bool


def alert_routes(session: SourcingSession, settings: WebSettings) -> APIRouter:
    """POST /api/alerts: 202 stored, 400 no alert, 401 not signed, 409 seen before, 413 too large."""
    routes = APIRouter(prefix="/api", tags=["alerts"])
    webhook = Webhook(settings.webhook_secret.get_secret_value())

    async def receive(request: Request) -> JSONResponse:
        body = await _limited(request, settings.max_body_bytes)
        headers = dict(request.headers)
        verify(webhook, body, headers)
        message_id = headers["webhook-id"]
        if len(message_id) > LONGEST_ID:
            raise BadInput(f"webhook-id: longer than {LONGEST_ID} characters.", remedy="Send a shorter one.")
        event = alert_event(body)
        stored = await run_in_threadpool(session.receive_alert, message_id, event, str(event["source"]))
        return JSONResponse({**stored}, status_code=202)

    routes.add_api_route(
        "/alerts",
        receive,
        methods=["POST"],
        status_code=202,
        summary="Give a signed supplier alert",
        response_model=Accepted,
        responses=error_answers(400, 401, 409, 413, 503),
        openapi_extra={"parameters": SIGNATURE, "requestBody": {"required": True, "content": _described_content()}},
    )
    return routes


def _described_content() -> dict[str, object]:
    """The description of an event, for /openapi.json."""
    properties = {name: {"type": "string"} for name in ("id", "source", "type", "time", "datacontenttype", "subject")}
    form = {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "data"],
        "properties": {
            **properties,
            "specversion": {"const": "1.0"},
            "data": AlertContent.model_json_schema(),
        },
    }
    return {"application/cloudevents+json": {"schema": form}}


def verify(webhook: Webhook, body: bytes, headers: Mapping[str, str]) -> None:
    """SignInNeeded unless the signature is ours, whole and younger than five minutes; BadInput when no text."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise BadInput(f"body: no UTF-8 at byte {error.start}.", remedy=FORM) from error
    try:
        webhook.verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError) as error:
        raise SignInNeeded(
            f"The signature does not hold: {error}.",
            remedy="Sign `id.timestamp.body` with the shared secret, as Standard Webhooks says, and send it at once.",
        ) from error


def alert_event(body: bytes) -> dict[str, object]:
    """A CloudEvents 1.0 JSON event whose data is a valid alert. BadInput with the reason otherwise."""
    event = _cloud_event(body)
    if "alert" not in event.get_type().split("."):
        raise BadInput(f"The event's type {event.get_type()!r} is no alert.", remedy="Use supplier.alert as type.")
    content = event.get_data()
    try:
        alert = AlertContent.model_validate(content)
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'data'}: {one['msg']}" for one in error.errors())
        raise BadInput(f"The event's data is no alert: {found}.", remedy=FORM) from error
    shown = json.loads(JSONFormat().write(event))
    return {**shown, "data": alert.model_dump(mode="json", exclude_defaults=True)}


def _cloud_event(body: bytes) -> CloudEvent:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:  # the latter from thousands of brackets within brackets
        raise BadInput(f"The body is no JSON: {error}.", remedy=FORM) from error
    if not isinstance(fields, dict) or fields.get("specversion") != "1.0":
        raise BadInput("The body is no CloudEvents 1.0 object.", remedy=FORM)
    _require_plain(cast(Mapping[str, object], fields))
    try:
        event = JSONFormat().read(CloudEvent, body)
    except CloudEventValidationError as error:
        reasons = "; ".join(str(one) for found in error.errors.values() for one in found)
        raise BadInput(f"The event is not valid: {reasons}.", remedy=FORM) from error
    except (BaseCloudEventException, ValueError, TypeError) as error:
        raise BadInput(f"The event is not valid: {error}.", remedy=FORM) from error
    if not isinstance(event, CloudEvent):
        raise BadInput("The body is no CloudEvents 1.0 object.", remedy=FORM)
    return event


def _require_plain(fields: Mapping[str, object]) -> None:
    """BadInput that names the first attribute that is missing, no text, or that no database could store."""
    missing = [name for name in ("id", "source", "type") if not fields.get(name)]
    if missing:  # the library would make an id up
        raise BadInput(f"The event lacks {', '.join(missing)}.", remedy=FORM)
    wrong = [name for name in ATTRIBUTES if not isinstance(fields.get(name, ""), str)]
    reason = f"{wrong[0]}: is no text" if wrong else misfit(fields)
    if reason:
        raise BadInput(f"The event is not valid: {reason}.", remedy=FORM)


async def _limited(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:
            raise TooLarge(f"The body is larger than {limit} bytes.", remedy="Send one alert per event.")
    return bytes(body)
