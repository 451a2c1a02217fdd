"""A real HTTP server that speaks chat completions, well or badly, as a test scripts it."""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Document = Mapping[str, Any]
TOKENS_IN, TOKENS_OUT = 11, 7


@dataclass
class Response:
    """One scripted response. `says` is the model's text, or a function from the asked document to it."""

    says: str | Callable[[Document], Any] = ""
    status: int = 200
    body: bytes | None = None
    """Sent as it is instead of a chat completion."""
    wait_seconds: float = 0.0
    drip_seconds: float = 0.0
    """A byte of white space every 0.05 s for this long before the answer."""


@dataclass
class ChatServer:
    """Answers the scripted responses in order, then `usual`; keeps what it was asked."""

    base_url: str
    usual: Response = field(default_factory=lambda: Response(says="{}"))
    script: deque[Response] = field(default_factory=deque)
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def document(self, place: int = -1) -> dict[str, Any]:
        """The brief of a question."""
        return json.loads(self.asked[place]["messages"][1]["content"])

    def next(self, body: dict[str, Any], key: str) -> Response:
        self.asked.append(body)
        self.keys.append(key)
        return self.script.popleft() if self.script else self.usual


def completion(text: str, model: str) -> bytes:
    usage = {
        "prompt_tokens": TOKENS_IN,
        "completion_tokens": TOKENS_OUT,
        "total_tokens": TOKENS_IN + TOKENS_OUT,
    }
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    body = {"id": "c1", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage}
    return json.dumps(body).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    chat: ChatServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        response = self.chat.next(body, self.headers.get("authorization", ""))
        time.sleep(response.wait_seconds)
        payload = self._payload(response, body)
        drips = int(response.drip_seconds / 0.05)
        try:
            self.send_response(response.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(payload) + drips))
            self.end_headers()
            for _ in range(drips):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.05)
            self.wfile.write(payload)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _payload(self, response: Response, body: dict[str, Any]) -> bytes:
        if response.body is not None:
            return response.body
        if response.status != 200:
            return json.dumps({"error": {"message": f"refused {self.headers.get('authorization')}"}}).encode()
        said = response.says
        if callable(said):
            said = said(json.loads(body["messages"][1]["content"]))
        return completion(said if isinstance(said, str) else json.dumps(said), body["model"])

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@contextmanager
def chat_server() -> Iterator[ChatServer]:
    """A running server on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    chat = ChatServer(f"http://127.0.0.1:{server.server_port}/v1")
    server.RequestHandlerClass = type("Handler", (_Handler,), {"chat": chat})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield chat
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
