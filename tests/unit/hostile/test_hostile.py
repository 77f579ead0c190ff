"""Hostile input: refused with a message or answered 400, never accepted where it is wrong, never a traceback.

`make test` tries a few hundred of each, always the same; `make soak` as many as `--examples` says, by other seeds.
"""

import json
import logging
import random
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tap_api import cidrs
from tap_api.base import Json
from tap_api.policy import judge
from unit.hostile import oracle
from unit.hostile.shapes import JSON, SPELLINGS, TEXTS, mutate, nearly_cidrs
from unit.operator.served import GOOD, Served, connect, serving

CLAIM: Json = {
    "metadata": {"name": "prod", "namespace": "tap-prod"},
    "spec": {
        "environment": "prod",
        "primaryRegion": "us-east-1",
        "tags": {"CostCenter": "platform-4200", "team": "shop"},
        "regions": [
            {"name": "us-east-1", "cidr": "10.0.0.0/16"},
            {"name": "us-east-2", "cidr": "10.1.0.0/16", "state": "Present"},
        ],
        "protection": True,
        "network": {"zones": 3, "flowLogs": {"retentionDays": 365}},
        "database": {"minCapacity": 8, "maxCapacity": 64, "backupWindow": "02:00-03:00"},
        "api": {"authorization": "AWS_IAM"},
        "storage": {"forceDestroy": False},
    },
}
REGION: Json = {
    "metadata": {"name": "alone", "namespace": "tap-dev"},
    "spec": {
        "environment": "dev",
        "region": "eu-west-1",
        "cidr": "10.9.0.0/16",
        "tags": {"CostCenter": "x"},
        "protection": False,
        "network": {"zones": 2},
    },
}
KINDS = {"EnvironmentTap": CLAIM, "RegionalTap": REGION}


@pytest.fixture
def examples(pytestconfig: pytest.Config) -> int:
    found: int = pytestconfig.getoption("examples")
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Gives hypothesis its count: the same few hundred each time, or many by chance."""
    count = metafunc.config.getoption("examples")
    inner = getattr(metafunc.function, "hypothesis", None)
    if inner is not None:
        metafunc.function._hypothesis_internal_use_settings = settings(
            max_examples=count,
            derandomize=count <= DEFAULT,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )


DEFAULT = 300


def speaks(violations: list[Any]) -> None:
    """Sees that each refusal says where and what, in one short line."""
    for violation in violations:
        line = str(violation)
        assert violation.path.startswith(("spec", "metadata.name")), line
        assert violation.message
        assert "\n" not in line
        assert len(line) < 2000


@given(nearly_cidrs() | SPELLINGS | st.text(max_size=40))
def test_a_range_is_accepted_in_one_spelling_alone(text: str) -> None:
    accepted, right = not cidrs.fault(text), oracle._range(text) is not None
    assert accepted == right, text
    if not accepted:
        assert len(cidrs.fault(text)) < 600


@given(st.sampled_from(sorted(KINDS)), nearly_cidrs() | SPELLINGS)
def test_a_claim_with_another_spelling_is_refused(kind: str, text: str) -> None:
    manifest = deepcopy(KINDS[kind])
    place = manifest["spec"]["regions"][0] if kind == "EnvironmentTap" else manifest["spec"]
    place["cidr"] = text
    violations = judge(kind, manifest)
    speaks(violations)
    assert violations or not oracle.wrong(kind, manifest), text


@pytest.mark.parametrize(
    "text",
    ["9" * 2**20, "10.0.0.0/16" + " " * 2**20, "\n" * 2**20, "🦀" * 2**18],
    ids=["digits", "spaces", "lines", "crabs"],
)
def test_a_megabyte_is_refused_in_short_lines(text: str) -> None:
    manifest = deepcopy(REGION)
    manifest["metadata"]["name"] = text
    manifest["spec"] |= {"cidr": text, "region": text, "tags": {"CostCenter": text, text: "x"}, text: text}
    violations = judge("RegionalTap", manifest)
    speaks(violations)
    assert {violation.path.partition("[")[0] for violation in violations} >= {
        "spec.cidr",
        "spec.region",
        "spec.tags.CostCenter",
    }


@given(
    st.sampled_from(sorted(KINDS)),
    st.dictionaries(
        st.text(max_size=140) | st.sampled_from(TEXTS), st.text(max_size=300) | st.sampled_from(TEXTS), max_size=5
    ),
)
def test_tags_are_refused_where_aws_would(kind: str, tags: dict[str, str]) -> None:
    manifest = deepcopy(KINDS[kind])
    manifest["spec"]["tags"] = {"CostCenter": "x", **tags}
    violations = judge(kind, manifest)
    speaks(violations)
    assert violations or not oracle.wrong(kind, manifest), tags


@given(
    st.sampled_from(sorted(KINDS)), st.text(max_size=80) | st.from_regex(r"[a-z0-9-]{1,70}") | st.sampled_from(TEXTS)
)
def test_names_that_aws_would_not_take_are_refused(kind: str, name: str) -> None:
    manifest = deepcopy(KINDS[kind])
    manifest["metadata"]["name"] = name
    violations = judge(kind, manifest)
    speaks(violations)
    assert violations or not oracle.wrong(kind, manifest), name


@given(st.sampled_from(sorted(KINDS)), JSON, JSON)
def test_a_spec_of_any_shape_is_judged_in_words(kind: str, spec: Any, old: Any) -> None:
    violations = judge(kind, {"metadata": {"name": "x"}, "spec": spec}, {"spec": old})
    speaks(violations)
    assert violations


def seeds(count: int) -> range:
    """Returns the seeds of a run: always the same few, or others each time."""
    first = 0 if count <= DEFAULT else int(time.time()) * 1_000_000
    return range(first, first + count)


def test_a_mutated_claim_is_refused_or_right(examples: int) -> None:
    accepted = 0
    for seed in seeds(examples):
        chance = random.Random(seed)  # noqa: S311
        kind = chance.choice(sorted(KINDS))
        manifest = {**KINDS[kind], "spec": mutate(KINDS[kind]["spec"], chance)}
        violations = judge(kind, manifest, KINDS[kind] if chance.random() < 0.5 else None)
        speaks(violations)
        if not violations:
            accepted += 1
            assert not oracle.wrong(kind, manifest), f"seed {seed}: {oracle.wrong(kind, manifest)}"
    assert accepted > examples / 100, "a mutator whose every product is wrong tries too little"


def review(chance: random.Random) -> bytes:
    """Returns an AdmissionReview with something wrong in it, as bytes."""
    kind = chance.choice(sorted(KINDS))
    good = deepcopy(GOOD)
    good["request"]["resource"]["resource"] = f"{kind.lower()}s"
    good["request"]["object"] = deepcopy(KINDS[kind])
    if chance.random() < 0.3:
        good["request"] |= {"operation": "UPDATE", "oldObject": deepcopy(KINDS[kind])}
    dice = chance.random()
    made = good if dice < 0.1 else mutate(good, chance)
    if 0.1 <= dice < 0.4:
        made = {**good, "request": {**good["request"], "object": mutate(KINDS[kind], chance)}}
    body = json.dumps(made).encode()
    if 0.4 <= dice < 0.45:
        levels = chance.choice((90, 110, 900, 5000))
        body = body.replace(b'"CostCenter"', b'"deep": ' + b"[" * levels + b"]" * levels + b', "CostCenter"')
    if dice > 0.9:
        cut = bytearray(body)
        for _ in range(chance.randint(1, 5)):
            cut[chance.randrange(len(cut))] = chance.randrange(256)
        body = bytes(cut[: chance.randint(1, len(cut))])
    return body


async def test_a_review_with_something_wrong_is_refused_or_answered_400(
    tmp_path: Path, examples: int, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    told: dict[str, int] = {}
    async with serving(tmp_path) as served, connect(served) as session:
        for seed in seeds(examples):
            body = review(random.Random(seed))  # noqa: S311
            outcome = await answered(served, session, body, f"seed {seed}")
            told[outcome] = told.get(outcome, 0) + 1
            clean(caplog)
    assert min(told.get(outcome, 0) for outcome in ("allowed", "refused", "400")) > examples / 50, told
    assert capsys.readouterr().err == ""
    print(f"\n{examples} reviews: {told}")  # noqa: T201


async def answered(served: Served, session: aiohttp.ClientSession, body: bytes, case: str) -> str:
    """Posts `body`; returns what it came to, and sees that this is right."""
    async with session.post(served.url, data=body) as answer:
        said = await answer.json()
    if answer.status != 200:
        # 503: a version of ours that nobody serves, as an apiserver would never ask for.
        assert answer.status in (400, 413, 503), f"{case}: {answer.status} {said}"
        assert said["message"]
        assert len(said["message"]) <= 300
        return str(answer.status)
    verdict, request = said["response"], json.loads(body)["request"]
    if not verdict["allowed"]:
        assert verdict["status"]["code"] == 422, f"{case}: {said}"
        assert (
            " in EnvironmentTap " in verdict["status"]["message"] or " in RegionalTap " in verdict["status"]["message"]
        )
        return "refused"
    if request["operation"] != "DELETE":
        kind = {"environmenttaps": "EnvironmentTap", "regionaltaps": "RegionalTap"}[request["resource"]["resource"]]
        assert not oracle.wrong(kind, request["object"]), f"{case}: {oracle.wrong(kind, request['object'])}"
    return "allowed"


def clean(caplog: pytest.LogCaptureFixture) -> None:
    for record in caplog.records:
        assert record.exc_info is None, record.getMessage()
        if record.name.startswith("tap_operator"):
            assert record.levelno < logging.ERROR, record.getMessage()
            assert record.getMessage().isprintable(), record.getMessage()
    caplog.clear()
