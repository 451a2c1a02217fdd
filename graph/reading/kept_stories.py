"""Stories of lines, computed when first asked for and kept with their run."""

import json

from graph.computation.estimate_desk import EstimateDesk
from graph.computation.estimates import code_version
from graph.stores import Stores
from graph.views.line_stories import LineStoryView

KIND = "story"
TELLING = ("ordering", "forecasting", "lead_times")
"""Folders of `tools` whose code a story comes from."""


class KeptStories:
    """Reads stories of a run's lines; computes one that was never told, or was told by other code."""

    def __init__(self, stores: Stores, desk: EstimateDesk) -> None:
        self._stores = stores
        self._desk = desk

    def story(self, run_id: str, line_id: str) -> LineStoryView:
        """The story of a line. NotFound, and BadInput for a line that changes an open order."""
        warehouse, code = self._stores.warehouse, code_version(TELLING)
        kept = warehouse.artifact(run_id, KIND, line_id)
        if kept is not None and kept["code"] == code:
            return LineStoryView.model_validate(json.loads(kept["story"]))
        from graph.reading.line_stories import line_story

        made = line_story(run_id, line_id, self._desk, warehouse, self._stores.operations)
        warehouse.put_artifact(run_id, KIND, line_id, {"code": code, "story": json.dumps(made.model_dump(mode="json"))})
        return made
