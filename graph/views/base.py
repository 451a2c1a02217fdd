"""What every view is: frozen, and JSON by its fields.

The command line, the web pages and the HTTP API all render views and nothing else, so that a local session
and one that talks to a running server look the same.
"""

from pydantic import BaseModel, ConfigDict


class View(BaseModel):
    """A frozen view."""

    model_config = ConfigDict(frozen=True)
