"""The cluster, as the verbs read it."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from tap_api.base import GROUP, VERSION, Json
from tap_api.kinds import ENVIRONMENT_TAP, PARTS, REGIONAL_TAP, Kind
from tap_api.naming import LABEL_ENVIRONMENT_TAP
from tap_cli.connection import HINT, TIMEOUT, ClusterError, connect, refused, unanswered
from tap_cli.snapshot import Snapshot


class Cluster:
    """Reads environments from a cluster."""

    def __init__(self, kubeconfig: Path | None = None, context: str | None = None) -> None:
        """Connects to nothing yet.

        Args:
            kubeconfig: File to use in place of KUBECONFIG and of kubectl's default.
            context: Context to use in place of the current one.

        Raises:
            ClusterError: no usable kubeconfig.
        """
        self._objects = client.CustomObjectsApi(connect(kubeconfig, context))
        self._plural = cache(self._discover)

    def environments(self, namespace: str | None = None) -> list[Json]:
        """Returns the EnvironmentTaps of `namespace`, of all namespaces where it is None, sorted."""
        return self._sorted(ENVIRONMENT_TAP, namespace)

    def regions(self, namespace: str | None = None) -> list[Json]:
        """Returns the RegionalTaps of `namespace`, of all namespaces where it is None, sorted."""
        return self._sorted(REGIONAL_TAP, namespace)

    def parts(self, namespace: str, label: str | None = None) -> list[Json]:
        """Returns the parts in `namespace`, only those with `label` where there is one."""
        return [part for kind in PARTS for part in self._list(GROUP, VERSION, kind.plural, namespace, label)]

    def _sorted(self, kind: Kind, namespace: str | None) -> list[Json]:
        found = self._list(GROUP, VERSION, kind.plural, namespace)
        return sorted(found, key=lambda o: (o["metadata"]["namespace"], o["metadata"]["name"]))

    def snapshot(self, environment: Json, *, resources: bool = False) -> Snapshot:
        """Returns what there is of `environment`; its managed resources only where `resources` is set."""
        namespace, name = environment["metadata"]["namespace"], environment["metadata"]["name"]
        label = f"{LABEL_ENVIRONMENT_TAP}={name}"
        regions = self._list(GROUP, VERSION, REGIONAL_TAP.plural, namespace, label)
        parts = self.parts(namespace, label)
        managed = self._managed((*regions, *parts), namespace, label) if resources else []
        return Snapshot(environment, regions, parts, managed)

    def objects(self, kind: str, name: str, namespace: str) -> list[Json]:
        """Returns what there is of the claim of that kind and name, and below it: what a plan is held against."""
        of_environment = kind == ENVIRONMENT_TAP.kind
        label = f"{LABEL_ENVIRONMENT_TAP}={name}" if of_environment else None
        # Regions without the label too: one may have a name that is wanted.
        regions = self._list(GROUP, VERSION, REGIONAL_TAP.plural, namespace)
        claim = self._list(GROUP, VERSION, ENVIRONMENT_TAP.plural, namespace) if of_environment else []
        parts = self.parts(namespace, label)
        return [*claim, *regions, *parts, *self._managed((*regions, *parts), namespace, label)]

    def _managed(self, xrs: Iterable[Json], namespace: str, label: str | None) -> list[Json]:
        references = [r for xr in xrs for r in (xr["spec"].get("crossplane") or {}).get("resourceRefs") or ()]
        kinds = sorted({(r["apiVersion"], r["kind"]) for r in references if not r["apiVersion"].startswith(GROUP)})
        return [
            found
            for api_version, kind in kinds
            for found in self._list(*_split(api_version), self._plural_of(api_version, kind), namespace, label)
        ]

    def _plural_of(self, api_version: str, kind: str) -> str:
        plural = self._plural(api_version).get(kind)
        if plural is None:
            # Without it a plan would take what is there for gone, and an export would be less than all.
            message = f"the cluster does not serve {kind} ({api_version}), which a region has made; run `tap doctor`"
            raise ClusterError(message)
        return plural

    def _discover(self, api_version: str) -> dict[str, str]:
        group, version = _split(api_version)
        try:
            resources = self._call("discover", api_version, self._objects.get_api_resources, group, version).resources
        except ClusterError as error:
            if not error.absent:
                raise
            return {}
        return {resource.kind: resource.name for resource in resources if "/" not in resource.name}

    def _list(
        self, group: str, version: str, plural: str, namespace: str | None, label: str | None = None
    ) -> list[Json]:
        options = {"label_selector": label} if label else {}
        what = f"{plural}.{group}"
        if namespace is None:
            found = self._call(
                "list", what, self._objects.list_cluster_custom_object, group, version, plural, **options
            )
        else:
            found = self._call(
                "list", what, self._objects.list_namespaced_custom_object, group, version, namespace, plural, **options
            )
        if not isinstance(found, dict) or not isinstance(found.get("items"), list):
            message = f"what answers is not a Kubernetes API: no list of {what}; {HINT}"
            raise ClusterError(message)
        # Items of a list carry no kind of their own.
        kind = found["kind"].removesuffix("List")
        return [{"apiVersion": f"{group}/{version}", "kind": kind, **item} for item in found["items"]]

    def _call(self, verb: str, what: str, call: Any, *args: str, **options: Any) -> Any:  # noqa: ANN401
        try:
            return call(*args, **options, _request_timeout=TIMEOUT)
        except ApiException as error:
            raise ClusterError(refused(verb, what, error)) from error
        except (HTTPError, OSError, ValueError) as error:  # ValueError: a token that is no header, a URL that is none
            raise unanswered(self._objects.api_client, error) from error


def _split(api_version: str) -> tuple[str, str]:
    group, _, version = api_version.partition("/")
    return group, version
