"""The routes of the HTTP API, and who may call them. Health is open: a load balancer has no credentials."""

from tap_api.base import Json
from tap_api.kinds import RegionalProcessorSpec
from tap_api.sections import Authorization, Jwt
from tap_stack import aws
from tap_stack.managed import managed
from tap_stack.processor.api import API, INTEGRATION
from tap_stack.resource import Resources
from tap_stack.subject import Subject
from tap_stack.values import Ref, Unknown

AUTHORIZER = "authorizer"
#: Key -> the route, as functions/processor/api.py answers it.
ROUTES = {
    "route-health": "GET /health",
    "route-create-session": "POST /sessions",
    "route-read-session": "GET /sessions/{id}",
    "route-delete-session": "DELETE /sessions/{id}",
    "route-read-object": "GET /objects/{key+}",
}
OPEN = frozenset({"route-health"})


def resources(subject: Subject[RegionalProcessorSpec]) -> Resources:
    """Yields the authorizer, where tokens are asked for, and the routes."""
    jwt = subject.spec.api.jwt
    if jwt:
        yield managed(subject, AUTHORIZER, aws.AUTHORIZER, _authorizer(jwt))
    for key, route in ROUTES.items():
        authorization = {"authorizationType": "NONE"} if key in OPEN else _authorization(subject, key)
        yield managed(
            subject,
            key,
            aws.API_ROUTE,
            {"apiIdRef": Ref(API), "routeKey": route, "targetRef": Ref(INTEGRATION), **authorization},
        )


def _authorizer(jwt: Jwt) -> Json:
    return {
        "apiIdRef": Ref(API),
        "name": "jwt",
        "authorizerType": "JWT",
        "identitySources": ["$request.header.Authorization"],
        "jwtConfiguration": {"issuer": jwt.issuer, "audience": sorted(jwt.audience)},
    }


def _authorization(subject: Subject[RegionalProcessorSpec], key: str) -> Json:
    match subject.spec.api.authorization:
        case Authorization.AWS_IAM:
            return {"authorizationType": "AWS_IAM", **_no_authorizer(subject, key)}
        case Authorization.NONE:
            return {"authorizationType": "NONE", **_no_authorizer(subject, key)}
        case Authorization.JWT:
            observation = subject.observed.get(AUTHORIZER)
            found = observation.field("status", "atProvider", "id") if observation else None
            # As it is observed: what a reference once gave stays in the route when the reference is taken away
            # (05, section 3, item 19), and no other authorization goes with an authorizer.
            later = Unknown("the authorizer of the API")
            return {"authorizationType": later if not found else "JWT", "authorizerId": found or later}


def _no_authorizer(subject: Subject[RegionalProcessorSpec], key: str) -> Json:
    """Returns what takes the authorizer off a route that has had one.

    It is taken off in words: of a field that is not asked for the provider takes up what AWS has (upjet's late
    initialization, and the name that AWS gave keeps it on), so the route would keep the authorizer, and the authorizer,
    which AWS does not delete while a route has it, would never go.
    """
    observation = subject.observed.get(key)
    asked = observation.field("spec", "forProvider", "authorizerId") if observation else None
    return {} if asked is None else {"authorizerId": ""}
