"""The log: one JSON object a line, with the request that it belongs to. Nothing of an object's content is in it."""

import json
import logging
import sys
from datetime import UTC, datetime

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "aws_request_id"}
_request = {"id": ""}


class JsonLines(logging.Formatter):
    """Formats a record as a line of JSON; what a call gives as `extra` becomes fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        line = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": record.getMessage(),
            "requestId": _request["id"],
            "logger": record.name,
            # What begins with an underscore is the runtime's own.
            **{key: value for key, value in vars(record).items() if key not in _STANDARD and key[0] != "_"},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def set_up(level: str) -> None:
    """Logs at `level`: to Lambda's own handler where there is one, else to standard output."""
    root = logging.getLogger()
    root.setLevel({"DEBUG": logging.DEBUG, "WARN": logging.WARNING, "ERROR": logging.ERROR}.get(level, logging.INFO))
    if not root.handlers:
        root.addHandler(logging.StreamHandler(sys.stdout))
    for handler in root.handlers:
        handler.setFormatter(JsonLines())
    # At DEBUG these would log requests whole, credentials among them.
    for chatty in ("boto3", "botocore", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def request(request_id: str) -> None:
    """Names the request that the next lines belong to: a run is alone in its process."""
    _request["id"] = request_id
