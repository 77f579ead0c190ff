"""What a region composes, wave by wave, as files that a person can review."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from golden.world import Composing, Environment
from tap_api import manifest
from tap_api.base import Json
from tap_api.kinds import KINDS
from tap_stack.parts import BUILT

FIRST_WAVES = ("1-first", "2-account-known", "3-key-admits")
SETTLED = "4-settled"
#: Claim and region -> the waves whose files are kept.
KEPT = {
    ("prod", "us-east-1"): (*FIRST_WAVES, SETTLED),
    ("prod", "us-east-2"): ("3-key-admits", SETTLED),
    ("dev", "us-east-1"): (SETTLED,),
}
#: What is different where the region makes its own trail; of it, the waves in which that shows.
OF_A_TRAIL = {"": ("key", "storage", "monitoring"), "storage": ("log-bucket-policy",), "monitoring": ("trail",)}
TRAIL_WAVES = ("3-key-admits", "4-storage-admits", "5-settled")
#: What is different in a secondary.
OF_A_SECONDARY = ("", "database", "sessions")
#: Longest text that a reviewer reads.
MAX_TEXT = 4096

Golden = Callable[[str, str], None]


@pytest.mark.parametrize(("claim", "region"), KEPT, ids=[" ".join(case) for case in KEPT])
def test_a_region_and_its_parts_compose_what_the_files_say(claim: str, region: str, golden: Golden) -> None:
    def check(wave: str, turned: list[Composing]) -> None:
        for composing in turned:
            part = KINDS[composing[0]["kind"]].part
            wanted = OF_A_SECONDARY if composing[0]["spec"]["role"] == "Secondary" else ("", *BUILT)
            if wave in KEPT[claim, region] and part in wanted:
                golden(f"stack/{claim}-{region}/{wave}/{composing[0]['kind']}.yaml", _text(composing))

    environment = Environment(claim)
    for wave in FIRST_WAVES:
        check(wave, environment.turn()[region])
    check(SETTLED, environment.settle()[region])


def test_a_region_that_makes_its_own_trail_composes_what_the_files_say(golden: Golden) -> None:
    environment = Environment("prod", monitoring={"trail": "Create"})

    def check(wave: str, turned: list[Composing]) -> None:
        for composing in turned:
            xr, composed = composing
            keys = OF_A_TRAIL.get(KINDS[xr["kind"]].part, ())
            if keys:
                shown = tuple(item for item in composed.resources if item.key in keys)
                text = _text((xr, replace(composed, resources=shown)))
                golden(f"stack/prod-us-east-1-trail/{wave}/{xr['kind']}.yaml", text)

    for _ in FIRST_WAVES[:-1]:
        environment.turn()
    *waves, settled = TRAIL_WAVES
    for wave in waves:
        check(wave, environment.turn()["us-east-1"])
    check(settled, environment.settle()["us-east-1"])


def test_a_primary_whose_protected_secondary_has_gone_composes_what_the_file_says(golden: Golden) -> None:
    environment = Environment("prod")
    environment.settle()
    environment.claim["spec"]["regions"][1]["state"] = "Absent"
    del environment.worlds["us-east-2"]
    for xr, composed in environment.settle()["us-east-1"]:
        if xr["kind"] == "RegionalSessions":
            golden("stack/prod-us-east-1-left/1-settled/RegionalSessions.yaml", _text((xr, composed)))


def _text(composing: Composing) -> str:
    _, composed = composing
    summary: Json = {
        "ready": composed.ready,
        "ttl": composed.ttl,
        "resources": [{"key": item.key, "ready": item.ready} for item in composed.resources],
        "withheld": [{"key": item.key, "source": item.source} for item in composed.withheld],
        "conditions": [vars(condition) for condition in composed.conditions],
        "status": composed.status,
    }
    return manifest.dump(_readable([summary, *(item.manifest for item in composed.resources)]))


def _readable(node: Any) -> Any:
    """Returns a manifest with policies as YAML: a reviewer reads them, and their very bytes are a unit test's.

    Of a file's content the length stays, for its digest is in its name.
    """
    if isinstance(node, str):
        return _readable_text(node)
    if isinstance(node, dict):
        return {key: _readable(item) for key, item in node.items()}
    return [_readable(item) for item in node] if isinstance(node, list) else node


def _readable_text(text: str) -> Any:
    try:
        document = json.loads(text) if text.startswith("{") else None
    except ValueError:  # A pattern or a log format, which looks like JSON and is none.
        document = None
    if document is not None:
        return {"(JSON text)": document}
    return text if len(text) <= MAX_TEXT else f"({len(text)} characters)"
