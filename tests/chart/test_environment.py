"""The chart of one environment: its namespace, and a ProviderConfig that the provider's own CRD takes."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from chart.conftest import CHARTS, Render, complaints, documented, rendering, said
from crds import Schema, of_crd
from tap_api.base import Json
from tap_api.common import Environment, ProviderConfigKind
from tap_api.naming import provider_config_name
from tap_cli.main import cli
from tap_cluster import api

CHART = CHARTS / "environment"
ROLE = "arn:aws:iam::111122223333:role/tap"
WEB = {"roleARN": ROLE, "token": {"path": "/var/run/token"}}
#: What is given for each source -> the credentials of the ProviderConfig.
SOURCES: list[tuple[Json, Json]] = [
    (
        {"source": "Secret"},
        {
            "source": "Secret",
            "secretRef": {"namespace": "tap-prod", "name": "aws-credentials", "key": "credentials"},
        },
    ),
    (
        {"source": "Secret", "secret": {"name": "keys", "key": "1"}},
        {"source": "Secret", "secretRef": {"namespace": "tap-prod", "name": "keys", "key": "1"}},
    ),
    ({"source": "IRSA"}, {"source": "IRSA"}),
    ({"source": "PodIdentity"}, {"source": "PodIdentity"}),
    (
        {"source": "WebIdentity", "webIdentity": WEB},
        {
            "source": "WebIdentity",
            "webIdentity": {
                "roleARN": ROLE,
                "tokenConfig": {"source": "Filesystem", "fs": {"path": "/var/run/token"}},
            },
        },
    ),
    (
        {
            "source": "WebIdentity",
            "webIdentity": {"roleARN": ROLE, "roleSessionName": "tap", "token": {"secret": {"name": "token"}}},
        },
        {
            "source": "WebIdentity",
            "webIdentity": {
                "roleARN": ROLE,
                "roleSessionName": "tap",
                "tokenConfig": {
                    "source": "Secret",
                    "secretRef": {"namespace": "tap-prod", "name": "token", "key": "token"},
                },
            },
        },
    ),
]
CHAIN = [
    {"roleARN": ROLE, "externalID": "tap-prod"},
    {"roleARN": f"{ROLE}-2", "tags": [{"key": "Environment", "value": "prod"}], "transitiveTagKeys": ["Environment"]},
]
GIVEN = {"environment": "prod", "credentials": {"source": "IRSA"}}


@pytest.fixture(scope="session")
def render(helm: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    return rendering(helm, CHART, tmp_path_factory.mktemp("values"))


@pytest.fixture(scope="session")
def schemas() -> dict[str, Schema]:
    crds = api.provider_crds()
    return {kind: of_crd(crds / f"aws.m.upbound.io_{kind.lower()}s.yaml") for kind in ProviderConfigKind}


@pytest.mark.parametrize("chain", [[], CHAIN], ids=["alone", "with a chain of roles"])
@pytest.mark.parametrize("kind", ProviderConfigKind)
@pytest.mark.parametrize("source", SOURCES)
def test_every_source_makes_a_configuration_that_the_provider_takes(
    render: Render, schemas: dict[str, Schema], source: tuple[Json, Json], kind: str, chain: list[Json]
) -> None:
    given, wanted = source
    values = {"environment": "prod", "providerConfig": {"kind": kind}, "assumeRoleChain": chain}
    found = render(**values, credentials=given)[f"{kind}/tap-prod"]
    assert found["spec"] == {"credentials": wanted, **({"assumeRoleChain": chain} if chain else {})}
    assert found["metadata"].get("namespace") == ("tap-prod" if kind == "ProviderConfig" else None)
    assert schemas[kind].faults(found) == []


@pytest.mark.parametrize("environment", Environment)
def test_an_environment_is_where_a_claim_looks_for_it(render: Render, environment: str) -> None:
    name = provider_config_name(environment)
    found = render(environment=environment, credentials={"source": "IRSA"})
    assert list(found) == [f"Namespace/{name}", f"ProviderConfig/{name}"]
    assert found[f"ProviderConfig/{name}"]["metadata"]["namespace"] == name


def test_the_values_are_those_of_the_api() -> None:
    properties = json.loads((CHART / "values.schema.json").read_text())["properties"]
    assert properties["environment"]["enum"] == ["", *Environment]
    assert properties["providerConfig"]["properties"]["kind"]["enum"] == list(ProviderConfigKind)


def test_the_namespace_outlives_the_release_and_can_be_somebody_elses(render: Render) -> None:
    namespace = render(**GIVEN, namespace={"labels": {"team": "a"}})["Namespace/tap-prod"]
    assert namespace["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert namespace["metadata"]["labels"]["team"] == "a"
    enforced = "pod-security.kubernetes.io/enforce"
    assert namespace["metadata"]["labels"][enforced] == "restricted"
    looser = render(**GIVEN, namespace={"labels": {enforced: "baseline"}})["Namespace/tap-prod"]
    assert looser["metadata"]["labels"][enforced] == "baseline"
    found = render(**GIVEN, namespace={"create": False, "name": "acme"})
    assert list(found) == ["ProviderConfig/tap-prod"]
    assert found["ProviderConfig/tap-prod"]["metadata"]["namespace"] == "acme"


def test_cluster_wide_credentials_are_used_by_the_groups_that_are_named(render: Render) -> None:
    shared = {"kind": "ClusterProviderConfig", "name": "sandbox", "groups": ["developers", "acme:ops"]}
    found = render(**GIVEN, providerConfig=shared)
    assert found["ClusterRole/tap-use-sandbox"]["rules"] == [
        {
            "apiGroups": ["aws.m.upbound.io"],
            "resources": ["clusterproviderconfigs"],
            "resourceNames": ["sandbox"],
            "verbs": ["use"],
        }
    ]
    binding = found["ClusterRoleBinding/tap-use-sandbox"]
    assert binding["roleRef"]["name"] == "tap-use-sandbox"
    assert [subject["name"] for subject in binding["subjects"]] == ["developers", "acme:ops"]
    assert {subject["kind"] for subject in binding["subjects"]} == {"Group"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"environment": ""}, "environment is not set: dev, staging or prod"),
        ({"environment": "qa"}, "at '/environment': value must be one of '', 'dev', 'staging', 'prod'"),
        ({"enviros": "dev"}, "additional properties 'enviros' not allowed"),
        ({"credentials": {}}, "credentials.source is not set: Secret, IRSA, PodIdentity or WebIdentity"),
        ({"credentials": {"source": "Env"}}, "at '/credentials/source': value must be one of"),
        ({"credentials": {"source": "IRSA", "secret": {"name": "a"}}}, "credentials.secret is for source Secret"),
        ({"credentials": {"source": "IRSA", "webIdentity": WEB}}, "to assume a role, use assumeRoleChain"),
        ({"credentials": {"source": "WebIdentity"}}, "credentials.webIdentity.roleARN is not set"),
        (
            {"credentials": {"source": "WebIdentity", "webIdentity": {"roleARN": ROLE}}},
            "credentials.webIdentity.token is not set",
        ),
        (
            {
                "credentials": {
                    "source": "WebIdentity",
                    "webIdentity": {"roleARN": ROLE, "token": {"path": "/t", "secret": {"name": "t"}}},
                }
            },
            "credentials.webIdentity.token has a path and a secret",
        ),
        ({"assumeRoleChain": [{"roleARN": "tap"}]}, "at '/assumeRoleChain/0/roleARN'"),
        ({"assumeRoleChain": [{"externalID": "tap"}]}, "missing property 'roleARN'"),
        ({"providerConfig": {"groups": ["a"]}}, "providerConfig.groups is for a ClusterProviderConfig"),
        ({"namespace": {"name": "Prod"}}, "at '/namespace/name'"),
    ],
)
def test_values_that_make_no_sense_are_refused_with_what_to_do(render: Render, values: Json, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        render(**{**GIVEN, **values})


@pytest.mark.parametrize("given", [given for given, _ in SOURCES])
def test_helm_finds_nothing_to_complain_about(helm: Path, given: Json) -> None:
    assert complaints(helm, CHART, environment="dev", credentials=given) == ""


def test_the_notes_say_the_next_command_and_it_is_one(
    helm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = said(helm, CHART, environment="prod", credentials={"source": "Secret"})
    assert "kubectl create secret generic aws-credentials --namespace tap-prod" in notes
    (line,) = re.findall(r"^  tap (init .*)$", notes, re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, shlex.split(line))
    assert done.exit_code == 0, done.output
    assert "namespace: tap-prod" in (tmp_path / "prod.yaml").read_text()
    assert "create secret" not in said(helm, CHART, **GIVEN)
    assert "providerConfigRef" not in notes
    assert "{kind: ProviderConfig, name: other}" in said(helm, CHART, **GIVEN, providerConfig={"name": "other"})


@pytest.mark.parametrize(("where", "text"), documented("environment"))
def test_the_values_in_the_documents_are_valid(
    render: Render, schemas: dict[str, Schema], where: str, text: str
) -> None:
    values: dict[str, Any] = yaml.safe_load(text)
    configs = [found for name, found in render(**values).items() if "ProviderConfig/" in name]
    assert [fault for config in configs for fault in schemas[config["kind"]].faults(config)] == []
    assert len(configs) == 1, where


def test_every_source_is_in_the_documents() -> None:
    given = [yaml.safe_load(text)["credentials"]["source"] for _, text in documented("environment")]
    assert set(given) == {credentials["source"] for credentials, _ in SOURCES}
