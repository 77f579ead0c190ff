"""What is told of a decision: the fields of the log's line, the labels of the metrics, and nothing of the object."""

import json
import logging
from copy import deepcopy
from typing import Any

import aiohttp
import pytest
from kopf._core.actions.loggers import ObjectJsonFormatter
from prometheus_client.parser import text_string_to_metric_families

from tap_api.base import Json
from tap_operator.metrics import Metrics
from unit.operator.served import GOOD, Served, free_port

FIELDS = ["who", "kind", "namespace", "name", "operation", "allowed", "codes", "ms"]
PRIVATE = "hunter2-hunter2"


def review(**spec: Any) -> Json:
    made = deepcopy(GOOD)
    made["request"]["object"]["spec"].update(spec)
    return made


def told(caplog: pytest.LogCaptureFixture) -> list[Json]:
    """Returns the decisions in the log, without the time that they took."""
    found = [getattr(record, "decision", None) for record in caplog.records]
    return [{**decision, "ms": None} for decision in found if decision]


def counts(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Returns what was counted; what is told before it is, of which there is none yet, is left out."""
    samples = [sample for family in metrics.registry.collect() for sample in family.samples]
    return {
        (sample.name.removeprefix("tap_admission_"), *sample.labels.values()): sample.value
        for sample in samples
        if sample.name.endswith(("decisions_total", "violations_total", "seconds_count")) and sample.value
    }


async def test_each_decision_is_one_line_with_the_documented_fields(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await served.post(GOOD)
    await served.post(review(tags={}, primaryRegion="eu-west-1"))
    assert told(caplog) == [
        {
            "who": "somebody",
            "kind": "EnvironmentTap",
            "namespace": "tap-prod",
            "name": "prod",
            "operation": "CREATE",
            "allowed": allowed,
            "codes": codes,
            "ms": None,
        }
        for allowed, codes in ((True, []), (False, ["PrimaryRegion", "TagMissing"]))
    ]
    lines = [record.getMessage() for record in caplog.records if hasattr(record, "decision")]
    assert [[word.partition("=")[0] for word in line.split()[1:]] for line in lines] == [FIELDS, FIELDS]
    assert lines[1].startswith(
        "decision who=somebody kind=EnvironmentTap namespace=tap-prod name=prod operation=CREATE allowed=false "
        "codes=PrimaryRegion,TagMissing ms="
    )


async def test_a_log_in_json_has_the_fields_as_an_object(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await served.post(GOOD)
    [record] = [record for record in caplog.records if hasattr(record, "decision")]
    line = json.loads(ObjectJsonFormatter().format(record))
    assert list(line["decision"]) == FIELDS


async def test_nothing_of_the_object_is_logged(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await served.post(review(tags={"CostCenter": PRIVATE, "Environment": PRIVATE}, primaryRegion=PRIVATE))
    assert [decision["codes"] for decision in told(caplog)] == [["PrimaryRegion", "TagReserved"]]
    ours = [record for record in caplog.records if record.name.startswith("tap_")]
    assert ours
    assert not any(PRIVATE in record.getMessage() for record in ours)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("a\nb", r'name="a\nb"'),
        ("a allowed=true", 'name="a allowed=true"'),
        ("\ud800", r'name="\ud800"'),
        ("\x1b[31m", r'name="\u001b[31m"'),
        ("n" * 1000, f"name={'n' * 253} "),
    ],
    ids=["two lines", "another field", "half a character", "an escape", "without end"],
)
async def test_a_hostile_name_breaks_no_line(
    served: Served, caplog: pytest.LogCaptureFixture, name: str, word: str
) -> None:
    caplog.set_level(logging.INFO)
    bad = deepcopy(GOOD)
    bad["request"]["object"]["metadata"]["name"] = name
    await served.post(bad)
    [line] = [record.getMessage() for record in caplog.records if hasattr(record, "decision")]
    assert word in line
    assert line.isprintable()
    assert line.isascii()


async def test_decisions_are_counted_by_what_they_are_about_and_violations_by_rule(served: Served) -> None:
    await served.post(GOOD)
    await served.post(review(tags={}))
    await served.post(review(tags={}, primaryRegion="eu-west-1"))
    await served.post(b"{")
    assert counts(served.webhook.metrics) == {
        ("decisions_total", "EnvironmentTap", "CREATE", "200", "true"): 1,
        ("decisions_total", "EnvironmentTap", "CREATE", "422", "false"): 2,
        ("decisions_total", "", "", "400", "false"): 1,
        ("violations_total", "EnvironmentTap", "TagMissing"): 2,
        ("violations_total", "EnvironmentTap", "PrimaryRegion"): 1,
        ("duration_seconds_count", "CREATE"): 3,
    }


async def test_what_is_sent_makes_no_new_label(served: Served) -> None:
    for i in range(5):
        other = review(primaryRegion=f"nowhere-{i}", tags={f"aws:{i}": "x", "CostCenter": "x"})
        other["request"]["object"]["metadata"].update(name=f"n{i}", namespace=f"ns{i}")
        other["request"]["userInfo"]["username"] = f"user-{i}"
        await served.post(other)
        wrong = deepcopy(GOOD)
        wrong["request"]["operation"] = f"OPERATION-{i}"
        await served.post(wrong)
    assert sorted(counts(served.webhook.metrics)) == [
        ("decisions_total", "", "", "400", "false"),
        ("decisions_total", "EnvironmentTap", "CREATE", "422", "false"),
        ("duration_seconds_count", "CREATE"),
        ("violations_total", "EnvironmentTap", "PrimaryRegion"),
        ("violations_total", "EnvironmentTap", "TagReserved"),
    ]


async def test_prometheus_is_answered_on_a_port_of_its_own(served: Served) -> None:
    await served.post(GOOD)
    port = free_port()
    await served.webhook.metrics.start("127.0.0.1", port)
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=")
            families = {family.name: family for family in text_string_to_metric_families(await answer.text())}
    finally:
        await served.webhook.metrics.stop()
    assert {"tap_admission_decisions", "tap_admission_duration_seconds", "process_resident_memory_bytes"} <= set(
        families
    )


async def test_a_probe_of_readiness_is_no_decision(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert await served.webhook.unready() == ""
    assert (told(caplog), counts(served.webhook.metrics)) == ([], {})
