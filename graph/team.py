"""The agents of an installation, as its settings name them."""

from pydantic import ValidationError

from agents.contracts import Agents
from agents.rules import rule_agents
from graph.settings import Settings
from tools.domain.errors import BadInput

OPENAI_URL = "https://api.openai.com/v1"


def agents_of(settings: Settings) -> Agents:
    """The rule-based agents, or agents with the configured model; a key alone configures none. BadInput."""
    if not settings.llm_model:
        return rule_agents()
    from agents.llm import LlmSettings
    from agents.team import llm_agents

    try:
        made = LlmSettings(
            base_url=settings.llm_base_url or OPENAI_URL,
            model=settings.llm_model,
            api_key=settings.openai_api_key,
            timeout_seconds=settings.llm_timeout_seconds,
        )
    except ValidationError as error:
        wrong = "; ".join(f"{one['loc'][0]} {one['msg']}" for one in error.errors(include_input=False))
        remedy = "Correct JIT_LLM_BASE_URL, JIT_LLM_MODEL or JIT_LLM_TIMEOUT_SECONDS."
        raise BadInput(f"The language model is not configured well: {wrong}.", remedy=remedy) from None
    return llm_agents(made)
