import pytest

from golden.world import World, regional_tap


@pytest.mark.parametrize("protection", [True, False])
def test_what_protected_data_cannot_do_without_stays_in_aws_with_it(*, protection: bool) -> None:
    tap = regional_tap("prod", "us-east-1")
    tap["spec"]["protection"] = protection
    [(_, region), *parts] = World(tap).settle()
    network = next(composed for xr, composed in parts if xr["kind"] == "RegionalNetwork")
    kept = {"Key", "Alias", "VPC", "Subnet", "SecurityGroup"}
    policies = {
        item.manifest["kind"]: "Delete" in item.manifest["spec"]["managementPolicies"]
        or item.manifest["spec"]["managementPolicies"] == ["*"]
        for item in (*region.resources, *network.resources)
        if item.manifest["kind"] in {*kept, "NATGateway", "RouteTable"}
    }
    assert policies == {
        **dict.fromkeys(kept, not protection),
        "NATGateway": True,
        "RouteTable": True,
    }
