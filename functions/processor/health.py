"""Whether what the function needs is there: the table, the bucket, and Aurora over TLS.

Anybody may ask, so the answer names states and nothing else (the log has the causes), and asking often asks nobody
else more than once in a while.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from processor import mysql
from processor.clients import Clients
from processor.objects import KEY
from processor.settings import Settings

logger = logging.getLogger(__name__)

#: Seconds that an answer is kept, and that a step of asking the database may take.
KEPT = 15
DATABASE_SECONDS = 2.0

OK, FAILING, NOT_CONFIGURED = "ok", "failing", "not configured"


class Health:
    """The health of what the function needs."""

    def __init__(self, clients: Clients, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        """Args: clients: AWS; settings: what there is; clock: tells the time."""
        self._clients = clients
        self._settings = settings
        self._clock = clock
        self._kept: tuple[float, dict[str, Any]] | None = None

    def check(self) -> dict[str, Any]:
        """Returns the health, at most KEPT seconds old."""
        now = self._clock()
        if self._kept is None or now - self._kept[0] >= KEPT:
            self._kept = (now, self._ask())
        return self._kept[1]

    def _ask(self) -> dict[str, Any]:
        checks = {"table": self._table(), "bucket": self._bucket(), "database": self._database()}
        failing = any(check["status"] == FAILING for check in checks.values())
        return {"status": FAILING if failing else OK, "checks": checks}

    def _table(self) -> dict[str, str]:
        # A key that no item has: to read it needs no right beside the one to read items.
        key = {KEY: {"S": "health#"}}
        return _state("table", lambda: self._clients.dynamodb.get_item(TableName=self._settings.table, Key=key))

    def _bucket(self) -> dict[str, str]:
        return _state("bucket", lambda: self._clients.s3.head_bucket(Bucket=self._settings.bucket))

    def _database(self) -> dict[str, str]:
        settings = self._settings
        if not settings.cluster_endpoint:
            return {"status": NOT_CONFIGURED}
        try:
            answer = mysql.ask(
                settings.cluster_endpoint, settings.cluster_port, DATABASE_SECONDS, settings.cluster_ca_file
            )
        except mysql.NotAnsweringError as error:
            logger.warning("the database does not answer", extra={"cause": str(error)})
            return {"status": FAILING}
        return {"status": OK, "tls": answer.tls}


def _state(what: str, ask: Callable[[], object]) -> dict[str, str]:
    try:
        ask()
    except (ClientError, BotoCoreError) as error:
        logger.warning("a service does not answer", extra={"service": what, "cause": str(error)})
        return {"status": FAILING}
    return {"status": OK}
