"""The agents of an installation with a language model: one model for all, each with its rule-based twin."""

from agents.analyst import LlmAnalyst
from agents.chat import ChatModel
from agents.contracts import Agents
from agents.extractor import LlmExtractor
from agents.llm import LlmSettings
from agents.negotiator import LlmNegotiator
from agents.planner import LlmPlanner
from agents.risk import LlmRiskAgent
from agents.rules import rule_agents


def llm_agents(settings: LlmSettings) -> Agents:
    """Agents that share one model, and so its circuit breaker: a server that is out is asked and warned of once."""
    chat, twins = ChatModel(settings), rule_agents()
    return Agents(
        planner=LlmPlanner(chat, twins.planner),
        risk=LlmRiskAgent(chat, twins.risk),
        negotiator=LlmNegotiator(chat, twins.negotiator),
        analyst=LlmAnalyst(chat, twins.analyst),
        extractor=LlmExtractor(chat, twins.extractor),
        close=chat.close,
        check=chat.check,
    )
