"""One question to an OpenAI-compatible server: a JSON answer in a strict schema, one retry, and a circuit breaker."""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

if TYPE_CHECKING:
    import httpx
    from langchain_openai import ChatOpenAI

log = logging.getLogger(__name__)
AnswerT = TypeVar("AnswerT", bound=BaseModel)
PROMPTS = Path(__file__).parent / "prompts"
ATTEMPTS = 2
SHOWN_CHARACTERS = 400
NO_CHAT_COMPLETION = (ValueError, TypeError, KeyError, AttributeError, IndexError)
"""What the client raises on a body that is no chat completion."""


class LlmSettings(BaseModel):
    """Where a model answers. `cool_down_seconds` is how long a server that failed is left alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str
    model: str
    api_key: SecretStr = SecretStr("")
    timeout_seconds: float = Field(default=20.0, gt=0)
    temperature: float | None = 0.0
    cool_down_seconds: float = Field(default=300.0, ge=0)


class Unanswered(Exception):
    """The model gave no usable answer; its rule-based twin decides. Holds no secret and no text of the server."""

    def __init__(self, reason: str, model: str, tokens_in: int = 0, tokens_out: int = 0) -> None:
        super().__init__(reason)
        self.record: Mapping[str, Any] = {
            "decided_by": "rules",
            "fallback_reason": reason,
            "model": model,
            "tokens_in": tokens_in,
            "tokens_out": tokens_out,
        }


@dataclass(frozen=True)
class Asked(Generic[AnswerT]):
    """A valid answer and what it took."""

    answer: AnswerT
    model: str
    tokens_in: int
    tokens_out: int

    @property
    def record(self) -> Mapping[str, Any]:
        """Fields of `Decided`."""
        return {
            "decided_by": self.model,
            "model": self.model,
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
        }


@dataclass(frozen=True)
class _Reply:
    text: str
    tokens_in: int
    tokens_out: int


@lru_cache(maxsize=16)
def prompt(name: str) -> str:
    """The instructions of one agent."""
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8")


class ChatModel:
    """Asks one server. After it failed, every question falls back at once until the cool-down is over."""

    def __init__(self, settings: LlmSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._client: ChatOpenAI | None = None
        self._transport: httpx.Client | None = None
        self._closed_until = float("-inf")
        self._outage = ""

    @property
    def name(self) -> str:
        """The model's name, as stored beside its decisions."""
        return self._settings.model

    def ask(
        self,
        prompt_name: str,
        brief: Mapping[str, Any],
        answer_type: type[AnswerT],
        objection: Callable[[AnswerT], str],
    ) -> Asked[AnswerT]:
        """Ask, validate, retry once with what was wrong. `objection` returns "" for an answer within its limits.

        Raises Unanswered when the server fails, and when the second answer is outside its schema or limits too.
        The brief travels as one JSON document: no text inside it can leave its quotes.
        """
        schema = json.dumps(answer_type.model_json_schema(), separators=(",", ":"))
        messages = [
            ("system", f"{prompt(prompt_name)}\nAnswer with one JSON object of this JSON schema:\n{schema}"),
            ("human", json.dumps(brief, ensure_ascii=False)),
        ]
        tokens_in = tokens_out = 0
        problem = ""
        for _ in range(ATTEMPTS):
            reply = self._reply(messages, tokens_in, tokens_out)
            tokens_in, tokens_out = tokens_in + reply.tokens_in, tokens_out + reply.tokens_out
            answer, problem = _read(reply.text, answer_type, objection)
            if answer is not None:
                return Asked(answer, self.name, tokens_in, tokens_out)
            retry = f"That answer was refused: {problem} Answer again with one JSON object of the schema."
            messages = [*messages, ("ai", reply.text or "(nothing)"), ("human", retry)]
        reason = f"The model's answer was refused twice: {problem}"
        log.warning("%s: %s The rules decide.", prompt_name, reason)
        raise Unanswered(reason, self.name, tokens_in, tokens_out)

    def close(self) -> None:
        """Close the connections; the next question opens new ones."""
        with self._lock:
            if self._transport is not None:
                self._transport.close()
            self._client = self._transport = None

    def _reply(self, messages: Sequence[tuple[str, str]], tokens_in: int, tokens_out: int) -> _Reply:
        if self._clock() < self._closed_until:
            raise Unanswered(self._outage, self.name, tokens_in, tokens_out)
        client = self._connected()
        import openai

        try:
            message = client.invoke(list(messages))
        except openai.OpenAIError as error:
            reason, lasting = _outage_of(error, self._settings)
            self._open_circuit(reason, lasting=lasting)
            raise Unanswered(reason, self.name, tokens_in, tokens_out) from None
        except NO_CHAT_COMPLETION:
            reason = f"{self._settings.base_url} answers, but not with chat completions."
            self._open_circuit(reason, lasting=False)
            raise Unanswered(reason, self.name, tokens_in, tokens_out) from None
        used = message.usage_metadata
        return _Reply(str(message.text), used["input_tokens"] if used else 0, used["output_tokens"] if used else 0)

    def _open_circuit(self, reason: str, *, lasting: bool) -> None:
        """Leave the server alone; the first of several parallel failures warns."""
        with self._lock:
            now = self._clock()
            first = now >= self._closed_until
            self._closed_until = float("inf") if lasting else now + self._settings.cool_down_seconds
            self._outage = reason
        if first:
            log.warning("%s The rules decide until it answers.", reason)

    def _connected(self) -> "ChatOpenAI":
        """The client; imported and built on the first question, because the import takes seconds."""
        with self._lock:
            if self._client is None:
                import httpx
                from langchain_openai import ChatOpenAI

                settings = self._settings
                self._transport = httpx.Client(timeout=settings.timeout_seconds)
                self._client = ChatOpenAI(
                    model=settings.model,
                    base_url=settings.base_url,
                    api_key=SecretStr(settings.api_key.get_secret_value() or "none"),
                    timeout=settings.timeout_seconds,
                    temperature=settings.temperature,
                    max_retries=0,
                    use_responses_api=False,
                    http_client=self._transport,
                    model_kwargs={"response_format": {"type": "json_object"}},
                )
            return self._client


def _outage_of(error: Exception, settings: LlmSettings) -> tuple[str, bool]:
    """Why the server is out, in our own words, and whether only a new configuration can help."""
    import openai

    where = f"The model server {settings.base_url}"
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return f"{where} refuses the key (HTTP {error.status_code}); check OPENAI_API_KEY.", True
    if isinstance(error, openai.APITimeoutError):
        return f"{where} did not answer within {settings.timeout_seconds:g} s.", False
    if isinstance(error, openai.NotFoundError):
        return f"{where} has no model {settings.model}, or no chat completions there (HTTP 404).", True
    if isinstance(error, openai.APIStatusError):
        return f"{where} failed (HTTP {error.status_code}).", False
    if isinstance(error, openai.APIConnectionError):
        return f"{where} cannot be reached.", False
    return f"{where} gave no usable answer ({type(error).__name__}).", False


def _read(text: str, answer_type: type[AnswerT], objection: Callable[[AnswerT], str]) -> tuple[AnswerT | None, str]:
    """The answer, or None and what is wrong with it."""
    bare = text.strip().removeprefix("```json").removeprefix("```").removesuffix("```").strip()
    try:
        answer = answer_type.model_validate_json(bare)
    except ValidationError as error:
        found = cast(list[Mapping[str, Any]], error.errors(include_url=False, include_input=False))
        problem = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'answer'}: {one['msg']}" for one in found[:5])
        return None, problem[:SHOWN_CHARACTERS] + "."
    problem = objection(answer)
    return (None, problem[:SHOWN_CHARACTERS]) if problem else (answer, "")
