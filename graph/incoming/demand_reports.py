"""What an import found of how demand is recorded, for the report of it."""

from graph.computation.estimates import planning_period
from tools.domain.datasets import Dataset
from tools.forecasting.preparation.catalogue_records import read_catalogue
from tools.rhythm import reporting_words


def demand_words(dataset: Dataset) -> list[str]:
    """Rhythm, dates and reach of a dataset's demand, a sentence each; none without demand."""
    histories = list(dataset.demand.values())
    if not histories:
        return []
    read = read_catalogue(histories, dataset.as_of, planning_period(dataset), {}, dataset.calendar)
    item_ids, site_ids = [h.item_id for h in histories], [h.site_id for h in histories]
    return reporting_words(read.reporting, item_ids, site_ids, dataset.as_of)
