"""Sessions: made, read and deleted by an id that cannot be guessed, and gone once their time is over."""

import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from processor.clients import DynamoDb
from processor.objects import KEY

#: Seconds that a session can live, and the bytes that it can hold.
SHORTEST = 60
LONGEST = 30 * 24 * 3600
USUAL = 3600
MOST_DATA = 64 * 1024
_ID = re.compile(r"[0-9a-f]{32}")


def is_id(text: str) -> bool:
    """Returns whether `text` can be the id of a session: nothing that begins like another kind of item is one."""
    return bool(_ID.fullmatch(text))


@dataclass(frozen=True)
class Session:
    """A session.

    Attributes:
        id: Its id.
        data: What its owner keeps in it.
        expires: When it ends, in seconds of the epoch.
    """

    id: str
    data: dict[str, Any]
    expires: int

    def shown(self) -> dict[str, Any]:
        """Returns it as the API shows it."""
        return {"sessionId": self.id, "data": self.data, "expiresAt": self.expires}


class Sessions:
    """The sessions of the table."""

    def __init__(
        self, dynamodb: DynamoDb, table: str, ttl_attribute: str, clock: Callable[[], float] = time.time
    ) -> None:
        """Args: dynamodb: the client; table and ttl_attribute: their names; clock: tells the time."""
        self._dynamodb = dynamodb
        self._table = table
        self._ttl = ttl_attribute
        self._clock = clock

    def create(self, data: dict[str, Any], seconds: int) -> Session:
        """Makes a session that lives for `seconds`, and returns it."""
        session = Session(secrets.token_hex(16), data, int(self._clock()) + seconds)
        self._dynamodb.put_item(
            TableName=self._table,
            Item={
                "data": {"S": json.dumps(data)},
                self._ttl: {"N": str(session.expires)},
                KEY: {"S": session.id},
            },
            ConditionExpression=f"attribute_not_exists({KEY})",
        )
        return session

    def read(self, session_id: str) -> Session | None:
        """Returns a session; None where there is none, or where its time is over (DynamoDB may be days behind)."""
        found = self._dynamodb.get_item(TableName=self._table, Key={KEY: {"S": session_id}}, ConsistentRead=True)
        item = found.get("Item")
        if item is None:
            return None
        # An application that writes sessions itself may leave out either.
        expires = int(item.get(self._ttl, {}).get("N", LONGEST + self._clock()))
        data = json.loads(item.get("data", {}).get("S", "{}"))
        return Session(session_id, data, expires) if expires > self._clock() else None

    def delete(self, session_id: str) -> None:
        """Deletes a session, if there is one."""
        self._dynamodb.delete_item(TableName=self._table, Key={KEY: {"S": session_id}})
