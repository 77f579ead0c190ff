from typing import Any

import pytest

from tap_api.base import Json
from tap_stack.assembly import Assembly, Emitted, Withheld, assemble, keep
from tap_stack.observation import DictObservation, of
from tap_stack.resource import Resource
from tap_stack.values import Ref, Unknown

ARN = Unknown("the key's ARN")
READY: Json = {"status": {"conditions": [{"type": "Ready", "status": "True"}], "atProvider": {"id": "x-1"}}}


def thing(key: str, **for_provider: Any) -> Resource:
    return Resource(key, {"metadata": {"name": f"xr-{key}"}, "spec": {"forProvider": for_provider}}, needs=("id",))


def emitted(key: str, *, ready: bool = False, **for_provider: Any) -> Emitted:
    return Emitted(key, thing(key, **for_provider).manifest, ready=ready)


def test_what_holds_an_unknown_is_withheld_with_what_it_waits_for() -> None:
    group = thing("group", kmsKeyId=ARN)
    assert assemble([thing("vpc"), group], {}) == Assembly(
        (emitted("vpc"),), (Withheld("group", "the key's ARN", group.manifest),)
    )


def test_what_refers_to_something_withheld_is_withheld_for_the_same_cause() -> None:
    group, log = thing("group", kmsKeyId=ARN), thing("log", destinationRef=Ref("group"))
    assert assemble([group, log], {}).withheld == (
        Withheld("group", "the key's ARN", group.manifest),
        Withheld("log", "the key's ARN", log.manifest),
    )


def test_what_is_observed_is_emitted_again_with_the_value_that_it_has() -> None:
    observed = of({"group": {"spec": {"forProvider": {"kmsKeyId": "arn:1", "other": "late"}}}})
    assert assemble([thing("group", kmsKeyId=ARN, retention=7)], observed) == Assembly(
        (emitted("group", kmsKeyId="arn:1", retention=7),)
    )


def test_a_value_that_is_neither_known_nor_observed_is_left_out_of_what_exists() -> None:
    assert assemble([thing("group", kmsKeyId=ARN, retention=7)], of({"group": {}})).emitted == (
        emitted("group", retention=7),
    )


def test_what_is_observed_keeps_its_reference_to_something_withheld() -> None:
    resources = [thing("group", kmsKeyId=ARN), thing("log", destinationRef=Ref("group"))]
    assert assemble(resources, of({"log": {}})).emitted == (emitted("log", destinationRef={"name": "xr-group"}),)


def test_a_list_with_an_unknown_in_it_is_taken_whole_as_it_is_observed() -> None:
    replicas = [{"region": "a", "keyArn": ARN}]
    observed = of({"table": {"spec": {"forProvider": {"replica": [{"region": "a", "keyArn": "arn:1"}]}}}})
    assert assemble([thing("table", replica=replicas)], observed).emitted == (
        emitted("table", replica=[{"region": "a", "keyArn": "arn:1"}]),
    )


def test_an_unknown_that_is_not_required_is_left_out_and_withholds_nothing() -> None:
    assert assemble([thing("key", policy=Unknown("account", required=False))], {}).emitted == (emitted("key"),)


def test_a_reference_that_may_move_is_resolved_always() -> None:
    resources = [thing("nat"), thing("route", nat=Ref("nat", always=True))]
    assert assemble(resources, {}).emitted[1] == emitted(
        "route", nat={"name": "xr-nat", "policy": {"resolve": "Always"}}
    )


@pytest.mark.parametrize(
    ("observed", "ready"),
    [
        ({}, False),
        ({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}, False),
        ({"status": {"conditions": [{"type": "Ready", "status": "False"}], "atProvider": {"id": "x-1"}}}, False),
        ({"status": {"atProvider": {"id": "x-1"}}}, False),
        ({"status": "hostile"}, False),
        ({"status": {"conditions": "hostile", "atProvider": []}}, False),
        (READY, True),
    ],
)
def test_a_resource_is_ready_with_its_condition_and_the_field_that_others_need(observed: Json, ready: bool) -> None:  # noqa: FBT001
    assert assemble([thing("vpc")], of({"vpc": observed})).emitted[0].ready is ready


@pytest.mark.parametrize(
    ("assembly", "ready"),
    [
        (Assembly(), False),
        (Assembly((emitted("vpc", ready=True),)), True),
        (Assembly((emitted("vpc", ready=True),), (Withheld("group", "", {}),)), False),
        (Assembly((emitted("vpc", ready=True), emitted("subnet"))), False),
    ],
)
def test_nothing_is_ready_by_being_empty_nor_while_something_is_withheld(assembly: Assembly, ready: bool) -> None:  # noqa: FBT001
    assert assembly.ready is ready


def test_a_key_used_twice_is_an_error_of_ours() -> None:
    with pytest.raises(ValueError, match="two resources have the key vpc"):
        assemble([thing("vpc"), thing("vpc")], {})


def test_a_reference_forward_is_an_error_of_ours() -> None:
    with pytest.raises(ValueError, match="log refers to group, which has to come before it"):
        assemble([thing("log", ref=Ref("group"))], {})


def test_what_is_kept_is_what_is_observed_without_what_the_cluster_adds() -> None:
    manifest = {
        "apiVersion": "ec2.aws.m.upbound.io/v1beta1",
        "kind": "VPC",
        "metadata": {
            "name": "xr-vpc",
            "uid": "1",
            "resourceVersion": "7",
            "labels": {"tap.platform/part": "network"},
            "annotations": {"crossplane.io/external-name": "vpc-1", "crossplane.io/external-create-pending": "now"},
        },
        "spec": {"forProvider": {"region": "us-east-1"}},
        "status": {"atProvider": {"id": "vpc-1"}},
    }
    assert keep({"vpc": DictObservation(manifest)}) == Assembly(
        (
            Emitted(
                "vpc",
                {
                    "apiVersion": "ec2.aws.m.upbound.io/v1beta1",
                    "kind": "VPC",
                    "metadata": {
                        "name": "xr-vpc",
                        "labels": {"tap.platform/part": "network"},
                        "annotations": {"crossplane.io/external-name": "vpc-1"},
                    },
                    "spec": {"forProvider": {"region": "us-east-1"}},
                },
                ready=False,
            ),
        )
    )


def after(key: str, *earlier: str | Unknown) -> Resource:
    return Resource(key, thing(key).manifest, after=earlier)


@pytest.mark.parametrize(
    ("observed", "withheld"),
    [
        ({}, [Withheld("cluster", "group, which AWS makes first", thing("cluster").manifest)]),
        ({"group": {}}, [Withheld("cluster", "group, which AWS makes first", thing("cluster").manifest)]),
        ({"group": READY}, []),
        ({"cluster": {}}, []),
    ],
)
def test_what_comes_after_another_is_withheld_until_that_is_ready(observed: Json, withheld: list[Withheld]) -> None:
    assert list(assemble([thing("group"), after("cluster", "group")], of(observed)).withheld) == withheld


def test_what_comes_after_a_fact_is_withheld_until_it_is_known() -> None:
    assert assemble([after("table", ARN)], {}).withheld == (
        Withheld("table", "the key's ARN", thing("table").manifest),
    )


def test_what_comes_after_something_withheld_waits_for_the_same_cause() -> None:
    resources = [thing("group", kmsKeyId=ARN), after("cluster", "group")]
    assert [item.source for item in assemble(resources, {}).withheld] == ["the key's ARN", "the key's ARN"]
