"""Whatever can carry tags has the required ones. Which kinds can is read from the provider's CRDs, here too."""

from functools import cache
from pathlib import Path

import pytest

from golden.world import Environment, claims
from tap_api import manifest
from tap_api.base import Json
from tap_api.policy import judge
from tap_stack import aws

REQUIRED = {"Environment", "Region", "CostCenter"}
#: AWS takes fifty tags, ten on an S3 object; three are the provider's own (05, section 1).
MOST = {"Object": 7}
MOST_TAGS = 47


@cache
def taggable(crds: Path) -> frozenset[tuple[str, str]]:
    """Returns the kinds whose CRD has tags, by apiVersion and kind."""
    found = set()
    for kind in aws.KINDS:
        (crd,) = manifest.read(crds / f"{kind.group}_{kind.entry.plural}.yaml")
        schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        if "tags" in schema["properties"]["spec"]["properties"]["forProvider"]["properties"]:
            found.add((f"{kind.group}/{crd['spec']['versions'][0]['name']}", kind.kind))
    return frozenset(found)


def resources(claim: str, **spec: object) -> list[Json]:
    settled = Environment(claim, **spec).settle()
    composed = [item.manifest for turned in settled.values() for _, made in turned for item in made.resources]
    return [item for item in composed if "forProvider" in item["spec"]]


@pytest.mark.parametrize("claim", claims())
def test_every_resource_that_can_carry_tags_has_the_required_ones(claim: str, crds: Path) -> None:
    tagged = 0
    for item in resources(claim, monitoring={"trail": "Create"}):
        tags = item["spec"]["forProvider"].get("tags")
        if item["spec"]["managementPolicies"] == ["Observe"]:
            # A replica of the table: the primary makes it, and Tag resources tag it.
            assert item["kind"] == "Table"
        elif (item["apiVersion"], item["kind"]) in taggable(crds):
            assert set(tags) >= REQUIRED, item["metadata"]["name"]
            tagged += 1
        else:
            assert tags is None, item["metadata"]["name"]
    assert tagged > 150


def test_a_replica_of_the_table_is_tagged_by_resources_of_their_own() -> None:
    for name, turned in Environment("prod").settle().items():
        tags = {
            item.manifest["spec"]["forProvider"]["key"]
            for _, composed in turned
            for item in composed.resources
            if item.manifest["kind"] == "Tag"
        }
        assert tags == (set() if name == "us-east-1" else REQUIRED)


def test_a_claim_with_the_most_tags_stays_inside_what_aws_takes() -> None:
    most = {"CostCenter": "x", **{f"tag-{i:02}": "x" for i in range(43)}}
    for item in resources("prod", tags=most):
        tags = item["spec"]["forProvider"].get("tags", {})
        assert len(tags) <= MOST.get(item["kind"], MOST_TAGS), item["metadata"]["name"]
        assert not tags or set(tags) >= REQUIRED


def test_a_claim_with_more_tags_is_refused() -> None:
    claim = Environment("prod").claim
    claim["spec"]["tags"] = {"CostCenter": "x", **{f"tag-{i:02}": "x" for i in range(44)}}
    assert [violation.path for violation in judge("EnvironmentTap", claim)] == ["spec.tags"]


def test_the_reference_lists_the_kinds_that_cannot_carry_tags(crds: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/reference/tags.md").read_text(encoding="utf-8")
    listed = page.partition("## Kinds that cannot")[2]
    cannot = {
        (kind.kind, kind.group) for kind in aws.KINDS if (kind.entry.api_version, kind.kind) not in taggable(crds)
    }
    rows = {tuple(cell.strip(" `") for cell in row.strip("|").split("|")) for row in listed.splitlines() if "`" in row}
    assert {row for row in rows if len(row) == 2} == cannot
