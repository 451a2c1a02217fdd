"""A content hash of a planning snapshot: equal problems, equal hash."""

from tools.domain.fingerprint import content_hash
from tools.domain.snapshots import PlanningSnapshot


def snapshot_hash(snapshot: PlanningSnapshot) -> str:
    """Hex SHA-256 over every field, arrays by dtype, shape and bytes."""
    return content_hash(snapshot)
