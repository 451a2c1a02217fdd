"""Records over HTTP: journal, alerts, datasets, rejected rows, forecasts, estimates and lead times."""

import json
from collections.abc import Mapping, Sequence

from graph.views.forecasts import BacktestView, EstimateView, ForecastRowView, ForecastView
from graph.views.installation import DatasetView, RejectView
from graph.views.lead_times import LeadTimesView
from graph.views.runs import AlertView, JournalCheckView, TransitionView
from web import endpoints
from web.auth import Asker, acting_name, require
from web.bodies import (
    BacktestBody,
    EstimatesBody,
    GivenAlertBody,
)
from web.paging import Paged
from web.routes.base import BY_HAND, Session, bounded, router, serves
from web.webhook import alert_event

ROUTES = router()


@serves(ROUTES, endpoints.JOURNAL)
def journal(asker: Asker, session: Session, page: Paged, run_id: str | None = None) -> Sequence[TransitionView]:
    """Transitions in order, of one run or of all, a page at a time; `X-Total-Count` tells how many there are."""
    return page.of(session.journal(run_id))


@serves(ROUTES, endpoints.VERIFY_JOURNAL)
def verify(asker: Asker, session: Session) -> JournalCheckView:
    """Check the hash chain."""
    return session.verify_journal()


@serves(ROUTES, endpoints.ALERTS)
def alerts(asker: Asker, session: Session, limit: int = 50) -> Sequence[AlertView]:
    """Alerts that were received, latest first, and the run that each set off."""
    return session.alerts(bounded(limit))


@serves(ROUTES, endpoints.GIVE_ALERT)
def give_alert(body: GivenAlertBody, asker: Asker, session: Session) -> Mapping[str, object]:
    """Give a supplier alert by hand, without a signature: for admins, whose name it carries from then on."""
    require(asker, "give_alert")
    event = alert_event(json.dumps(body.event).encode())
    return session.receive_alert(body.message_id, event, BY_HAND, acting_name(asker, body.actor))


@serves(ROUTES, endpoints.DATASETS)
def datasets(asker: Asker, session: Session, page: Paged) -> Sequence[DatasetView]:
    """Dataset versions, newest first, a page at a time; the active one is planned on."""
    return page.of(session.datasets())


@serves(ROUTES, endpoints.FORECAST)
def forecast(
    item_id: str, asker: Asker, session: Session, site_id: str | None = None, version: str | None = None
) -> ForecastView:
    """An item's demand forecast with accuracy, provenance and a chart; that of the next run without a version."""
    return session.forecast(item_id, site_id, version)


@serves(ROUTES, endpoints.FORECASTS)
def forecasts(asker: Asker, session: Session, page: Paged, version: str | None = None) -> Sequence[ForecastRowView]:
    """Every item's forecast in a row, the worst accuracy first, a page at a time."""
    return page.of(session.forecasts(version))


@serves(ROUTES, endpoints.ESTIMATES)
def estimates(asker: Asker, session: Session, limit: int = 20) -> Sequence[EstimateView]:
    """Estimate versions, newest first, each with what differs from the one before."""
    return session.estimates(bounded(limit))


@serves(ROUTES, endpoints.ACTIVATE_ESTIMATES)
def activate_estimates(body: EstimatesBody, asker: Asker, session: Session) -> EstimateView:
    """Plan with an earlier estimate version; `configured` goes back to the settings."""
    require(asker, "estimates")
    return session.activate_estimates(body.version, acting_name(asker, body.actor), body.reason)


@serves(ROUTES, endpoints.BACKTESTS)
def backtests(asker: Asker, session: Session, page: Paged, version: str | None = None) -> Sequence[BacktestView]:
    """The stored accuracy of a version: of all items, by demand class, by item; a page at a time."""
    return page.of(session.backtests(version))


@serves(ROUTES, endpoints.BACKTEST)
def backtest(body: BacktestBody, asker: Asker, session: Session) -> Sequence[BacktestView]:
    """Forecast again from earlier clocks and store the accuracy."""
    require(asker, "estimates")
    return session.backtest(body.version)


@serves(ROUTES, endpoints.LEAD_TIMES)
def lead_times(asker: Asker, session: Session, subject: str | None = None, version: str | None = None) -> LeadTimesView:
    """How suppliers keep their quotes, the worst first; of a supplier, item or order its offers and open orders."""
    return session.lead_times(subject, version)


@serves(ROUTES, endpoints.REJECTS)
def rejects(asker: Asker, session: Session, limit: int = 500) -> Sequence[RejectView]:
    """Rows that imports turned away, oldest import first."""
    return session.rejects(max(1, min(limit, 5000)))
