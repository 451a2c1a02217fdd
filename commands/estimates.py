"""Estimates: forecasts of demand, lead times of suppliers, and the versions of both."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.groups import Group
from commands.opening import actor, printed, session, stored
from commands.options import Actor, AsJson, Everything
from tools.domain.errors import BadInput

if TYPE_CHECKING:
    from graph.views.forecasts import BacktestView

GROUP = Group("Estimates")


@GROUP.command("forecast", example="forecast I010 --plot")
def forecast(
    item: Annotated[str | None, typer.Argument(help="Item; every item in a table when left out.")] = None,
    site: Annotated[str | None, typer.Option(help="Site, where the item has several.")] = None,
    version: Annotated[str | None, typer.Option(help="Estimate version; the next run's when left out.")] = None,
    plot: Annotated[bool, typer.Option("--plot", help="Draw history and intervals.")] = False,
    save: Annotated[Path | None, typer.Option(help="Write it to a .png, .svg, .html or .json file.")] = None,
    backtest: Annotated[
        bool, typer.Option("--backtest", help="Measure the accuracy first, from earlier clocks.")
    ] = False,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """The demand forecast of an item with accuracy and provenance, or of all items, the worst first."""
    if item is None and (plot or save or site):
        raise BadInput("--plot, --save and --site are about one item.", remedy="Name it: jit forecast ITEM --plot.")
    tested = _measured(version, quiet=as_json) if backtest else ()
    if item is None:
        _every_forecast(version, tested if backtest else None, everything=everything, as_json=as_json)
    else:
        _one_forecast(item, site, version, save, plot=plot, as_json=as_json)


def _every_forecast(
    version: str | None, tested: "Sequence[BacktestView] | None", *, everything: bool, as_json: bool
) -> None:
    from terminal.screen import working

    with working("Reading the forecasts", quiet=as_json):
        rows = list(stored().forecasts(version))
    from terminal.forecasts import show_backtests, show_forecasts

    if not printed(rows if tested is None else {"forecasts": rows, "backtest": tested}, as_json):
        show_forecasts(rows, everything=everything)
        if tested:
            show_backtests(tested)


def _one_forecast(
    item: str, site: str | None, version: str | None, save: Path | None, *, plot: bool, as_json: bool
) -> None:
    from terminal.screen import working

    with working(f"Reading the forecast of {item}", quiet=as_json) as tell:
        view = stored().forecast(item, site, version)
        if save:
            from terminal.pictures import save_forecast

            tell(f"Drawing {save}")
            save_forecast(view, save)
    from terminal.forecasts import show_forecast

    if not printed(view, as_json):
        show_forecast(view, plot=plot)
        if save:
            typer.echo(f"Written to {save}.")


def _measured(version: str | None, *, quiet: bool) -> "Sequence[BacktestView]":
    from terminal.screen import working

    with working("Forecasting again from earlier clocks", quiet=quiet):
        return list(session().backtest(version))


@GROUP.command("lead-times", example="lead-times S05")
def lead_times(
    subject: Annotated[
        str | None, typer.Argument(help="Supplier, item or open order; all suppliers when left out.")
    ] = None,
    version: Annotated[str | None, typer.Option(help="Estimate version; the next run's when left out.")] = None,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """How suppliers keep their quotes, the worst first; of one, of an item or an order when it arrives."""
    from terminal.screen import working

    with working("Reading lead times", quiet=as_json):
        view = stored().lead_times(subject, version)
    from terminal.lead_times import show_lead_times

    if not printed(view, as_json):
        show_lead_times(view, everything=everything)


@GROUP.command("estimates", example="estimates activate est-3-1f0c9a2b --reason 'the new ones overshoot'")
def estimates(
    action: Annotated[str | None, typer.Argument(help="activate; lists the versions when left out.")] = None,
    version: Annotated[str | None, typer.Argument(help="Version to plan with; `configured` for the settings.")] = None,
    reason: Annotated[str, typer.Option(help="Why; kept in the journal.")] = "",
    backtest: Annotated[bool, typer.Option("--backtest", help="Measure the accuracy of the active version.")] = False,
    limit: Annotated[int, typer.Option(help="How many.", min=1)] = 20,
    given: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Versions of the forecasts and lead times; `activate VERSION` plans with an earlier one again."""
    from terminal.given import check_activation
    from terminal.screen import working

    check_activation(action, version)
    if version is not None:
        with working(f"Activating {version}", quiet=as_json):
            session().activate_estimates(version, actor(given), reason)
    tested = _measured(None, quiet=as_json) if backtest else ()
    with working("Reading the versions", quiet=as_json):
        found = list(stored().estimates(limit))
    from terminal.forecasts import show_backtests, show_estimates

    if not printed({"estimates": found, "backtest": tested} if backtest else found, as_json):
        show_estimates(found)
        if tested:
            show_backtests(tested)
