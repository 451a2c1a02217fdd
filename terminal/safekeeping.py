"""How a backup, a restore and a database begun anew are told of."""

from collections.abc import Mapping


def backup_line(made: Mapping[str, object]) -> str:
    """Where it is, how large, and what it holds."""
    return f"{made['file']}: {_size(made)}, {_holding(made)}, as of {made['made_at']}."


def restore_line(done: Mapping[str, object]) -> str:
    """What stands now, and where what stood is kept."""
    of = f" of {done['made_at']}" if done["made_at"] else ""
    held = f": {_holding(done)}" if "runs" in done else ""
    kept = f"What it replaced is kept in {done['kept_aside']}; `jit restore` takes that folder to undo this."
    return f"Restored {done['restored']}{of}{held}. {kept}"


def afresh_line(done: Mapping[str, object]) -> str:
    """What begins anew, and where what it held is kept."""
    return f"The {done['afresh']} database begins anew. What it held is kept in {done['kept_aside']}."


def _size(made: Mapping[str, object]) -> str:
    return f"{int(str(made['bytes'])) / 1e6:,.1f} MB"


def _holding(made: Mapping[str, object]) -> str:
    return f"{made['runs']} runs, {made['orders']} orders, {made['waiting_approvals']} approvals that wait"
