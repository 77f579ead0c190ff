from typing import Any

import pytest

from tap_api.common import Environment
from tap_api.kinds import EnvironmentTapSpec, RegionalTapSpec
from tap_api.presets import PRESETS, overlay, resolve
from tap_api.sections import SECTIONS


def spec(environment: str, **choices: Any) -> EnvironmentTapSpec:
    regions = [{"name": "us-east-1", "cidr": "10.0.0.0/16"}]
    return EnvironmentTapSpec.parse(
        {"environment": environment, "primaryRegion": "us-east-1", "regions": regions, **choices}
    )


@pytest.mark.parametrize(
    ("environment", "zones", "nat", "is_global", "protection", "backup"),
    [
        ("dev", 2, "Single", False, False, 1),
        ("staging", 3, "Single", True, False, 7),
        ("prod", 3, "PerZone", True, True, 35),
    ],
)
def test_an_environment_is_what_the_product_page_says(
    environment: str, zones: int, nat: str, *, is_global: bool, protection: bool, backup: int
) -> None:
    resolved = resolve(spec(environment))
    assert (resolved["network"]["zones"], resolved["network"]["nat"]) == (zones, nat)
    assert (resolved["database"]["global"], resolved["protection"]) == (is_global, protection)
    assert resolved["database"]["backupRetentionDays"] == backup


@pytest.mark.parametrize("environment", Environment)
def test_a_preset_resolves_to_every_field_of_every_section(environment: Environment) -> None:
    resolved = resolve(spec(environment.value))
    assert set(resolved) == {"protection", *SECTIONS}
    region = {"environment": environment.value, "region": "us-east-1", "cidr": "10.0.0.0/16"}
    whole = RegionalTapSpec.parse({**region, **resolved}).manifest()
    assert {section: whole[section] for section in SECTIONS} == {section: resolved[section] for section in SECTIONS}


def test_a_choice_is_laid_over_the_preset_field_by_field() -> None:
    resolved = resolve(spec("prod", network={"flowLogs": {"retentionDays": 30}}, protection=False))
    assert resolved["network"] == {
        "zones": 3,
        "nat": "PerZone",
        "flowLogs": {"retentionDays": 30, "aggregationSeconds": 600},
    }
    assert resolved["protection"] is False


def test_overlay_replaces_lists_and_keeps_its_inputs() -> None:
    base, choices = {"a": {"b": [1, 2], "c": 1}}, {"a": {"b": [3]}}
    assert overlay(base, choices) == {"a": {"b": [3], "c": 1}}
    assert (base, choices) == ({"a": {"b": [1, 2], "c": 1}}, {"a": {"b": [3]}})


def test_there_is_a_preset_for_every_environment() -> None:
    assert set(PRESETS) == set(Environment)
