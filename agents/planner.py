"""The planner with a language model: it picks among computed options and words why."""

from collections.abc import Mapping

from pydantic import Field

from agents.chat import ChatModel, ModelAnswer, Unanswered, document
from agents.contracts import Planner, PlannerBrief, PlannerChoice
from agents.grounding import unknown_numbers


class GroupChoice(ModelAnswer):
    """One group's option and why."""

    group: str
    option_id: str
    reason: str = Field(min_length=1, max_length=600)


class PlannerAnswer(ModelAnswer):
    """One choice for every group of the document."""

    choices: list[GroupChoice]


class LlmPlanner:
    """Asks a model to choose; `twin` chooses when it gives no usable answer."""

    def __init__(self, chat: ChatModel, twin: Planner) -> None:
        self._chat = chat
        self._twin = twin

    def choose(self, brief: PlannerBrief) -> PlannerChoice:
        """Choose one option id of the brief for every group."""
        if not brief.options:
            return self._twin.choose(brief)
        known = planner_document(brief)
        try:
            asked = self._chat.ask("planner", known, PlannerAnswer, lambda said: planner_objection(said, brief))
        except Unanswered as failed:
            return self._twin.choose(brief).model_copy(update=dict(failed.record))
        return PlannerChoice(
            choices={made.group: made.option_id for made in asked.answer.choices},
            reasons={made.group: made.reason for made in asked.answer.choices},
            **asked.record,
        )


def planner_document(brief: PlannerBrief) -> Mapping[str, object]:
    """The options by group, the service floor and what the gates said."""
    groups: dict[str, list[object]] = {}
    for option in brief.options:
        groups.setdefault(option.group, []).append(option.model_dump(mode="json", exclude={"group"}))
    return {
        "currency": brief.currency,
        "service_floor": brief.service_floor,
        "groups": [{"group": group, "options": options} for group, options in groups.items()],
        "feedback": list(brief.feedback),
    }


def planner_objection(said: PlannerAnswer, brief: PlannerBrief) -> str:
    """Empty when every group has exactly one of its own options and no reason holds a number of its own."""
    allowed: dict[str, list[str]] = {}
    for option in brief.options:
        allowed.setdefault(option.group, []).append(option.option_id)
    if sorted(made.group for made in said.choices) != sorted(allowed):
        return f"choices: exactly one for each group is needed; the groups are {', '.join(allowed)}."
    for made in said.choices:
        if made.option_id not in allowed[made.group]:
            return f"choices: group {made.group} has these option_id: {', '.join(allowed[made.group])}."
    known_text = document(planner_document(brief))
    strange = [number for made in said.choices for number in unknown_numbers(made.reason, known_text)]
    return f"reason: these do not stand in the document: {', '.join(strange[:3])}." if strange else ""
