import pytest

from tap_api.base import Json
from tap_stack.composed import Condition
from tap_stack.health import healthy
from tap_stack.observation import of

DENIED = (
    "create failed: operation error EC2: CreateVpc, https response error StatusCode: 403, RequestID: {}, "
    "api error UnauthorizedOperation: You are not authorized. Encoded authorization failure message: {}"
)


def says(type_: str, status: str, message: str = "") -> Json:
    return {"status": {"conditions": [{"type": type_, "status": status, "reason": "Because", "message": message}]}}


@pytest.mark.parametrize(
    ("objects", "condition"),
    [
        ({}, Condition("ResourcesHealthy", "Unknown", "NothingYet", "No resource exists yet.")),
        ({"a": says("Synced", "True"), "b": says("Synced", "True")}, Condition("ResourcesHealthy", "True", "Healthy")),
        (
            {"a": says("Synced", "True"), "b": {}},
            Condition(
                "ResourcesHealthy",
                "Unknown",
                "ProviderSilent",
                "1 of 2 resources were not looked at by the provider yet; if that lasts, see whether it runs and has"
                " credentials.",
            ),
        ),
        (
            {
                "network": {
                    "status": {
                        "conditions": [
                            {"type": "Synced", "status": "True"},
                            {"type": "ResourcesHealthy", "status": "Unknown", "reason": "ProviderSilent"},
                        ]
                    }
                }
            },
            Condition(
                "ResourcesHealthy",
                "Unknown",
                "ProviderSilent",
                "1 of 1 resources were not looked at by the provider yet; if that lasts, see whether it runs and has"
                " credentials.",
            ),
        ),
        (
            {"a": says("Synced", "False", "limit exceeded"), "b": {}},
            Condition("ResourcesHealthy", "False", "ResourcesFail", "a: limit exceeded"),
        ),
        (
            {"a": says("LastAsyncOperation", "False", "no such zone")},
            Condition("ResourcesHealthy", "False", "ResourcesFail", "a: no such zone"),
        ),
        (
            {"network": says("ResourcesHealthy", "False", "vpc: denied")},
            Condition("ResourcesHealthy", "False", "ResourcesFail", "network/vpc: denied"),
        ),
        (
            {key: says("Synced", "False", f"{key} is refused") for key in "abcde"},
            Condition(
                "ResourcesHealthy",
                "False",
                "ResourcesFail",
                "a: a is refused; b: b is refused; c: c is refused; and 2 more",
            ),
        ),
        (
            # What several say is said once.
            {
                "vpc": says("Synced", "False", "expired"),
                "queue": says("Synced", "False", "no such key"),
                **{key: says("Synced", "False", "expired") for key in "abcd"},
            },
            Condition(
                "ResourcesHealthy", "False", "ResourcesFail", "vpc, a, b and 2 more: expired; queue: no such key"
            ),
        ),
        (
            # What parts say names a resource of each.
            {part: says("ResourcesHealthy", "False", "a, b: expired") for part in ("network", "storage")},
            Condition("ResourcesHealthy", "False", "ResourcesFail", "network/a, b: expired; storage/a, b: expired"),
        ),
    ],
)
def test_the_condition_names_the_cause(objects: dict[str, Json], condition: Condition) -> None:
    assert healthy(objects, of(objects)) == condition


WAITS = "cannot resolve references: mg.Spec.ForProvider.VPCID: referenced field was empty"


def test_a_resource_that_waits_for_another_does_not_hide_the_one_that_fails() -> None:
    objects = {"subnet": says("Synced", "False", WAITS), "vpc": says("Synced", "False", "limit exceeded")}
    assert healthy(objects, of(objects)) == Condition(
        "ResourcesHealthy", "False", "ResourcesFail", "vpc: limit exceeded"
    )


def test_resources_that_only_wait_for_others_are_not_called_broken() -> None:
    objects = {"vpc": says("Synced", "True"), "subnet": says("Synced", "False", WAITS)}
    assert healthy(objects, of(objects)) == Condition(
        "ResourcesHealthy",
        "Unknown",
        "ResourcesWait",
        f"1 of 2 resources wait for one that AWS has not made yet. subnet: {WAITS}",
    )


def conditions(**found: tuple[str, str]) -> Json:
    listed = [
        {"type": type_, "status": status, "reason": "Because", "message": message}
        for type_, (status, message) in found.items()
    ]
    return {"status": {"conditions": listed}}


@pytest.mark.parametrize("verb", ["create", "update", "delete"])
def test_a_cause_holds_still_while_the_provider_tries_again(verb: str) -> None:
    """upjet: `Synced` is True while the operation runs anew, and what failed last is told elsewhere, without its frame."""
    cause = f"async {verb} failed: failed to {verb} the resource: [{{0 limit exceeded  []}}]"
    between = conditions(Synced=("False", f"{verb} failed: {cause}"), LastAsyncOperation=("False", cause))
    during = conditions(Synced=("True", ""), LastAsyncOperation=("False", cause))
    told = [healthy(["queue"], of({"queue": one})) for one in (between, during)]
    assert told == [Condition("ResourcesHealthy", "False", "ResourcesFail", f"queue: {cause}")] * 2


def test_what_differs_at_every_retry_is_left_out_so_that_the_status_comes_to_rest() -> None:
    first, second = (
        healthy(["vpc"], of({"vpc": says("Synced", "False", DENIED.format(request, code))}))
        for request, code in (("5f0c", "AbC1"), ("77aa", "xYz9"))
    )
    assert first == second
    assert first.message == (
        "vpc: create failed: operation error EC2: CreateVpc, https response error StatusCode: 403, "
        "api error UnauthorizedOperation: You are not authorized."
    )
