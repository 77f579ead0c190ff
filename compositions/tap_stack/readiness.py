"""When a resource is of use to the others."""

from tap_stack.observation import Observation
from tap_stack.resource import Resource

_NOTHING: tuple[object, ...] = (None, "", [], {})


def is_ready(resource: Resource, observation: Observation | None) -> bool:
    """Returns whether AWS has made `resource` and says what the others need of it.

    `Ready` alone can be early: a provider sets it before AWS is done (provider-upjet-aws#1905), and an empty list says
    that AWS has nothing (provider-upjet-aws#1986).
    """
    if observation is None:
        return False
    ready = observation.condition("Ready")
    if ready is None or ready.status != "True":
        return False
    return all(observation.field("status", "atProvider", need) not in _NOTHING for need in resource.needs)
