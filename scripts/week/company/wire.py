"""A person at the HTTP API, and a supplier at its webhook; every answer is noted."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
from standardwebhooks import Webhook

from scripts.week.company.firm import PATIENCE_SECONDS, Firm, Stuck
from scripts.week.company.witness import Answered


class Wire:
    """Requests of one person; `who` empty is the server's owner."""

    def __init__(self, firm: Firm, url: str, who: str, key: str) -> None:
        self._firm, self._who = firm, who or "owner"
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=PATIENCE_SECONDS,
            trust_env=False,
            event_hooks={"response": [self._note]},
        )

    def get(self, path: str, **query: str | int) -> Any:
        """The answer of a route. Stuck when it is no success."""
        return self._told(self._http.get(path, params=query))

    def every(self, path: str, page_rows: int = 5_000) -> list[Any]:
        """Every row of an answer that comes in pages. Stuck when a page is no success."""
        rows = list[Any]()
        while True:
            answer = self._http.get(path, params={"limit": page_rows, "offset": len(rows)})
            page = self._told(answer)
            rows += page
            if not page or len(rows) >= int(answer.headers["X-Total-Count"]):
                return rows

    def post(self, path: str, body: Mapping[str, object], allowed: tuple[int, ...] = ()) -> Any:
        """The answer of a route; None for a refusal that is `allowed`. Stuck for another one."""
        answer = self._http.post(path, json=dict(body))
        return None if answer.status_code in allowed else self._told(answer)

    def close(self) -> None:
        """Release the connection."""
        self._http.close()

    def alert(self, message_id: str, data: Mapping[str, object]) -> Any:
        """Send what a supplier tells, signed with the home's webhook secret."""
        secret = json.loads((self._firm.home / "secrets.json").read_text(encoding="utf-8"))["webhook"]
        event = {"specversion": "1.0", "id": message_id, "source": "edi", "type": "supplier.alert", "data": data}
        body, now = json.dumps(event), datetime.now(UTC)
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret).sign(message_id, now, body),
            "content-type": "application/cloudevents+json",
        }
        return self._told(self._http.post("/api/alerts", content=body.encode(), headers=headers))

    def _note(self, response: httpx.Response) -> None:
        request = response.request
        self._firm.witness.answered.append(
            Answered(self._who, request.method, urlsplit(str(request.url)).path, response.status_code)
        )

    @staticmethod
    def _told(answer: httpx.Response) -> Any:
        if not answer.is_success:
            raise Stuck(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:400]}")
        return answer.json()
