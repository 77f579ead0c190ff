"""Whether the operator may be uninstalled."""

from typing import Any

import pytest

from tap_operator import uninstall
from tap_operator.uninstall import TapsLeftError
from unit.operator.double import InMemoryCluster
from unit.operator.test_reconcile import ETAPS, PROD, RTAPS


def tap(name: str, **meta: Any) -> dict[str, Any]:
    return {**PROD, "metadata": {"namespace": "team", "name": name, **meta}}


async def test_where_no_tap_is_left_it_may_go() -> None:
    await uninstall.empty(InMemoryCluster())


async def test_where_no_kind_is_served_it_may_go() -> None:
    cluster = InMemoryCluster()
    cluster.served -= {ETAPS, RTAPS}
    await uninstall.empty(cluster)


async def test_every_tap_that_is_left_is_named_with_what_to_do_but_for_regions_of_an_environment() -> None:
    cluster = InMemoryCluster()
    cluster.put(tap("prod"), ETAPS)
    cluster.put(tap("alone"), RTAPS)
    owner = {
        "apiVersion": "tap.platform/v1alpha1",
        "kind": "EnvironmentTap",
        "name": "prod",
        "uid": "1",
        "controller": True,
    }
    cluster.put(tap("prod-us-east-1", ownerReferences=[owner]), RTAPS)
    with pytest.raises(TapsLeftError) as caught:
        await uninstall.empty(cluster, "helm rollback operator 3")
    assert str(caught.value).splitlines() == [
        "taps are left (2), and without the operator nobody could delete them. Nothing was uninstalled.",
        "Delete them, wait until they are gone, and uninstall again:",
        "  kubectl delete etap prod -n team",
        "  kubectl delete rtap alone -n team",
        "To keep the operator (helm refuses every upgrade before that): helm rollback operator 3",
        "Who means to install another operator over them: helm uninstall --no-hooks",
    ]


async def test_of_many_the_first_are_named() -> None:
    cluster = InMemoryCluster()
    for number in range(12):
        cluster.put(tap(f"tap-{number:02}"), ETAPS)
    with pytest.raises(TapsLeftError, match=r"taps are left \(12\)") as caught:
        await uninstall.empty(cluster)
    assert str(caught.value).splitlines()[-2:] == [
        "  and 2 more",
        "Who means to install another operator over them: helm uninstall --no-hooks",
    ]
