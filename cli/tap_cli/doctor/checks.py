"""All checks, and how one that lacks a right says so. Pure: functions of what was read."""

from collections.abc import Callable, Iterator

from tap_cli.doctor.below import activation, api, crossplane, function, kubernetes, provider
from tap_cli.doctor.finding import Facts, Finding, NotReadError, Said, Verdict
from tap_cli.doctor.ours import credentials, operator, versions, webhook

_ROLE = "ask for the ClusterRole `tap-doctor`"


def examine(facts: Facts) -> list[Finding]:
    """Returns the findings of all checks, in their order; one that has no right to look says which."""
    return [finding for name, check in CHECKS.items() for finding in _examined(name, check, facts)]


def _examined(name: str, check: Callable[[Facts], Iterator[Said]], facts: Facts) -> Iterator[Finding]:
    try:
        for verdict, text, mend in check(facts):
            yield Finding(name, verdict, text, mend)
    except NotReadError as error:
        yield Finding(name, Verdict.SKIPPED, f"not looked at: you may not {error}", _ROLE)


#: In the order in which one thing needs the other.
CHECKS: dict[str, Callable[[Facts], Iterator[Said]]] = {
    "kubernetes": kubernetes,
    "crossplane": crossplane,
    "provider": provider,
    "activation": activation,
    "api": api,
    "function": function,
    "webhook": webhook,
    "operator": operator,
    "credentials": credentials,
    "versions": versions,
}
