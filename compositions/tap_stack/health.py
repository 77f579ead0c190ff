"""What AWS says of the resources: the cause, in one condition, for whoever is awake at 3 a.m."""

from collections.abc import Iterable

from tap_api import complaint
from tap_api.status import PAUSED
from tap_api.text import named
from tap_stack import pause
from tap_stack.composed import RESOURCES_HEALTHY, Condition
from tap_stack.observation import Observation, Observed

#: Conditions that name a cause where they are False: Crossplane's and upjet's, and ours on a part.
_TELLING = (*complaint.TELLING, RESOURCES_HEALTHY)
#: What a provider says of a resource whose sibling is not there yet. Said of fifty, it would hide the one that fails.
_WAITS = "cannot resolve references"
PROVIDER_SILENT = "ProviderSilent"
_MAX_NAMED = 3
_OF_PART = "/"


def trouble(observation: Observation) -> str:
    """Returns what is wrong with a resource; empty where nothing is known to be, as of one that is left alone."""
    if is_paused(observation):
        return ""
    text = _complaint(observation)
    return "" if text.startswith(_WAITS) else text


def is_paused(observation: Observation) -> bool:
    """Returns whether a resource is paused; whether any resource of a part is, where it is a part."""
    part = observation.condition(RESOURCES_HEALTHY)
    return pause.is_paused(observation) or (part is not None and part.reason == PAUSED)


def _complaint(observation: Observation) -> str:
    for type_ in _TELLING:
        condition = observation.condition(type_)
        if condition and condition.status == "False":
            return complaint.words(condition.message or condition.reason)
    return ""


def healthy(keys: Iterable[str], observed: Observed) -> Condition:
    """Returns the condition ResourcesHealthy of the resources `keys`."""
    there = [(key, observed[key]) for key in keys if key in observed]
    found = [(key, text) for key, observation in there if (text := trouble(observation))]
    if found:
        return Condition(RESOURCES_HEALTHY, "False", "ResourcesFail", _causes(found, observed))
    if not there:
        return Condition(RESOURCES_HEALTHY, "Unknown", "NothingYet", "No resource exists yet.")
    paused = sum(is_paused(observation) for _, observation in there)
    if paused:
        return Condition(
            RESOURCES_HEALTHY,
            "Unknown",
            PAUSED,
            f"{paused} of {len(there)} resources are paused: nothing of them is changed in AWS until the region's state"
            f" is Present, or the annotation {pause.ANNOTATION} is taken away where it was set by hand.",
        )
    waiting = [(key, text) for key, observation in there if (text := _complaint(observation))]
    if waiting:
        message = (
            f"{len(waiting)} of {len(there)} resources wait for one that AWS has not made yet. {': '.join(waiting[0])}"
        )
        return Condition(RESOURCES_HEALTHY, "Unknown", "ResourcesWait", message)
    silent = sum(_is_silent(observation) for _, observation in there)
    if silent:
        return Condition(
            RESOURCES_HEALTHY,
            "Unknown",
            PROVIDER_SILENT,
            f"{silent} of {len(there)} resources were not looked at by the provider yet; if that lasts, see whether it"
            " runs and has credentials.",
        )
    return Condition(RESOURCES_HEALTHY, "True", "Healthy")


def _causes(found: Iterable[tuple[str, str]], observed: Observed) -> str:
    """Returns which resources fail and why. What several say, such as that a credential has expired, is said once."""
    keys_of: dict[tuple[str, str], list[str]] = {}
    for key, text in found:
        glue = _glue(observed[key])
        # A part's words begin with resources of its own.
        keys_of.setdefault((key if glue == _OF_PART else "", f"{glue}{text}"), []).append(key)
    causes = [(keys, text) for (_, text), keys in keys_of.items()]
    lines = [f"{named(keys, _MAX_NAMED)}{text}" for keys, text in causes[:_MAX_NAMED]]
    left = sum(len(keys) for keys, _ in causes[_MAX_NAMED:])
    return "; ".join([*lines, f"and {left} more"] if left else lines)


def _glue(observation: Observation) -> str:
    """Returns what stands between a key and its trouble: a part tells of a resource of its own, `database/cluster: …`.

    Where Crossplane cannot compose the part, it is the part that is told of.
    """
    said = ((type_, observation.condition(type_)) for type_ in _TELLING)
    telling = next((type_ for type_, condition in said if condition and condition.status == "False"), "")
    return _OF_PART if telling == RESOURCES_HEALTHY else ": "


def _is_silent(observation: Observation) -> bool:
    """Returns whether nobody looked at a resource yet; at any resource of a part, where it is a part."""
    part = observation.condition(RESOURCES_HEALTHY)
    return observation.condition("Synced") is None or (part is not None and part.reason == PROVIDER_SILENT)
