"""The installation over HTTP: health, the ERP's clock, halt, rollback, backup and import."""

from collections.abc import Mapping, Sequence

from graph.views.installation import PartView
from web import endpoints
from web.auth import Asker, acting_name, file_named_by, require
from web.bodies import (
    BackupBody,
    HaltBody,
    ImportBody,
    ObserveBody,
    RollbackBody,
)
from web.routes.base import Session, router, serves

ROUTES = router()


@serves(ROUTES, endpoints.HEALTH)
def health() -> Mapping[str, str]:
    """Whether the server answers at all; needs no key and tells nothing else."""
    return {"status": "ok"}


@serves(ROUTES, endpoints.DIAGNOSE)
def diagnose(asker: Asker, session: Session) -> Sequence[PartView]:
    """Ask every part whether it answers, the model's server included."""
    return session.diagnose()


@serves(ROUTES, endpoints.STATUS)
def status(asker: Asker, session: Session) -> Mapping[str, object]:
    """Active dataset, policy version, model, journal lag, ERP health, halted."""
    return session.status()


@serves(ROUTES, endpoints.OBSERVE)
def observe(body: ObserveBody, asker: Asker, session: Session) -> Mapping[str, object]:
    """Read confirmations and receipts back from the ERP."""
    require(asker, "observe")
    return session.observe(body.advance_days)


@serves(ROUTES, endpoints.HALT)
def halt(body: HaltBody, asker: Asker, session: Session) -> Mapping[str, object]:
    """Stop every dispatch, or allow it again."""
    require(asker, "halt" if body.on else "resume")
    return session.halt(acting_name(asker, body.actor), body.on)


@serves(ROUTES, endpoints.ROLLBACK)
def rollback(body: RollbackBody, asker: Asker, session: Session) -> Mapping[str, object]:
    """Make an earlier dataset or policy version active again."""
    require(asker, "rollback")
    return session.rollback(body.point_id, acting_name(asker, body.actor))


@serves(ROUTES, endpoints.BACKUP)
def backup(body: BackupBody, asker: Asker, session: Session) -> Mapping[str, object]:
    """Write one file of the server's machine that holds every database as of one moment; replaces none."""
    require(asker, "backup")
    return session.backup(file_named_by(asker, body.file), actor=acting_name(asker, body.actor))


@serves(ROUTES, endpoints.IMPORT)
def import_folder(body: ImportBody, asker: Asker, session: Session) -> Mapping[str, object]:
    """Read a folder of the server's machine into a new dataset version."""
    require(asker, "import")
    return session.import_folder(body.folder, as_of=body.as_of, lenient=body.lenient)
