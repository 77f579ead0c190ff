"""The table of good and bad manifests at a real apiserver: its schema alone, and the webhook behind it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from kubernetes import client, config

from cluster.world import World
from policy_cases import ALONE, CASES, GOOD, Case, Found, edited, said
from tap_api.base import GROUP, VERSION
from tap_api.kinds import KINDS

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

    def changes(self, name: str, manifest: Mapping[str, Any]) -> tuple[Found, str]:
        """The same for a change of the stored object `name`."""
        patch = self._objects.patch_namespaced_custom_object_with_http_info
        place = (*self._place(manifest["kind"]), name)
        return self._ask(patch, place, {"spec": manifest["spec"]}, _content_type="application/merge-patch+json")

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
def stored(schema: Door) -> Iterator[None]:
    """The objects that the cases about changes replace."""
    for manifest in (GOOD, ALONE, edited(GOOD, metadata__name="global", spec__database={"global": True})):
        assert schema.creates(manifest, dry=False) == ([], "")
    yield


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


@pytest.mark.usefixtures("stored")
def test_a_change_is_refused_where_nothing_can_follow_it(schema: Door, webhook: Door) -> None:
    for case in CHANGED:
        name = "global" if "database" in (case.old or {})["spec"] else case.manifest["metadata"]["name"]
        assert schema.changes(name, case.manifest)[0] == sorted(case.schema), case.name
        assert webhook.changes(name, case.manifest)[0] == sorted(case.schema or case.errors), case.name
