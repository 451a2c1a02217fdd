"""Drift in a run: alarms from its histories and receipts, judged by the gate `drift`, stored and replayed."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson

from graph.context import Context
from graph.facts import records
from graph.run.state import Json
from graph.run.transitions import stable_hash
from policies.facts import BASIS_POINTS, DriftFacts
from policies.gates import Effect, RuleSet, Verdict, evaluate
from store.warehouse import Warehouse
from tools.domain.datasets import Dataset
from tools.domain.orders import Order
from tools.drift import DriftAlarm, DriftReport, DriftSettings, ObservedSeries, demand_series, lead_time_series, watch
from tools.forecasting import DemandForecast

RECENT = "drift_recent_observations"
"""Limit in the rule file: age up to which an alarm is told."""
UNKNOWN_RECENT = 4
PERCENT = BASIS_POINTS // 100
SHOWN_SHORT = 20
"""Series too short to be watched that are stored in words; the rest is counted."""
LIMITS = "drift_"
"""How the names of the limits begin that the detectors take."""


def watched(
    dataset: Dataset,
    forecasts: Sequence[DemandForecast],
    item_ids: Collection[str],
    limits: Mapping[str, int],
    lead_times: Sequence[ObservedSeries] | None = None,
) -> DriftReport:
    """Alarms about the items and about the suppliers that offer them; the same for the same arguments.

    `lead_times`: those of all suppliers of the dataset, where they are known.
    """
    if lead_times is None:
        lead_times = lead_time_series(dataset.offers, dataset.receipts, dataset.as_of)
    offers = (offer for item_id in item_ids for offer in dataset.offers_by_item.get(item_id, ()))
    suppliers = {offer.supplier_id for offer in offers}
    histories = demand_series([made.history for made in forecasts])
    series = [*histories, *(one for one in lead_times if one.subject in suppliers)]
    return watch(series, DriftSettings.of_limits(limits))


def judge(report: DriftReport, rules: RuleSet) -> list[Json]:
    """What the rules say of the newest alarm of each subject and kind; nothing where no rule fires."""
    latest = report.latest()
    recent = Counter((a.kind, a.direction) for a in latest if a.age <= rules.limits.get(RECENT, UNKNOWN_RECENT))
    return [
        records.verdict(verdict, alarm.subject.partition("@")[0])
        for alarm in latest
        for verdict in evaluate(_facts(alarm, recent[alarm.kind, alarm.direction], report), rules)
        if verdict.effect is not Effect.ALLOW
    ]


def _facts(alarm: DriftAlarm, recent: int, report: DriftReport) -> DriftFacts:
    return DriftFacts(
        kind=alarm.kind.value,
        subject=alarm.subject,
        direction="above" if alarm.direction == "above" else "below",
        size_bp=round(100 * alarm.size) * PERCENT,
        since=alarm.since_date.isoformat(),
        observations_to_detect=alarm.observations_to_detect,
        age_observations=alarm.age,
        drifting=recent,
        watched=report.watched.get(alarm.kind.value, 0),
    )


def stored_drift(
    run_id: str, dataset: Dataset, forecasts: Sequence[DemandForecast], item_ids: Collection[str], context: Context
) -> Json:
    """Find, judge and store the drift of a run; gives its verdicts and, for the journal, its counts."""
    limits = {name: value for name, value in context.rules.limits.items() if name.startswith(LIMITS)}
    report = watched(dataset, forecasts, item_ids, limits, context.desk.lead_time_series(dataset.version))
    verdicts = judge(report, context.rules)
    alarms = as_records(report)
    short = {"too_short": len(report.too_short), "too_short_first": list(report.too_short[:SHOWN_SHORT])}
    told = {"limits": limits, "watched": dict(report.watched), **short}
    context.warehouse.put_artifact(run_id, "drift", "alarms", {"alarms": alarms, "verdicts": verdicts, **told})
    counts = Counter(str(alarm["kind"]) for alarm in alarms)
    return {"verdicts": verdicts, "count": len(alarms), "hash": alarm_hash(alarms), **counts}


def as_records(report: DriftReport) -> list[Json]:
    """The newest alarm of each subject and kind as JSON."""
    return orjson.loads(orjson.dumps([asdict(alarm) for alarm in report.latest()]))


def alarm_hash(alarms: Sequence[Mapping[str, Any]]) -> str:
    """Identity of the alarms of a run."""
    return stable_hash(list(alarms))


def about_order(of_subject: Mapping[str, Sequence[Json]], order: Order) -> list[Verdict]:
    """What the gate `drift` says of an order's supplier and items, by subject; each order carries it to its end."""
    names = dict.fromkeys((order.supplier_id, *sorted(order.item_ids)))
    return [records.verdict_from(raw) for name in names for raw in of_subject.get(name, ())]


def replayed_drift(
    run_id: str, dataset: Dataset, forecasts: Sequence[DemandForecast], item_ids: Collection[str], warehouse: Warehouse
) -> Json:
    """Whether the stored alarms come out again from the dataset, the run's histories and its limits."""
    stored = warehouse.artifact(run_id, "drift", "alarms")
    if stored is None:
        return {}
    again = as_records(watched(dataset, forecasts, item_ids, stored["limits"]))
    return {"drift_identical": alarm_hash(again) == alarm_hash(stored["alarms"])}
