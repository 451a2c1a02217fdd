"""Alert events as a supplier's gateway sends them: signed as Standard Webhooks says, whatever the bytes."""

import base64
import hashlib
import hmac
import time
from uuid import uuid4

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def signed(body: bytes, message_id: str = "") -> dict[str, str]:
    """Headers that carry a valid signature of the body."""
    message_id, now = message_id or f"m-{uuid4()}", str(int(time.time()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    made = hmac.new(key, f"{message_id}.{now}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": now,
        "webhook-signature": f"v1,{base64.b64encode(made).decode()}",
        "content-type": "application/cloudevents+json",
    }
