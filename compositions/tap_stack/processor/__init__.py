"""The processor of a region: a Lambda function that new objects wake, and the HTTP API in front of it.

Whoever calls the function calls its alias, so that a new version is taken by all of them at once. What tells of new
objects (the bucket's notification) is here and not with the bucket: AWS takes it only once the alias admits S3.
"""

from typing import Any

from tap_api.kinds import RegionalProcessorSpec
from tap_stack.processor import api, code, events, function, identity, routes
from tap_stack.resource import Resources
from tap_stack.subject import Subject


def resources(subject: Subject[RegionalProcessorSpec]) -> Resources:
    """Yields the resources of the processor, in the order in which they refer to one another."""
    yield from identity.resources(subject)
    yield from code.resources(subject)
    yield from function.resources(subject)
    yield from events.resources(subject)
    yield from api.resources(subject)
    yield from routes.resources(subject)


def outputs(subject: Subject[Any]) -> dict[str, str | None]:
    """Returns the ARN of the alias and the address of the API."""
    alias, http = subject.observed.get(function.ALIAS), subject.observed.get(api.API)
    return {
        "lambdaArn": alias.field("status", "atProvider", "arn") if alias else None,
        "apiEndpoint": http.field("status", "atProvider", "apiEndpoint") if http else None,
    }
