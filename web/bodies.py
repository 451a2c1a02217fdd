"""What the API takes."""

from datetime import date
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from graph.views.runs import TriggerKind
from tools.domain.alerts import AlertKind, DelayDays, Share
from tools.domain.calendar_days import PlanningDay, StartDay
from tools.domain.plain_json import misfit


class Body(BaseModel):
    """A closed request body: a misspelt field is an error, not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _fits(cls, given: Any) -> Any:
        """Refuse what no database could store, before any field is read."""
        reason = misfit(given)
        if reason:
            raise PydanticCustomError("misfit", "{reason}", {"reason": reason})
        return given


class RunBody(Body):
    """Why a run should start; no items means all. Alerts start runs through the inbox only."""

    kind: TriggerKind = TriggerKind.ANALYST
    actor: str = ""
    reason: str = Field(default="", max_length=2000)
    item_ids: tuple[str, ...] = ()
    dataset_version: str | None = None

    @field_validator("kind")
    @classmethod
    def _is_asked_for(cls, kind: TriggerKind) -> TriggerKind:
        if kind is TriggerKind.ALERT:
            raise PydanticCustomError("alert", "an alert starts a run through POST /api/alerts only, signed")
        return kind


class DecisionBody(Body):
    """A decision on an approval, bound to the content that was seen."""

    decision: str = Field(pattern="^(approve|edit|reject)$")
    reason: str = Field(default="", max_length=2000)
    content_hash: str | None = None
    edits: dict[str, float] | None = None
    """Line id to quantity, with `edit`."""
    until: date | None = None
    """Last day on which a rejection or an edit binds the next runs; left out for no end."""
    actor: str = ""


class PreviewBody(Body):
    """Quantities that an order might have."""

    edits: dict[str, float]
    """Line id to quantity."""


class ReconsiderBody(Body):
    """Why a rejection or an edit is taken back."""

    reason: str = Field(default="", max_length=2000)
    actor: str = ""


class OnePersonBody(Body):
    """Whether the installation has one person."""

    on: bool = True
    actor: str = ""


class WithdrawalBody(Body):
    """Why an approval is taken back."""

    reason: str = Field(default="", max_length=2000)
    actor: str = ""


class CancelBody(Body):
    """Why a run is ended while it computes."""

    reason: str = Field(default="", max_length=2000)
    actor: str = ""


class QuestionBody(Body):
    """A question in words."""

    question: str = Field(min_length=1, max_length=4000)
    conversation: str = Field(default="main", max_length=100)
    actor: str = ""


class ObserveBody(Body):
    """How far to move the sandbox's clock first."""

    advance_days: int = Field(default=0, ge=0, le=365)


class HaltBody(Body):
    """Stop every dispatch, or allow it again."""

    on: bool = True
    actor: str = ""


class BackupBody(Body):
    """A backup in the home's folder of backups; the owner's key may name another file of the server's machine."""

    file: str = Field(default="", max_length=4096)
    actor: str = ""


class RollbackBody(Body):
    """The dataset or policy version to make active again."""

    point_id: str = Field(min_length=1)
    actor: str = ""


class EstimatesBody(Body):
    """The estimate version to plan with; `configured` for one made with the settings."""

    version: str = Field(min_length=1)
    reason: str = Field(default="", max_length=2000)
    actor: str = ""


class BacktestBody(Body):
    """The estimate version to measure; that of the next run when none is named."""

    version: str | None = None


class ImportBody(Body):
    """A folder on the server's machine."""

    folder: str = Field(min_length=1)
    as_of: PlanningDay | None = None
    lenient: bool = False


class GivenAlertBody(Body):
    """An alert that a person gives by hand, as the event that the webhook takes."""

    message_id: str = Field(min_length=1, max_length=200)
    event: dict[str, object]
    actor: str = ""


class AlertContent(Body):
    """The `data` of an alert event: typed (`kind` and `node_id`) or words for the extractor (`text`)."""

    kind: AlertKind | None = None
    node_id: str = Field(default="", max_length=200)
    item_ids: tuple[str, ...] = ()
    order_ids: tuple[str, ...] = ()
    delay_days: DelayDays = 0
    capacity_fraction: Share = 1.0
    starts: StartDay | None = None
    until: date | None = None
    confidence: Share = 1.0
    text: str = Field(default="", max_length=8000)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.text and (self.kind is None or not self.node_id):
            raise ValueError("give kind and node_id, or text")
        if self.starts and self.until and self.until < self.starts:
            raise ValueError("until lies before starts")
        return self
