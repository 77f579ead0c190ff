"""A saved state: what it holds, that a plan reads it back, and that it is whole or not there."""

import hashlib
import json
import os
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from moto import mock_aws

from doubles.restapi import RestApi, holding, serving
from golden.world import Environment
from tap_api import manifest
from tap_api.base import API_VERSION, GROUP, Json
from tap_api.errors import TapError
from tap_api.kinds import KINDS
from tap_cli.claims import saved
from tap_cli.main import cli
from tap_cli.snapshot import Snapshot
from tap_cli.state import folder, layout, s3
from tap_stack.plan import State, plan

REGIONS = [{"name": "us-east-1", "cidr": "10.0.0.0/16"}, {"name": "us-east-2", "cidr": "10.1.0.0/16"}]
WHEN = "2026-11-24T15:00:00Z"
HEAD, EAST = "infrastructure/global/tap-dev/dev", "infrastructure/us-east-1/tap-dev/dev"
NO_FILES = "is damaged, it names no files; export the state again"
SEEN = '{"apiVersion": "v1", "kind": "VPC", "name": "a"'


@pytest.fixture(scope="module")
def there() -> list[Json]:
    """All that there is of an environment once AWS has made it, as an apiserver holds it."""
    environment = Environment("dev", regions=REGIONS)
    environment.settle()
    found = [environment.claim]
    for world in environment.worlds.values():
        found += [world.tap, *(item for composed in world.objects.values() for item in composed.values())]
    for i, item in enumerate(found):
        item["metadata"]["resourceVersion"] = str(i)
        item["metadata"].setdefault("annotations", {})["kubectl.kubernetes.io/last-applied-configuration"] = "{}"
        if item["kind"] not in KINDS:
            # Some we choose; the others AWS does.
            item["metadata"]["annotations"].setdefault(layout.EXTERNAL_NAME, f"aws-{i}")
    return found


@pytest.fixture(scope="module")
def snapshot(there: list[Json]) -> Snapshot:
    def of(*kinds: str) -> list[Json]:
        return [item for item in there if item["kind"] in kinds]

    parts = [kind for kind in KINDS if kind not in ("EnvironmentTap", "RegionalTap")]
    managed = [item for item in there if item["kind"] not in KINDS]
    return Snapshot(of("EnvironmentTap")[0], of("RegionalTap"), of(*parts), managed)


@pytest.fixture(scope="module")
def made(snapshot: Snapshot) -> dict[str, str]:
    return layout.files(snapshot, {"tap": "0.1.0"}, WHEN)


def documents(made: dict[str, str]) -> list[Json]:
    return [d for path, text in made.items() if path.endswith(".yaml") for d in manifest.load(text, Path(path))]


def test_every_region_has_its_files_and_the_index_comes_last(made: dict[str, str]) -> None:
    of_a_region = ["region.yaml", "resources.yaml", "outputs.json", "observed.json"]
    assert list(made) == [
        f"{HEAD}/environment.yaml",
        f"{HEAD}/observed.json",
        *(f"{EAST}/{name}" for name in of_a_region),
        *(f"{EAST.replace('us-east-1', 'us-east-2')}/{name}" for name in of_a_region),
        f"{HEAD}/index.json",
    ]


def test_what_is_saved_is_all_there_is_and_carries_nothing_of_its_cluster(
    made: dict[str, str], there: list[Json]
) -> None:
    found = documents(made)
    assert sorted((d["kind"], d["metadata"]["name"]) for d in found) == sorted(
        (d["kind"], d["metadata"]["name"]) for d in there
    )
    for document in found:
        assert set(document) == {"apiVersion", "kind", "metadata", "spec"}
        assert set(document["metadata"]) <= {"name", "namespace", "labels", "annotations"}
        assert "crossplane" not in document["spec"]
        assert document["kind"] != "Secret"
    assert "last-applied" not in "".join(made.values())


def test_each_resource_of_aws_has_its_external_name_and_all_that_was_asked_for(
    made: dict[str, str], snapshot: Snapshot
) -> None:
    kept = {(d["kind"], d["metadata"]["name"]): d for d in documents(made)}
    for resource in snapshot.resources:
        document = kept[resource["kind"], resource["metadata"]["name"]]
        notes = document["metadata"]["annotations"]
        assert notes[layout.EXTERNAL_NAME] == resource["metadata"]["annotations"][layout.EXTERNAL_NAME]
        assert document["spec"] == resource["spec"]


def test_the_index_says_what_is_not_in_aws_yet(snapshot: Snapshot) -> None:
    resources = deepcopy(list(snapshot.resources))
    del resources[0]["metadata"]["annotations"][layout.EXTERNAL_NAME]
    less = Snapshot(snapshot.environment, snapshot.regions, snapshot.parts, resources)
    index = json.loads(layout.files(less, {"tap": "0.1.0"}, WHEN)[f"{HEAD}/index.json"])
    first = resources[0]
    region = first["metadata"]["labels"][f"{GROUP}/region"]
    assert index["withoutExternalName"] == [f"{region}: {first['kind']} {first['metadata']['name']}"]
    assert {key: index[key] for key in ("format", "environment", "exportedAt", "versions", "resources")} == {
        "format": 1,
        "environment": {"namespace": "tap-dev", "name": "dev"},
        "exportedAt": WHEN,
        "versions": {"tap": "0.1.0"},
        "resources": len(resources),
    }


def test_what_has_an_id_is_in_aws_though_the_provider_keeps_no_external_name_for_it(snapshot: Snapshot) -> None:
    resource = deepcopy(next(one for one in snapshot.resources if one["kind"] == "BucketNotification"))
    del resource["metadata"]["annotations"][layout.EXTERNAL_NAME]
    assert (layout.is_unnamed(resource), layout.is_unmade(resource)) == (True, False)
    del resource["status"]["atProvider"]["id"]
    assert layout.is_unmade(resource)


def in_order(made: Json) -> Json:
    """Returns a plan whose changes are in the order of their names: what goes comes in the order of the state."""
    return {**made, "changes": sorted(made["changes"], key=lambda change: (change["kind"], change["name"]))}


@pytest.mark.parametrize(
    "edit", [{}, {"tags": {"CostCenter": "other"}}, {"regions": REGIONS[:1]}, {"database": {"backupRetentionDays": 1}}]
)
def test_a_plan_against_it_is_a_plan_against_the_cluster(
    made: dict[str, str], there: list[Json], tmp_path: Path, edit: Json
) -> None:
    folder.write(made, tmp_path / "saved")
    claim = deepcopy(there[0])
    claim["metadata"] = {"name": "dev", "namespace": "tap-dev"}
    claim["spec"].update(edit)
    against_cluster = in_order(plan(claim, State.of(there, "tap-dev")).json())
    assert in_order(plan(claim, State.of(saved(tmp_path / "saved"), "tap-dev")).json()) == against_cluster
    assert bool(against_cluster["changes"]) == bool(edit)


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        (f"{EAST}/resources.yaml", "{}", "was changed since it was exported; export the state again"),
        (f"{EAST}/outputs.json", None, "is missing, and the index names it; export the state again"),
        (f"{HEAD}/index.json", '{"format": 2}', "format 2; this `tap` reads format 1"),
        *(
            (f"{HEAD}/index.json", text, NO_FILES)
            for text in ('{"format": 1, "fi', '{"format": 1}', "[]", "[" * 99_999)
        ),
    ],
)
def test_a_state_that_is_not_whole_is_refused(
    made: dict[str, str], tmp_path: Path, path: str, text: str | None, said: str
) -> None:
    folder.write(made, tmp_path / "saved")
    file = tmp_path / "saved" / path
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    with pytest.raises(TapError) as raised:
        saved(tmp_path / "saved")
    assert str(raised.value) == f"{file}: {said}"


@pytest.mark.parametrize(
    "text",
    ["[", "{}", "[1]", '[{"kind": "VPC"}]', f'[{SEEN}, "status": 1}}]', f'[{SEEN}, "owner": {{"kind": "VPC"}}}}]'],
)
def test_what_was_seen_is_refused_where_it_is_damaged_though_the_index_knows_it(
    made: dict[str, str], tmp_path: Path, text: str
) -> None:
    index = json.loads(made[f"{HEAD}/index.json"])
    index["files"][f"{EAST}/observed.json"] = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    folder.write({**made, f"{EAST}/observed.json": text, f"{HEAD}/index.json": json.dumps(index)}, tmp_path / "saved")
    with pytest.raises(TapError) as raised:
        saved(tmp_path / "saved")
    said = "is damaged, it is no list of what was seen; export the state again"
    assert str(raised.value) == f"{tmp_path / 'saved' / EAST / 'observed.json'}: {said}"


def contents(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_a_folder_is_replaced_whole(made: dict[str, str], tmp_path: Path) -> None:
    place = tmp_path / "a" / "saved"
    folder.write({**made, f"{EAST}/old.yaml": "a: 1\n"}, place)
    folder.write(made, place)
    assert contents(place) == made
    assert [path.name for path in place.parent.iterdir()] == ["saved"]


@pytest.fixture(scope="module")
def another(snapshot: Snapshot) -> dict[str, str]:
    """The files of another environment in the same namespace, which has no region yet."""
    environment = {**snapshot.environment, "metadata": {"name": "lab", "namespace": "tap-dev"}}
    return layout.files(Snapshot(environment), {"tap": "0.1.0"}, WHEN)


def test_a_folder_keeps_the_other_environments_and_a_plan_reads_all_of_them(
    made: dict[str, str], another: dict[str, str], there: list[Json], tmp_path: Path
) -> None:
    place = tmp_path / "saved"
    for files in ({**made, f"{EAST}/old.yaml": "a: 1\n"}, another, made):
        folder.write(files, place)
    assert contents(place) == {**another, **made}
    found = saved(place)
    assert [item["metadata"]["name"] for item in found if item["kind"] == "EnvironmentTap"] == ["dev", "lab"]
    claim = {**there[0], "metadata": {"name": "dev", "namespace": "tap-dev"}}
    assert plan(claim, State.of(found, "tap-dev")).changes == ()


@pytest.mark.parametrize("nth", [1, 5])
def test_a_disk_that_is_full_leaves_what_was_there(
    made: dict[str, str], another: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    place = tmp_path / "saved"
    folder.write(another, place)
    folder.write({**made, f"{EAST}/old.yaml": "a: 1\n"}, place)
    before, calls = contents(place), iter(range(1, 100))

    def full(_: int) -> None:
        if next(calls) == nth:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TapError, match="cannot be written: No space left on device; choose another folder"):
        folder.write(made, place)
    assert contents(place) == before
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]


@pytest.mark.parametrize("name", ["notes.txt", "infrastructure"])
def test_a_folder_of_something_else_is_left_alone(made: dict[str, str], tmp_path: Path, name: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text("mine")
    for place in (tmp_path / "mine", tmp_path / "mine" / name):
        with pytest.raises(TapError, match="holds something that is no saved state"):
            folder.write(made, place)
    assert contents(tmp_path / "mine") == {name: "mine"}


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket as AWS makes one today: closed, and encrypted by S3's own key. AWS is moto, a simulation."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="state")
        encrypt(client, {"SSEAlgorithm": "AES256"})
        block(client, closed=True)
        yield client


def encrypt(client: Any, how: Json) -> None:
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": how}]}
    client.put_bucket_encryption(Bucket="state", ServerSideEncryptionConfiguration=rules)


def block(client: Any, *, closed: bool) -> None:
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    client.put_public_access_block(
        Bucket="state", PublicAccessBlockConfiguration={name: closed or name == "BlockPublicAcls" for name in names}
    )


def stored(client: Any) -> dict[str, str]:
    return {
        item["Key"]: client.get_object(Bucket="state", Key=item["Key"])["Body"].read().decode()
        for item in client.list_objects_v2(Bucket="state").get("Contents", [])
    }


def test_a_bucket_gets_the_same_files_encrypted_as_it_encrypts(made: dict[str, str], bucket: Any) -> None:
    assert s3.write(made, "state") == "AES256"
    assert stored(bucket) == made
    for key in made:
        assert bucket.head_object(Bucket="state", Key=key)["ServerSideEncryption"] == "AES256"


@pytest.mark.parametrize(
    ("default", "given"), [("arn:aws:kms:us-east-1:1:key/a", ""), (None, "arn:aws:kms:us-east-1:1:key/a")]
)
def test_a_key_of_ones_own_encrypts_them(made: dict[str, str], bucket: Any, default: str | None, given: str) -> None:
    if default:
        encrypt(bucket, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": default})
    assert s3.write(made, "state", given) == "aws:kms"
    head = bucket.head_object(Bucket="state", Key=f"{EAST}/resources.yaml")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", default or given)


def test_one_export_overwrites_nothing_of_another_but_the_index(snapshot: Snapshot, bucket: Any) -> None:
    for when in ("1", "2"):
        s3.write(layout.files(snapshot, {}, WHEN, apart=when), "state")
    there = stored(bucket)
    index = json.loads(there[f"{HEAD}/index.json"])
    assert all(f"/dev/2/{Path(path).name}" in path for path in index["files"])
    assert {path.replace("/2/", "/1/") for path in index["files"]} < set(there)


def test_a_bucket_that_may_be_public_is_refused_and_gets_nothing(made: dict[str, str], bucket: Any) -> None:
    block(bucket, closed=False)
    with pytest.raises(TapError) as raised:
        s3.write(made, "state")
    assert str(raised.value) == (
        "s3://state may be opened to the public (IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets is off); "
        "block public access first"
    )
    bucket.delete_public_access_block(Bucket="state")
    with pytest.raises(TapError, match="may be opened to the public"):
        s3.write(made, "state")
    assert stored(bucket) == {}


def test_a_bucket_that_does_not_encrypt_is_refused_unless_a_key_is_named(made: dict[str, str], bucket: Any) -> None:
    bucket.delete_bucket_encryption(Bucket="state")
    with pytest.raises(TapError, match="does not encrypt by default; encrypt it, or name a key with --kms-key"):
        s3.write(made, "state")
    assert stored(bucket) == {}


@pytest.mark.usefixtures("bucket")
def test_a_bucket_that_is_not_there_is_one_line(made: dict[str, str]) -> None:
    with pytest.raises(TapError, match=r"^s3://gone: there is no such bucket$"):
        s3.write(made, "gone")


def export(api: RestApi, folder: Path, *args: str) -> tuple[int, str]:
    with serving(api, folder) as kubeconfig:
        command = ["state", "export", "--kubeconfig", str(kubeconfig), *args]
        done = CliRunner().invoke(cli, command, env={"NO_PROXY": "127.0.0.1"})
    return done.exit_code, done.output + (str(done.exception) if isinstance(done.exception, TapError) else "")


def test_the_verb_saves_what_the_cluster_holds(there: list[Json], snapshot: Snapshot, tmp_path: Path) -> None:
    code, text = export(holding(there), tmp_path, "dev", "--out", str(tmp_path / "saved"))
    resources = len(snapshot.resources)
    assert (code, text) == (0, f"tap-dev/dev: {resources} resources of 2 regions saved to {tmp_path / 'saved'}\n")
    claim = {**there[0], "metadata": {"name": "dev", "namespace": "tap-dev"}}
    made = plan(claim, State.of(saved(tmp_path / "saved"), "tap-dev"))
    assert made.json()["changes"] == []


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("gone", "--out", "x"), 1, "no EnvironmentTap 'gone' in any namespace"),
        (("dev",), 2, "Missing option '--out'"),
        (
            ("dev", "--out", "s3://b/a/path"),
            2,
            "write a folder, or s3://BUCKET; the path in it is infrastructure/REGION/",
        ),
        (("dev", "--out", "x", "--kms-key", "k"), 2, "--kms-key goes with --out s3://BUCKET"),
    ],
)
def test_bad_input_gets_one_message(
    there: list[Json], tmp_path: Path, args: tuple[str, ...], code: int, said: str
) -> None:
    got, text = export(holding(there), tmp_path, *args)
    assert got == code
    assert said in text


@pytest.mark.parametrize("requests", [1, 4, 12])
def test_a_cluster_that_goes_midway_leaves_nothing_behind(there: list[Json], tmp_path: Path, requests: int) -> None:
    api = holding(there)
    api.gone_after = requests
    _, text = export(api, tmp_path, "dev", "--out", str(tmp_path / "saved"))
    assert text.startswith("the cluster does not answer (")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kubeconfig"]


@pytest.mark.parametrize("left", ["others of its group", "nothing"])
def test_a_kind_that_is_not_served_any_more_is_named_and_nothing_is_saved(
    there: list[Json], tmp_path: Path, left: str
) -> None:
    api, version = holding(there), next(item["apiVersion"] for item in there if item["kind"] == "FlowLog")
    served = api.objects.pop(f"/apis/{version}")
    if left != "nothing":
        kept = [one for one in served["resources"] if one["kind"] != "FlowLog"]
        api.objects[f"/apis/{version}"] = {**served, "resources": kept}
    code, text = export(api, tmp_path, "dev", "--out", str(tmp_path / "saved"))
    first = "FlowLog" if left != "nothing" else min(item["kind"] for item in there if item["apiVersion"] == version)
    assert (code, text) == (
        1,
        f"the cluster does not serve {first} ({version}), which a region has made; run `tap doctor`",
    )
    assert not (tmp_path / "saved").exists()


def test_a_right_that_is_missing_is_named(there: list[Json], tmp_path: Path) -> None:
    api = holding(there)
    api.refused["GET", f"/apis/{API_VERSION}/namespaces/tap-dev/regionalnetworks"] = (403, "forbidden")
    _, text = export(api, tmp_path, "dev", "--out", str(tmp_path / "saved"))
    assert text == "you may not list regionalnetworks.tap.platform here; ask for the ClusterRole `tap-view`"
