"""The entry point: who woke the function, and who answers."""

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

from processor import api, incoming, log
from processor.clients import Clients
from processor.health import Health
from processor.objects import Objects
from processor.sessions import Sessions
from processor.settings import Settings

logger = logging.getLogger(__name__)


class Context(Protocol):
    """What Lambda says of a run."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Returns how long the run may still take."""


def handle(event: Mapping[str, Any], context: Context) -> Any:  # noqa: ANN401 (Lambda takes any JSON)
    """Answers an event: of S3 or of the HTTP API.

    Raises:
        ValueError: it is of neither. Lambda tries an event again, and then puts it into the dead-letter queue.
    """
    server, processor = _services()
    log.request(context.aws_request_id)
    if "requestContext" in event:
        return server.answer(event)
    if "Records" in event:
        return processor.process(event, context.get_remaining_time_in_millis)
    if event.get("Event") == "s3:TestEvent":
        logger.info("test event")
        return {"test": True}
    message = "an event of neither S3 nor the HTTP API"
    raise ValueError(message)


@cache
def _services() -> tuple[api.Api, incoming.Incoming]:
    """Returns what answers, made once for all the runs of one environment."""
    settings = Settings.of_environment()
    log.set_up(settings.log_level)
    clients = Clients.here()
    objects = Objects(clients.dynamodb, settings.table, settings.bucket)
    sessions = Sessions(clients.dynamodb, settings.table, settings.ttl_attribute)
    health = Health(clients, settings)
    return api.Api(sessions, objects, health), incoming.Incoming(clients.s3, objects)
