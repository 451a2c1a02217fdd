"""One question to a model: a JSON answer in a strict schema, one retry, and a circuit breaker."""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from agents.llm import LlmSettings, ModelServer, Outage, Reply

log = logging.getLogger(__name__)
PROMPTS = Path(__file__).parent / "prompts"
ATTEMPTS = 2
SHOWN_CHARACTERS = 400
CHECK_SECONDS = 5.0
DECIMALS = 4
"""Of the figures that a model is shown."""


class ModelAnswer(BaseModel):
    """What a model may say: no field beyond the schema, no value of another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


AnswerT = TypeVar("AnswerT", bound=ModelAnswer)


class Unanswered(Exception):
    """The model gave no usable answer; its rule-based twin decides. Holds no secret."""

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


@lru_cache(maxsize=16)
def prompt(name: str) -> str:
    """The instructions of one agent."""
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8")


def document(brief: Mapping[str, Any]) -> str:
    """A brief as one JSON document: no text inside it can leave its quotes. Figures are rounded."""
    return json.dumps(_rounded(brief), ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, Mapping):
        return {str(key): _rounded(part) for key, part in cast(Mapping[Any, Any], value).items()}
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in cast(list[Any], value)]
    return value


class ChatModel:
    """Asks one server. After it failed, every question falls back at once until the cool-down is over."""

    def __init__(self, settings: LlmSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._server = ModelServer(settings)
        self._clock = clock
        self._lock = threading.Lock()
        self._out_until = float("-inf")
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
        """
        schema = json.dumps(answer_type.model_json_schema(), separators=(",", ":"))
        instructions = f"{prompt(prompt_name)}\nAnswer with one JSON object of this JSON schema:\n{schema}"
        messages = [("system", instructions), ("human", document(brief))]
        self._server.connect()
        deadline = self._clock() + self._settings.timeout_seconds
        tokens_in = tokens_out = 0
        problem = ""
        for _ in range(ATTEMPTS):
            reply = self._reply(messages, deadline)
            if isinstance(reply, Outage):
                raise Unanswered(reply.reason, self.name, tokens_in, tokens_out)
            tokens_in, tokens_out = tokens_in + reply.tokens_in, tokens_out + reply.tokens_out
            answer, problem = _read(reply.text, answer_type, objection)
            if answer is not None:
                return Asked(answer, self.name, tokens_in, tokens_out)
            retry = f"That answer was refused: {problem} Answer again with one JSON object of the schema."
            messages = [*messages, ("ai", reply.text or "(nothing)"), ("human", retry)]
        reason = f"The model's answer was refused twice: {problem}"
        log.warning("%s: %s The rules decide.", prompt_name, reason)
        raise Unanswered(reason, self.name, tokens_in, tokens_out)

    def check(self) -> str:
        """Ask the server for a word; empty when it answers, else why it does not."""
        found = self._server.complete([("human", "Answer with the empty JSON object {}.")], CHECK_SECONDS)
        return found.reason if isinstance(found, Outage) else ""

    def close(self) -> None:
        """Close the connections; the next question opens new ones."""
        self._server.close()

    def _reply(self, messages: list[tuple[str, str]], deadline: float) -> Reply | Outage:
        if self._clock() < self._out_until:
            return Outage(self._outage, lasting=False)
        found = self._server.complete(messages, max(0.001, deadline - self._clock()))
        if isinstance(found, Outage):
            self._open_circuit(found)
        return found

    def _open_circuit(self, outage: Outage) -> None:
        """Leave the server alone; the first of several parallel failures warns."""
        with self._lock:
            now = self._clock()
            first = now >= self._out_until
            until = float("inf") if outage.lasting else now + self._settings.cool_down_seconds
            self._out_until = max(self._out_until, until)
            self._outage = outage.reason
        if first:
            log.warning("%s The rules decide%s.", outage.reason, "" if outage.lasting else " until it answers")


def _read(text: str, answer_type: type[AnswerT], objection: Callable[[AnswerT], str]) -> tuple[AnswerT | None, str]:
    """The answer, or None and what is wrong with it."""
    bare = text.strip().removeprefix("```json").removeprefix("```").removesuffix("```").strip()
    try:
        answer = answer_type.model_validate_json(bare)
    except ValidationError as error:
        found = cast(list[Mapping[str, Any]], error.errors(include_url=False, include_input=False))
        return None, "; ".join(_problem(one) for one in found[:5])[:SHOWN_CHARACTERS] + "."
    problem = objection(answer)
    return (None, problem[:SHOWN_CHARACTERS]) if problem else (answer, "")


def _problem(found: Mapping[str, Any]) -> str:
    """One violation of the schema, without the names of fields that a model made up."""
    place = [str(part) for part in found["loc"]]
    if found["type"] == "extra_forbidden":
        place = [*place[:-1], "a field of no schema"]
    return f"{'.'.join(place) or 'answer'}: {found['msg']}"
