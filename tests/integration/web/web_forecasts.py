"""Forecasts of the items of `web_stock`: a level with a spread, in two estimate versions."""

from datetime import UTC, date, datetime, timedelta

from integration.web.web_stock import Stocked

from graph.views.forecasts import (
    BacktestView,
    EarlierView,
    EstimateView,
    ForecastRowView,
    ForecastView,
    LeadTimeDemandView,
)
from tools.forecasting.chart import FanChart, fan_option

START = date(2026, 6, 30)
WEEKS = 13
LEVELS = {"0.025": 0.6, "0.1": 0.8, "0.25": 0.9, "0.5": 1.0, "0.75": 1.1, "0.9": 1.25, "0.975": 1.5}


def version_of(number: int, active: bool, chosen_by: str = "program", reason: str = "") -> EstimateView:
    seed = 6 + number
    return EstimateView(
        version=f"est-{number}-00c0ffee",
        number=number,
        dataset_version="ds-1-ab12cd34",
        model_version="demand 2, lead time 2",
        parameters={"forecast": {"seed": seed}, "horizon_periods": WEEKS},
        seed=seed,
        code_version="0.1.0+c0ffee00",
        created_at=datetime(2026, 6, 30, 7 + number, tzinfo=UTC),
        content_hash="00c0ffee" * 8,
        parent=f"est-{number - 1}-00c0ffee" if number > 1 else None,
        active=active,
        held=active and chosen_by != "program",
        kept=True,
        chosen_by=chosen_by if active else "",
        reason=reason if active else "",
        differences=(f"forecast.seed {seed - 1} → {seed}",) if number > 1 else (),
    )


def backtest_of(item: Stocked, version: str) -> BacktestView:
    return BacktestView(
        group="item",
        name=item.item_id,
        item=item.name,
        site_id="MAIN",
        pattern="smooth",
        forecasts=4,
        mase=0.8,
        rmsse=0.75,
        wql=0.18,
        wql_naive=0.24,
        coverage_50=0.52,
        coverage_80=0.81,
        coverage_95=0.94,
        lead_time_coverage_80=0.79,
        lead_time_coverage_95=0.95,
        bias=0.03,
        estimate_version=version,
        dataset_version="ds-1-ab12cd34",
    )


def forecast_of(item: Stocked, estimate: EstimateView, tested: BacktestView | None) -> ForecastView:
    weekly = item.daily * 7
    dates = tuple((START + timedelta(weeks=n, days=1)).isoformat() for n in range(WEEKS))
    history_dates = tuple((START - timedelta(weeks=26 - n, days=-1)).isoformat() for n in range(26))
    history = tuple(weekly * (1 + 0.2 * ((n * 7) % 5 - 2) / 2) for n in range(26))
    quantiles = {level: tuple(weekly * share for _ in dates) for level, share in LEVELS.items()}
    earlier = EarlierView(version="est-1-00c0ffee", dates=dates, median=tuple(weekly * 0.95 for _ in dates))
    chart = FanChart("each", "week", history_dates, history, dates, quantiles)
    return ForecastView(
        item_id=item.item_id,
        item=item.name,
        site_id="MAIN",
        uom="each",
        as_of=START,
        period="week",
        pattern="smooth",
        model="seasonal mean",
        fallback=None,
        notes=("A calendar was given.",),
        dates=dates,
        mean=quantiles["0.5"],
        quantiles=quantiles,
        history_dates=history_dates,
        history=history,
        earlier=(earlier,) if estimate.number > 1 else (),
        lead_time_demand=(
            LeadTimeDemandView(
                role="cheapest and fastest",
                offer_id=f"OF-{item.item_id}",
                supplier=item.supplier,
                transport_mode="truck",
                unit_price=item.price,
                currency="EUR",
                lead_time_days={"0.1": item.lead_days * 0.8, "0.5": item.lead_days, "0.9": item.lead_days * 1.4},
                lead_time_source="offer",
                mean_units=item.daily * item.lead_days,
                quantiles={"0.5": item.daily * item.lead_days, "0.95": item.daily * item.lead_days * 1.6},
            ),
        ),
        accuracy={"mase": 0.8},
        backtest=tested,
        estimate=estimate,
        chart=fan_option(chart),
    )


def row_of(item: Stocked, version: str, tested: BacktestView | None) -> ForecastRowView:
    weekly = item.daily * 7
    return ForecastRowView(
        item_id=item.item_id,
        item=item.name,
        site_id="MAIN",
        uom="each",
        period="week",
        pattern="smooth",
        model="seasonal mean",
        fallback=None,
        next_low=weekly * 0.8,
        next_median=weekly,
        next_high=weekly * 1.25,
        recent=(weekly, weekly * 1.2, weekly * 0.9),
        loss_to_naive=tested.to_naive if tested else None,
        measured="backtest" if tested else "",
        estimate_version=version,
    )
