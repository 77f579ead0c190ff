"""Labels and annotations of a claim are the file's own, and those that `tap` applied and the file lost; no others."""

from copy import deepcopy

import pytest

from policy_cases import ALONE, GOOD
from tap_api.base import Json
from tap_api.naming import MANAGER
from tap_stack.plan import Plan, State, plan

LABELED = {"labels": {"team": "shop"}, "annotations": {"tap.platform/confirm-removal": "prod"}}


def with_metadata(claim: Json, **metadata: object) -> Json:
    return {**claim, "metadata": {**claim["metadata"], **metadata}}


def stored(claim: Json, *managers: Json, **metadata: object) -> State:
    """Returns a state that holds a claim with labels or annotations, and whose they are."""
    return State.of([with_metadata(claim, uid="u", managedFields=list(managers), **metadata)], namespace(claim))


def namespace(claim: Json) -> str:
    return str(claim["metadata"]["namespace"])


def held_by(manager: str, operation: str, *labels: str) -> Json:
    fields: Json = {"f:metadata": {"f:labels": {f"f:{label}": {} for label in labels}}}
    return {"manager": manager, "operation": operation, "fieldsV1": fields}


def own(made: Plan) -> list[tuple[str, object, object]]:
    changes = [change for change in made.changes if (change.kind, change.name) == (made.kind, made.name)]
    return [(field.path, field.old, field.new) for change in changes for field in change.fields]


@pytest.mark.parametrize("claim", [GOOD, ALONE], ids=["environment", "alone"])
def test_a_label_and_an_annotation_of_a_claim_are_told_where_the_cluster_has_them_otherwise(claim: Json) -> None:
    wanted = with_metadata(claim, **LABELED)
    assert own(plan(wanted, stored(claim, labels={"team": "platform"}))) == [
        ("metadata.labels.team", "platform", "shop"),
        ('metadata.annotations["tap.platform/confirm-removal"]', None, "prod"),
    ]
    assert own(plan(wanted, stored(claim, **LABELED))) == []


@pytest.mark.parametrize("claim", [GOOD, ALONE], ids=["environment", "alone"])
def test_of_labels_that_a_file_lost_those_go_that_it_alone_had_applied(claim: Json) -> None:
    state = stored(
        claim,
        held_by(MANAGER, "Apply", "ours", "shared"),
        held_by("argocd", "Apply", "shared", "theirs"),
        held_by(MANAGER, "Update", "confirmed"),
        labels=dict.fromkeys(("ours", "shared", "theirs", "confirmed", "unsaid"), "x"),
    )
    assert own(plan(claim, state)) == [("metadata.labels.ours", "x", None)]


def test_a_region_that_the_operator_makes_has_its_labels_from_the_operator() -> None:
    [before] = [c.wanted for c in plan(GOOD, State()).changes if c.kind == "RegionalTap" and "us-east-1" in c.name]
    owner = {"apiVersion": GOOD["apiVersion"], "kind": GOOD["kind"], "name": "prod", "uid": "u", "controller": True}
    there = with_metadata(deepcopy(before), uid="r", ownerReferences=[owner], labels={"a": "b"})
    made = plan(GOOD, State.of([with_metadata(GOOD, uid="u"), there], namespace(GOOD)))
    fields = [field.path for change in made.changes for field in change.fields]
    assert [path for path in fields if path.startswith("metadata.")] == []
