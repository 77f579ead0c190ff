"""The HTTP API: the API itself, its log, its stage, and the way from it to the alias."""

import json

from tap_api.base import Json
from tap_api.kinds import RegionalProcessorSpec
from tap_stack import aws, names
from tap_stack.documents import Text
from tap_stack.managed import Handling, managed
from tap_stack.processor.events import permission
from tap_stack.processor.function import ALIAS
from tap_stack.resource import Resources
from tap_stack.subject import Subject
from tap_stack.values import Ref, Unknown

API = "api"
LOG_GROUP = "api-log-group"
INTEGRATION = "integration"
#: The longest that API Gateway waits for an answer (05, section 5).
_LONGEST_MS = 30_000
#: What is written down of a request. No header, no query, no body: they may hold secrets.
_LOGGED = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "ip": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "route": "$context.routeKey",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "milliseconds": "$context.responseLatency",
    "error": "$context.error.message",
    "integrationError": "$context.integrationErrorMessage",
    "authorizerError": "$context.authorizer.error",
}


def resources(subject: Subject[RegionalProcessorSpec]) -> Resources:
    """Yields the API, its log group, its stage, its permission and its integration."""
    spec = subject.spec
    yield managed(
        subject,
        API,
        aws.API,
        {
            "name": names.api(subject),
            "description": f"{subject.regional_tap}: sessions, processed objects, health",
            "protocolType": "HTTP",
        },
    )
    yield managed(
        subject,
        LOG_GROUP,
        aws.LOG_GROUP,
        {"retentionInDays": spec.api.log_retention_days, "kmsKeyId": subject.key_arn},
        external_name=names.api_log_group(subject),
    )
    yield managed(
        subject,
        "stage",
        aws.STAGE,
        # Named by us, so nothing is written into its spec late: a deploymentId there would hold the stage to the
        # deployment that autoDeploy made first (05, section 3, item 15).
        {
            "apiIdRef": Ref(API),
            "autoDeploy": True,
            "accessLogSettings": {
                "destinationArn": _told(subject, LOG_GROUP, "arn", "the API's log group"),
                "format": json.dumps(_LOGGED, separators=(",", ":")),
            },
            "defaultRouteSettings": {
                "detailedMetricsEnabled": True,
                "throttlingBurstLimit": spec.api.throttling_burst,
                "throttlingRateLimit": spec.api.throttling_rate,
            },
        },
        external_name="$default",
    )
    execution = _told(subject, API, "executionArn", "the HTTP API")
    source = execution if isinstance(execution, Unknown) else f"{execution}/*/*"
    yield permission(subject, "permission-api", "apigateway.amazonaws.com", source)
    yield managed(subject, INTEGRATION, aws.INTEGRATION, _integration(subject), handling=Handling(after=(ALIAS,)))


def _integration(subject: Subject[RegionalProcessorSpec]) -> Json:
    return {
        "apiIdRef": Ref(API),
        "integrationType": "AWS_PROXY",
        # As it is observed: a reference gives the function itself, past its alias (05, section 1.1).
        "integrationUri": _told(subject, ALIAS, "invokeArn", "the alias of the function"),
        "payloadFormatVersion": "2.0",
        "timeoutMilliseconds": min(_LONGEST_MS, subject.spec.processor.timeout_seconds * 1000),
    }


def _told(subject: Subject[RegionalProcessorSpec], key: str, field: str, source: str) -> Text:
    """Returns what AWS tells of the resource `key`."""
    observation = subject.observed.get(key)
    found = observation.field("status", "atProvider", field) if observation else None
    return str(found) if found else Unknown(source)
