"""One OpenAI-compatible model server: its settings, its client, and what it answered or why it did not."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

if TYPE_CHECKING:
    import httpx
    from langchain_openai import ChatOpenAI

Result = TypeVar("Result")
NO_CHAT_COMPLETION = (ValueError, TypeError, KeyError, AttributeError, IndexError)
"""What the client raises on a body that is no chat completion."""
REFUSED_PARAMETERS = (400, 422)
"""Status of servers that know no `response_format`, or take no `temperature`."""
HIDDEN = "[key]"
JSON_OBJECT = {"type": "json_object"}


class LlmSettings(BaseModel):
    """Where a model answers. `cool_down_seconds` is how long a server that failed is left alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str
    model: str = Field(min_length=1)
    api_key: SecretStr = SecretStr("")
    timeout_seconds: float = Field(default=20.0, gt=0)
    """For one question, its retry included."""
    temperature: float | None = 0.0
    cool_down_seconds: float = Field(default=300.0, ge=0)

    @field_validator("base_url")
    @classmethod
    def _is_a_plain_http_url(cls, url: str) -> str:
        """The URL is shown in warnings and logs, so it may hold no secret."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an http or https URL such as http://127.0.0.1:8000/v1")
        if parts.username or parts.password or parts.query:
            raise ValueError("must hold no user, password or query; the key goes into OPENAI_API_KEY")
        return url


@dataclass(frozen=True)
class Reply:
    """The text of one answer and the tokens that it took."""

    text: str
    tokens_in: int
    tokens_out: int


@dataclass(frozen=True)
class Outage:
    """Why there is no answer, in our own words; `lasting` when only another configuration can help."""

    reason: str
    lasting: bool


class ModelServer:
    """A server of chat completions. The client is imported and built on the first question: that takes seconds."""

    def __init__(self, settings: LlmSettings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._client: ChatOpenAI | None = None
        self._transport: httpx.Client | None = None
        self._plain = False

    def complete(self, messages: Sequence[tuple[str, str]], seconds: float) -> Reply | Outage:
        """Its answer within `seconds`; a server that refuses our parameters is asked once more without them."""
        client = self._connected()
        found = self._asked(client, messages, seconds)
        if isinstance(found, Reply | Outage):
            return found
        if self._plain:
            return Outage(f"{self._where} refuses the question (HTTP {found}).", False)
        with self._lock:
            self._plain, self._client = True, None
        return self.complete(messages, seconds)

    def connect(self) -> None:
        """Import and build the client before any clock runs; nothing is sent."""
        self._connected()

    def close(self) -> None:
        """Close the connections; the next question opens new ones."""
        with self._lock:
            if self._transport is not None:
                self._transport.close()
            self._client = self._transport = None

    @property
    def _where(self) -> str:
        return f"The model server {self.settings.base_url}"

    def _asked(self, client: "ChatOpenAI", messages: Sequence[tuple[str, str]], seconds: float) -> Reply | Outage | int:
        """The answer, the outage, or the status with which our parameters were refused."""
        import openai

        try:
            message = _in_time(seconds, lambda: client.invoke(list(messages), timeout=seconds))
        except openai.APIStatusError as error:
            if error.status_code in REFUSED_PARAMETERS:
                return error.status_code
            return self._outage(error)
        except (openai.OpenAIError, TimeoutError) as error:
            return self._outage(error)
        except NO_CHAT_COMPLETION:
            return Outage(f"{self._where} answers, but not with chat completions.", False)
        used = message.usage_metadata
        tokens = (used["input_tokens"], used["output_tokens"]) if used else (0, 0)
        return Reply(self._without_key(str(message.text)), *tokens)

    def _without_key(self, text: str) -> str:
        """A server that echoes its request must not bring the key into records and logs."""
        key = self.settings.api_key.get_secret_value()
        return text.replace(key, HIDDEN) if key else text

    def _outage(self, error: Exception) -> Outage:
        import openai

        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            return Outage(f"{self._where} refuses the key (HTTP {error.status_code}); check OPENAI_API_KEY.", True)
        if isinstance(error, openai.APITimeoutError | TimeoutError):
            return Outage(f"{self._where} did not answer within {self.settings.timeout_seconds:g} s.", False)
        if isinstance(error, openai.NotFoundError):
            missing = f"has no model {self.settings.model}, or no chat completions there (HTTP 404)"
            return Outage(f"{self._where} {missing}; check JIT_LLM_MODEL and JIT_LLM_BASE_URL.", True)
        if isinstance(error, openai.APIStatusError):
            return Outage(f"{self._where} failed (HTTP {error.status_code}).", False)
        if isinstance(error, openai.APIConnectionError):
            return Outage(f"{self._where} cannot be reached.", False)
        return Outage(f"{self._where} gave no usable answer ({type(error).__name__}).", False)

    def _connected(self) -> "ChatOpenAI":
        with self._lock:
            if self._client is None:
                import httpx
                from langchain_openai import ChatOpenAI

                settings = self.settings
                extras: dict[str, Any] = {}
                if not self._plain:
                    extras = {"temperature": settings.temperature, "model_kwargs": {"response_format": JSON_OBJECT}}
                self._transport = self._transport or httpx.Client(timeout=settings.timeout_seconds)
                self._client = ChatOpenAI(
                    model=settings.model,
                    base_url=settings.base_url,
                    api_key=SecretStr(settings.api_key.get_secret_value() or "none"),
                    timeout=settings.timeout_seconds,
                    max_retries=0,
                    use_responses_api=False,
                    http_client=self._transport,
                    **extras,
                )
            return self._client


def _in_time(seconds: float, call: Callable[[], Result]) -> Result:
    """The call's result; TimeoutError when it takes longer.

    The client's own timeout restarts with every byte received. The thread is a daemon, so that a server which never
    ends its answer holds up neither the run nor the exit of the process.
    """
    box: Future[Result] = Future()

    def run() -> None:
        try:
            box.set_result(call())
        except BaseException as error:  # handed to the caller by `result`, whatever it is
            box.set_exception(error)

    threading.Thread(target=run, name="model-question", daemon=True).start()
    return box.result(timeout=seconds)
