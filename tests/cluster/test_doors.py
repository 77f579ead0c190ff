"""The table of good and bad manifests at a real apiserver: its schema alone, and the webhook behind it."""

import json
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner
from kubernetes import client, config

from cluster.world import World
from policy_answers import said
from policy_cases import ALONE, GOOD, Case, Found, edited
from policy_changes import CASES
from tap_api.base import GROUP, VERSION
from tap_api.kinds import KINDS
from tap_api.policy import Organisation, judge
from tap_cli.validate import command
from tap_operator.apiserver import connect
from tap_operator.audit import audit

#: Nobody that the webhook is asked about: it passes Kubernetes' own controllers. Cluster rights come from the group.
PAST_THE_WEBHOOK = {
    "Impersonate-User": "system:serviceaccount:kube-system:doors",
    "Impersonate-Group": "system:masters",
}


class Door:
    """An apiserver that is asked whether it would take an object, and stores nothing."""

    def __init__(self, world: World, headers: Mapping[str, str]) -> None:
        self.namespace = world.namespace
        api = config.new_client_from_config(str(world.cluster.kubeconfig))  # type: ignore[no-untyped-call]
        self._objects: Any = client.CustomObjectsApi(api)
        self._headers = dict(headers)

    def creates(self, manifest: Mapping[str, Any], *, dry: bool = True) -> tuple[Found, str]:
        """Returns paths and codes of what the apiserver refuses `manifest` for, and its warnings."""
        body = {**manifest, "metadata": {**manifest["metadata"], "namespace": self.namespace}}
        create = self._objects.create_namespaced_custom_object_with_http_info
        return self._ask(create, self._place(manifest["kind"]), body, dry=dry)

    def changes(self, name: str, manifest: Mapping[str, Any], *, dry: bool = True) -> tuple[Found, str]:
        """The same for a change of the stored object `name`."""
        patch = self._objects.patch_namespaced_custom_object_with_http_info
        place = (*self._place(manifest["kind"]), name)
        kind = "application/merge-patch+json"
        return self._ask(patch, place, {"spec": manifest["spec"]}, dry=dry, _content_type=kind)

    def _place(self, kind: str) -> tuple[str, ...]:
        return GROUP, VERSION, self.namespace, KINDS[kind].plural

    def _ask(
        self, call: Any, place: tuple[str, ...], body: Mapping[str, Any], *, dry: bool = True, **more: str
    ) -> tuple[Found, str]:
        try:
            *_, headers = call(
                *place,
                body,
                field_validation="Strict",
                _headers=self._headers,
                **more,
                **({"dry_run": "All"} if dry else {}),
            )
        except client.ApiException as error:
            assert error.status in {400, 403, 422}, error
            return said(json.loads(error.body or "{}")), ""
        return [], str(headers.get("Warning", ""))


@pytest.fixture
def schema(world: World) -> Door:
    """The schema alone, as with every process of ours down."""
    return Door(world, PAST_THE_WEBHOOK)


@pytest.fixture
def webhook(world: World) -> Door:
    """The schema, and the webhook behind it."""
    return Door(world, {})


@pytest.fixture
def stored(schema: Door) -> None:
    """The objects that the cases about changes replace."""
    olds = {(case.old["kind"], case.old["metadata"]["name"]): case.old for case in CHANGED if case.old}
    assert all(olds[case.old["kind"], case.old["metadata"]["name"]] == case.old for case in CHANGED if case.old)
    for manifest in olds.values():
        assert schema.creates(manifest, dry=False) == ([], "")


def answers(door: Door, cases: list[Case]) -> dict[str, Found]:
    return {case.name: door.creates(case.manifest)[0] for case in cases}


#: The cluster's organisation is the chart's default one.
NEW = [case for case in CASES if not case.old and not case.organisation]
CHANGED = [case for case in CASES if case.old]


def test_the_schema_alone_gives_the_paths_and_codes_of_what_one_object_can_tell(schema: Door) -> None:
    assert answers(schema, NEW) == {case.name: sorted(case.schema) for case in NEW}


def test_with_the_webhook_all_is_refused_that_policy_refuses(webhook: Door) -> None:
    assert answers(webhook, NEW) == {case.name: sorted(case.schema or case.errors) for case in NEW}


def test_what_is_warned_of_is_stored_with_a_warning(webhook: Door) -> None:
    for case in (case for case in NEW if not case.errors):
        warning = webhook.creates(case.manifest)[1]
        assert bool(warning) == bool(case.warnings), (case.name, warning)
        assert all(f"{path}: " in warning and f"({code})" in warning for path, code in case.warnings)


def hostile(random: Random) -> dict[str, Any]:
    """Returns a RegionalTap whose range, tags, region and name are right or wrong by chance."""
    octets = ".".join(str(random.choice([0, 1, 9, 10, 16, 31, 32, 168, 172, 192, 255, 256])) for _ in range(4))
    odd = ["010.0.0.0/16", "10.0.0.0/16 ", "١٠.0.0.0/16", "::ffff:10.0.0.0/112", "10.0.0.0", "10.0.0.0/016", "/16"]
    ranges = [f"{octets}/{random.randint(0, 33)}", f"10.{random.randint(0, 255)}.0.0/16", random.choice(odd)]
    letters = "aZ09 _.:/=+-@*é設\u0301\u00a0\t€٣"
    words = ["CostCenter", "costcenter", "Region", "NAME", "aws:a", "AWS:b", "Aws:c", "crossplane-d", ""]
    words += ["".join(random.choices(letters, k=random.randint(1, 6))) for _ in range(3)]
    tags = {random.choice(words): "".join(random.choices(letters, k=random.randint(0, 4))) for _ in range(3)}
    name = random.choice(["a", "alone", "1st", "xn--a", "a-b", "sthree-x", "a" * 63])
    spec = {"environment": "dev", "region": random.choice(["eu-west-1", "us-east-9"]), "cidr": random.choice(ranges)}
    tagged = {"CostCenter": "x", **tags} if random.random() < 0.8 else tags
    return edited(ALONE, metadata__name=name, spec={**spec, "tags": tagged})


def test_the_schema_refuses_nothing_that_policy_would_take(schema: Door) -> None:
    random, codes = Random(5), set()  # noqa: S311  (a seed, not a secret)
    for _ in range(200):
        manifest = hostile(random)
        refused = {code for _, code in schema.creates(manifest)[0]}
        wrong = {violation.code for violation in judge("RegionalTap", manifest)}
        # Where the shape is wrong the one may ask further than the other.
        if "Schema" in wrong | refused:
            assert wrong and refused, manifest
        else:
            assert refused <= wrong, (manifest, refused, wrong)
            assert wrong & {"Cidr", "Name", "RegionUnknown", "TagMissing"} <= refused, (manifest, refused, wrong)
        codes |= refused
    assert codes == {"Cidr", "Name", "RegionUnknown", "Schema", "TagMissing", "TagReserved", "TagText"}


@pytest.mark.usefixtures("stored")
def test_a_change_is_refused_where_nothing_can_follow_it(schema: Door, webhook: Door) -> None:
    for case in CHANGED:
        name = case.manifest["metadata"]["name"]
        assert schema.changes(name, case.manifest)[0] == sorted(case.schema), case.name
        assert webhook.changes(name, case.manifest)[0] == sorted(case.schema or case.errors), case.name


def said_of(world: World, plural: str, name: str, kind: str) -> tuple[str, str]:
    """Returns status and message of a condition, empty where there is none."""
    conditions = world.get(plural, name).get("status", {}).get("conditions", [])
    return next(((c["status"], c.get("message", "")) for c in conditions if c["type"] == kind), ("", ""))


def test_a_stored_region_that_breaks_a_rule_keeps_what_it_has_and_says_why(schema: Door, world: World) -> None:
    assert schema.creates(ALONE, dry=False) == ([], "")
    world.until(lambda: _composed(world), "it is composed")
    window = world.get("regionaldatabases", "alone-database")["spec"]["database"]["backupWindow"]
    broken = {**ALONE, "spec": {**ALONE["spec"], "database": {"backupWindow": "04:45-05:00"}}}
    assert schema.changes("alone", broken, dry=False) == ([], "")
    world.until(lambda: said_of(world, "regionaltaps", "alone", "PolicyCompliant")[0] == "False", "policy refuses it")
    message = said_of(world, "regionaltaps", "alone", "PolicyCompliant")[1]
    assert message.count("(Windows)") == 2
    assert "spec.database.backupWindow: " in message
    assert _composed(world)
    assert world.get("regionaldatabases", "alone-database")["spec"]["database"]["backupWindow"] == window
    assert said_of(world, "regionaltaps", "alone", "Ready")[0] == "False"


def _composed(world: World) -> bool:
    return "alone-key" in world.names("keys.kms.aws.m.upbound.io") and len(world.names("regionaldatabases")) == 1


async def test_what_is_stored_past_the_webhook_is_found_by_the_audit(
    schema: Door, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    untagged = edited(GOOD, spec__tags={})
    docker = edited(ALONE, spec__cidr="172.17.0.0/16")
    assert (schema.creates(untagged, dry=False), schema.creates(docker, dry=False)) == (([], ""), ([], ""))
    found = tap_validate(world)
    assert [(row["name"], row["path"], row["code"]) for row in found] == [
        (f"EnvironmentTap {world.namespace}/prod", "spec.tags.CostCenter", "TagMissing"),
        (f"RegionalTap {world.namespace}/alone", "spec.cidr", "OrganisationRange"),
    ]
    world.until(lambda: world.condition("prod", "PolicyCompliant") == "False", "the operator refuses the claim")
    assert world.names("regionaltaps") == ["alone"]
    # The operator's own round is once in five minutes; this is one, with its account and no more rights.
    account = world.cluster.kubeconfig.parent / "kubeconfigs" / "tap-operator"
    config_file = account if account.exists() else world.cluster.kubeconfig  # Elsewhere than embedded it is a pod's.
    monkeypatch.setattr("kubernetes.aio.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(config_file))
    async with connect() as cluster:
        _, broken = await audit(cluster, Organisation())
    assert broken["EnvironmentTap", "TagMissing", "error"] >= 1
    status, message = said_of(world, "regionaltaps", "alone", "OrganisationCompliant")
    assert (status, "(OrganisationRange)" in message) == ("False", True)
    # Crossplane's own writes leave it there.
    world.until(lambda: _composed(world), "it is composed")
    assert said_of(world, "regionaltaps", "alone", "OrganisationCompliant") == (status, message)


def tap_validate(world: World) -> list[dict[str, Any]]:
    """Returns what `tap validate --cluster` finds in the namespace."""
    where = ["--kubeconfig", str(world.cluster.kubeconfig), "--namespace", world.namespace]
    answer = CliRunner().invoke(command, ["--cluster", *where, "-o", "json"], standalone_mode=False)
    found: list[dict[str, Any]] = json.loads(answer.output)["findings"]
    return found
