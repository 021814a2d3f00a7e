"""`POST /api/admin/backup`: take a backup into the operator's folder, or say what it would hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assets.backup.taking import Wishes
from metadata.errors import InvalidError

from ..responses import json_answer
from .admin import admin_operation, wish_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from ..calls import Call, Operation

_OPTIONS: Final = {"target": str, "incremental": bool, "verify": bool}
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def operations() -> list[Operation]:
    """Return the operations on backups."""
    return [
        admin_operation(
            "backup",
            "Take a backup into CALOTYPE_BACKUP_DIR, while everybody goes on.",
            take,
            takes="BackupWanted",
            gives="BackedUp",
        )
    ]


def take(call: Call) -> Response:
    """Answer with what was taken, or would be.

    The keys in `secrets/` are never in it: who may ask this over HTTP need not be who may have them.
    """
    wish = wish_of(call, _OPTIONS)
    folder = call.store.settings.backup_dir
    if folder is None:
        raise InvalidError(
            "Backups over HTTP need a folder to go to. Set CALOTYPE_BACKUP_DIR and start the server again, or use "
            "`calotype backup`.",
            setting="CALOTYPE_BACKUP_DIR",
        )
    target = wish.options.get("target")
    if not isinstance(target, str) or not _NAME.fullmatch(target):
        raise InvalidError(
            "target has to be a name in the folder for backups: letters, digits, '.', '_' and '-', up to 100.",
            field="target",
        )
    if wish.flag("verify") and not wish.flag("incremental"):
        raise InvalidError("verify is about payloads that are there already; it needs `incremental`.", field="verify")
    wishes = Wishes(incremental=wish.flag("incremental"), rehash=wish.flag("verify"))
    backups = call.store.backups
    taken = backups.foresee(target) if wish.dry_run else backups.take(target, folder / target, wishes)
    return json_answer({"dryRun": wish.dry_run, **taken.document()})
