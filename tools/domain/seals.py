"""The hash that a signature binds to."""

import hashlib
import json
from collections.abc import Mapping

from tools.domain.errors import BadInput


def content_hash(order: Mapping[str, object], policy_version: str, facts: Mapping[str, object]) -> str:
    """SHA-256 over canonical JSON of the order, the policy version and the facts: change one field and it is void.

    Raises BadInput when something in them is no plain JSON value, since its text could change without its meaning.
    """
    bound = {"order": order, "policy_version": policy_version, "facts": facts}
    try:
        text = json.dumps(bound, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadInput(f"The order cannot be signed: {error}.", remedy="Give plain JSON values.") from error
    return hashlib.sha256(text.encode()).hexdigest()
