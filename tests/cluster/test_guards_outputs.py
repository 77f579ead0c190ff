"""Which ConfigMaps the operator may write, asked of the real apiserver: the outputs of environments, and no other."""

import pytest

from cluster.test_guards import WHO, Guards, brief, merge, owned_by, passing
from tap_api.base import Json
from tap_cluster.api import Cluster

NAME = "shop"
OUTPUTS = f"{NAME}-outputs"
NO_CONFIG_MAP = (
    "the operator of taps may write the ConfigMap <environmenttap>-outputs that this EnvironmentTap controls, "
    "and no other"
)


@pytest.fixture(scope="module")
def guards(cluster: Cluster, shared_namespace: str) -> Guards:
    """A namespace with an EnvironmentTap."""
    made = Guards(cluster, shared_namespace)
    claim = brief(NAME)
    claim["spec"]["regions"][0]["state"] = "Present"
    made.kubectl("create", "rolebinding", "editor", "--clusterrole=edit", "--user=editor")
    made.kubectl("apply", "--filename=-", stdin=claim)
    return made


def config_map(name: str, **metadata: object) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": {"a": "b"}}


@pytest.mark.parametrize(
    ("name", "metadata"),
    [
        ("mine", {}),
        (OUTPUTS, {}),
        ("mine", owned_by(NAME, controller=True)),
        (OUTPUTS, owned_by(NAME)),
        (OUTPUTS, owned_by("another", controller=True)),
        (OUTPUTS, {"ownerReferences": [{"apiVersion": "v1", "kind": "Secret", "name": "x", "uid": "0"}]}),
        (OUTPUTS, {**owned_by(NAME, controller=True), "finalizers": ["tap.platform/mine"]}),
    ],
    ids=["nobody's", "no owner", "another name", "not controlled", "another's", "another kind's", "a finalizer"],
)
def test_the_operator_makes_no_config_map_but_outputs(guards: Guards, name: str, metadata: Json) -> None:
    made = config_map(name, **metadata)
    assert passing(guards, "create", "--filename=-", stdin=made) == set(WHO) - {"operator"}
    assert guards.refusal("operator", "create", "--filename=-", stdin=made) == NO_CONFIG_MAP


def test_the_operator_writes_the_outputs_of_an_environment_and_leaves_namesakes_alone(guards: Guards) -> None:
    uid = guards.kubectl("get", "etap", NAME, "--output=jsonpath={.metadata.uid}")
    owner = owned_by(NAME, uid, controller=True)
    change = {"data": {"a": "c"}}
    assert passing(guards, "create", "--filename=-", stdin=config_map(OUTPUTS, **owner)) == set(WHO)
    guards.kubectl("create", "--filename=-", stdin=config_map(OUTPUTS))
    # Not with an owner that is put there on the way, either.
    for patch in (change, {**change, "metadata": owner}):
        assert passing(guards, "patch", "configmap", OUTPUTS, *merge(patch)) == set(WHO) - {"operator"}
    guards.kubectl("delete", "configmap", OUTPUTS)
    guards.kubectl("create", "--filename=-", stdin=config_map(OUTPUTS, **owner, finalizers=["example.com/kept"]))
    try:
        assert passing(guards, "patch", "configmap", OUTPUTS, *merge(change)) == set(WHO)
        # Nothing of it is the operator's to delete: it goes with its owner.
        assert passing(guards, "delete", "configmap", OUTPUTS) == set(WHO) - {"operator"}
        for taken in (
            owned_by(NAME, "another", controller=True),
            {"ownerReferences": None},
            {"finalizers": None},
            {"finalizers": ["example.com/kept", "tap.platform/mine"]},
        ):
            assert guards.patch("operator", "configmap", OUTPUTS, {"metadata": taken}) == NO_CONFIG_MAP
    finally:
        guards.kubectl("patch", "configmap", OUTPUTS, *merge({"metadata": {"finalizers": None}}))
        guards.kubectl("delete", "configmap", OUTPUTS)


def test_the_operator_has_no_way_to_what_the_cluster_runs_by(guards: Guards) -> None:
    patch = ("patch", "configmap", "kube-root-ca.crt", *merge({"data": {"ca.crt": "mine"}}))
    assert passing(guards, *patch) == set(WHO) - {"operator"}
