"""Forecasts and estimate versions on the terminal: figures, accuracy, provenance."""

from collections.abc import Sequence

from graph.views.forecasts import BacktestView, EstimateView, ForecastRowView, ForecastView
from terminal.fan import draw_fan, spark
from terminal.figures import count, moment, program, rough, share, units
from terminal.screen import aligned, bullet, heading, pairs, say, say_whole, shorten, table

PERIODS_SHOWN = 12
ROWS_SHOWN = 40
NAME_LENGTH = 24
SHOWN_QUANTILES = ("0.025", "0.1", "0.5", "0.9", "0.975")


def show_forecast(view: ForecastView, *, plot: bool = False) -> None:
    """One item: pattern and model, chart when asked, quantiles, demand while waiting, accuracy, where it comes from."""
    say(f"{view.item_id} {view.item} at {view.site_id}".replace("  ", " "), "bold")
    pairs(_facts(view))
    for note in view.notes:
        bullet(note, "yellow")
    if plot:
        heading(f"Demand per {view.period}")
        draw_fan(view)
    heading(f"Forecast, {view.uom} per {view.period}")
    shown = range(min(PERIODS_SHOWN, len(view.dates)))
    names = (view.period, *(f"{float(level):g}" for level in SHOWN_QUANTILES), "mean")
    rows = [
        (view.dates[n], *(units(view.quantiles[level][n]) for level in SHOWN_QUANTILES), units(view.mean[n]))
        for n in shown
    ]
    table(names, rows, right=names[1:])
    if len(view.dates) > PERIODS_SHOWN:
        say(f"{len(view.dates) - PERIODS_SHOWN} more {view.period}s with --json.", "dim")
    _show_lead_time_demand(view)
    _show_accuracy(view)
    _show_provenance(view.estimate)


def _facts(view: ForecastView) -> list[tuple[str, object]]:
    facts: list[tuple[str, object]] = [
        ("demand", f"{view.pattern}, {count(len(view.history), view.period)} of history up to {view.as_of}"),
        ("model", view.model if view.fallback is None else f"{view.model}: {view.fallback}"),
    ]
    if view.other_sites:
        facts.append(("other sites", ", ".join(view.other_sites)))
    if view.actuals:
        facts.append(("came since", f"{count(len(view.actuals), view.period)}, recorded in {view.actuals_from}"))
    for earlier in view.earlier[:1]:
        facts.append((f"{earlier.version} said", f"{units(earlier.median[0])} from {earlier.dates[0]} (median)"))
    return facts


def _show_lead_time_demand(view: ForecastView) -> None:
    if not view.lead_time_demand:
        return
    heading(f"Demand while one waits, {view.uom}")
    levels = tuple(view.lead_time_demand[0].quantiles)
    names = ("offer", "supplier", "price", "days 10-50-90 %", "mean", *(f"{float(q):.0%}" for q in levels))
    rows = [
        (
            f"{one.role}{f', {one.transport_mode}' if one.transport_mode else ''}",
            shorten(one.supplier, NAME_LENGTH),
            f"{one.unit_price:,.2f} {one.currency}",
            " ".join(units(days) for days in one.lead_time_days.values()),
            units(round(one.mean_units)),
            *(units(round(one.quantiles[level])) for level in levels),
        )
        for one in view.lead_time_demand
    ]
    table(names, rows, right=names[2:])


def _show_accuracy(view: ForecastView) -> None:
    heading("Accuracy")
    if view.backtest is not None:
        show_backtest(view.backtest)
        return
    if not view.accuracy:
        say("The history is too short to measure it.", indent=2)
        return
    pairs((name.replace("_", " ").replace("mase", "MASE"), rough(value)) for name, value in view.accuracy.items())
    say_whole(f"  {program()} forecast {view.item_id} --backtest measures it from earlier clocks.", "dim")


def show_backtest(view: BacktestView) -> None:
    """Figures of one backtest, with what they are compared with."""
    ratio = view.to_naive
    if ratio is not None:
        say(f"Backtest of {count(view.forecasts, 'forecast')}: {_against_naive(ratio)}.", indent=2)
    pairs(
        [
            ("MASE, RMSSE", f"{_figure(view.mase)}, {_figure(view.rmsse)}"),
            ("weighted quantile loss", f"{_figure(view.wql)}; seasonal naive {_figure(view.wql_naive)}"),
            ("inside 50, 80, 95 %", _shares(view.coverage_50, view.coverage_80, view.coverage_95)),
            ("lead-time demand 80, 95 %", _shares(view.lead_time_coverage_80, view.lead_time_coverage_95)),
            ("bias", "not known" if view.bias is None else _signed(view.bias)),
        ]
    )


def _against_naive(ratio: float) -> str:
    side = "below" if ratio <= 1 else "above"
    return f"loss {share(abs(1 - ratio), 0)} {side} the seasonal naive forecast's"


def _signed(value: float) -> str:
    return f"{value:+.0%}".replace("%", " %")


def _figure(value: float | None) -> str:
    return "not known" if value is None else rough(value)


def _shares(*values: float | None) -> str:
    return ", ".join("not known" if value is None else share(value, 0) for value in values)


def _show_provenance(estimate: EstimateView) -> None:
    heading("Where it comes from")
    held = ", held" if estimate.held else ""
    pairs(
        [
            ("estimate version", f"{estimate.version}{f' (active{held})' if estimate.active else ''}"),
            ("dataset", estimate.dataset_version),
            ("models", estimate.model_version),
            ("code, seed", f"{estimate.code_version}, {estimate.seed}"),
            ("made", moment(estimate.created_at)),
        ]
    )


def show_forecasts(rows: Sequence[ForecastRowView], *, everything: bool = False) -> None:
    """Every item in a row, the worst accuracy first."""
    shown = rows if everything else rows[:ROWS_SHOWN]
    names = ("item", "name", "pattern", "recent", "median", "80 %", "MASE", "to naive", "in 80 %", "bias")
    told = [
        (
            row.item_id,
            row.item,
            row.pattern,
            spark(row.recent[-PERIODS_SHOWN:]),
            units(row.next_median),
            f"{units(round(row.next_low))} to {units(round(row.next_high))}",
            "" if row.mase is None else f"{row.mase:.2f}",
            "" if row.loss_to_naive is None else f"{row.loss_to_naive:.2f}",
            "" if row.coverage_80 is None else share(row.coverage_80, 0),
            "" if row.bias is None else _signed(row.bias),
        )
        for row in shown
    ]
    header, *lines = aligned([names, *told], right=range(4, len(names)), give=1)
    say_whole(header, "bold")
    for line in lines:
        say_whole(line)
    if len(shown) < len(rows):
        say_whole(f"{len(rows) - len(shown)} more: {program()} forecast --all")
    if rows:
        say(
            f"Next {rows[0].period} of {rows[0].estimate_version}; `to naive` is the quantile loss as a share of the "
            f"seasonal naive forecast's, the worst first. {_measured(rows)}",
            "dim",
        )


def _measured(rows: Sequence[ForecastRowView]) -> str:
    if any(row.measured == "backtest" for row in rows):
        return "Accuracy from the stored backtest."
    return f"MASE as fitted; `{program()} forecast --backtest` measures more, from earlier clocks."


def show_backtests(views: Sequence[BacktestView]) -> None:
    """A backtest by demand class and over all items."""
    heading("Backtest")
    names = ("items", "forecasts", "MASE", "RMSSE", "loss", "naive", "in 50 %", "in 80 %", "in 95 %", "bias")
    rows = [
        (
            view.name,
            view.forecasts,
            *(_figure(value) for value in (view.mase, view.rmsse, view.wql, view.wql_naive)),
            *(_shares(value) for value in (view.coverage_50, view.coverage_80, view.coverage_95)),
            "" if view.bias is None else _signed(view.bias),
        )
        for view in views
        if view.group != "item"
    ]
    table(names, rows, right=names[1:])


def show_estimates(found: Sequence[EstimateView]) -> None:
    """Versions with what differs from the one before, and whose choice is held."""
    if not found:
        say(f"No estimate yet. `{program()} plan` or `{program()} forecast` makes one.")
        return
    names = ("version", "active", "dataset", "made", "seed", "stored", "differs from the one before")
    rows = [
        (
            one.version,
            ("held" if one.held else "yes") if one.active else "",
            one.dataset_version,
            moment(one.created_at),
            one.seed,
            "whole" if one.kept else "figures",
            "; ".join(one.differences),
        )
        for one in found
    ]
    table(names, rows, right=("seed",), fold="differs from the one before")
    held = next((one for one in found if one.held), None)
    if held is not None:
        why = f": {held.reason}" if held.reason else ""
        say(f"The parameters of {held.version} are held on to; chosen by {held.chosen_by}{why}.", "yellow")
        say_whole(f"{program()} estimates activate configured goes back to the settings.")
