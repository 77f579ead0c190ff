from collections.abc import Callable

import pytest

from golden.world import World
from tap_api.base import Json
from tap_stack.compose import compose
from tap_stack.composed import Composed

MakeTap = Callable[..., Json]


def network(tap: Json) -> Composed:
    """Returns what the network of a RegionalTap composes once all is known."""
    return next(composed for xr, composed in World(tap).settle() if xr["kind"] == "RegionalNetwork")


def fields(composed: Composed, kind: str, *names: str) -> dict[str, list[object]]:
    return {
        item.key: [item.manifest["spec"]["forProvider"].get(name) for name in names]
        for item in composed.resources
        if item.manifest["kind"] == kind and item.manifest["apiVersion"].startswith("ec2.")
    }


def ref(key: str) -> Json:
    return {"name": f"prod-us-east-1-network-{key}"}


def moving(key: str) -> Json:
    return {**ref(key), "policy": {"resolve": "Always"}}


def test_each_zone_has_a_subnet_of_each_tier_where_the_address_plan_puts_it(make_tap: MakeTap) -> None:
    assert fields(network(make_tap()), "Subnet", "cidrBlock", "availabilityZone", "mapPublicIpOnLaunch") == {
        "public-a": ["10.0.192.0/21", "us-east-1a", False],
        "private-a": ["10.0.0.0/18", "us-east-1a", False],
        "database-a": ["10.0.216.0/21", "us-east-1a", False],
        "public-b": ["10.0.200.0/21", "us-east-1b", False],
        "private-b": ["10.0.64.0/18", "us-east-1b", False],
        "database-b": ["10.0.224.0/21", "us-east-1b", False],
        "public-c": ["10.0.208.0/21", "us-east-1c", False],
        "private-c": ["10.0.128.0/18", "us-east-1c", False],
        "database-c": ["10.0.232.0/21", "us-east-1c", False],
    }


def test_keys_carry_the_letter_of_the_zone_that_the_region_really_has(make_tap: MakeTap) -> None:
    subnets = fields(network(make_tap(region="ca-central-1")), "Subnet", "availabilityZone")
    assert [key for key in subnets if key.startswith("private")] == ["private-a", "private-b", "private-d"]


def test_a_third_zone_adds_resources_and_moves_none(make_tap: MakeTap) -> None:
    two = {item.key: item.manifest for item in network(make_tap(network={"zones": 2})).resources}
    three = {item.key: item.manifest for item in network(make_tap(network={"zones": 3})).resources}
    assert {key: three[key] for key in two} == two
    assert sorted({key.removesuffix("-internet")[-2:] for key in three if key not in two}) == ["-c"]


@pytest.mark.parametrize(
    ("mode", "gateways", "routes"),
    [
        ("Single", ["a"], {"a": "nat-a", "b": "nat-a", "c": "nat-a"}),
        ("PerZone", ["a", "b", "c"], {"a": "nat-a", "b": "nat-b", "c": "nat-c"}),
    ],
)
def test_private_subnets_go_out_through_the_gateway_of_the_mode(
    make_tap: MakeTap, mode: str, gateways: list[str], routes: dict[str, str]
) -> None:
    composed = network(make_tap(network={"nat": mode}))
    assert fields(composed, "NATGateway", "allocationIdRef", "subnetIdRef") == {
        f"nat-{zone}": [ref(f"nat-address-{zone}"), ref(f"public-{zone}")] for zone in gateways
    }
    assert fields(composed, "Route", "routeTableIdRef", "gatewayIdRef", "natGatewayIdRef") == {
        "route-public-internet": [ref("routes-public"), ref("internet-gateway"), None],
        **{
            f"route-private-{zone}-internet": [ref(f"routes-private-{zone}"), None, moving(gateway)]
            for zone, gateway in routes.items()
        },
    }


def test_a_nat_gateway_waits_for_the_internet_gateway(make_tap: MakeTap) -> None:
    """AWS makes one that failed, `Gateway.NotAttached`, and the provider takes it for the one that is wanted."""
    world = World(make_tap())
    waits = {item.key: item.source for _, composed in world.turn() for item in composed.withheld}
    assert {waits.get(f"nat-{zone}") for zone in "abc"} == {"internet-gateway, which AWS makes first"}


def test_changing_the_nat_mode_moves_routes_and_no_subnet_or_table(make_tap: MakeTap) -> None:
    single = {item.key: item.manifest for item in network(make_tap(network={"nat": "Single"})).resources}
    each = {item.key: item.manifest for item in network(make_tap(network={"nat": "PerZone"})).resources}
    assert sorted(set(each) - set(single)) == ["nat-address-b", "nat-address-c", "nat-b", "nat-c"]
    assert [key for key in single if single[key] != each[key]] == [
        "route-private-b-internet",
        "route-private-c-internet",
    ]


def test_database_subnets_have_a_table_without_a_way_out(make_tap: MakeTap) -> None:
    composed = network(make_tap())
    associations = fields(composed, "RouteTableAssociation", "routeTableIdRef", "subnetIdRef")
    assert {key: value for key, value in associations.items() if "database" in key} == {
        f"association-database-{zone}": [ref("routes-database"), ref(f"database-{zone}")] for zone in "abc"
    }
    assert ref("routes-database") not in [table for (table,) in fields(composed, "Route", "routeTableIdRef").values()]


def test_gateway_endpoints_are_in_every_table_but_the_public_and_reach_this_account_alone(make_tap: MakeTap) -> None:
    composed = network(make_tap())
    assert fields(composed, "VPCEndpoint", "serviceName", "vpcEndpointType", "policy") == {
        f"endpoint-{service}": [
            f"com.amazonaws.us-east-1.{service}",
            "Gateway",
            f'{{"Statement":[{{"Action":"{service}:*","Condition":{{"StringEquals":{{"aws:PrincipalAccount":"123456789012",'
            '"aws:ResourceAccount":"123456789012"}},"Effect":"Allow","Principal":"*","Resource":"*","Sid":"ThisAccount"}],'
            '"Version":"2012-10-17"}',
        ]
        for service in ("s3", "dynamodb")
    }
    assert fields(composed, "VPCEndpointRouteTableAssociation", "routeTableIdRef") == {
        f"endpoint-{service}-{table}": [ref(f"routes-{table}")]
        for service in ("s3", "dynamodb")
        for table in ("private-a", "private-b", "private-c", "database")
    }


def test_the_default_security_group_has_no_rule(make_tap: MakeTap) -> None:
    assert fields(network(make_tap()), "DefaultSecurityGroup", "ingress", "egress") == {
        "default-security-group": [None, None]
    }


def test_the_database_is_reached_by_its_clients_alone(make_tap: MakeTap) -> None:
    composed = network(make_tap())
    rule = ("securityGroupIdRef", "referencedSecurityGroupIdRef", "cidrIpv4", "ipProtocol", "fromPort", "toPort")
    client, database, processor = (
        ref(f"security-group-{name}") for name in ("database-client", "database", "processor")
    )
    assert fields(composed, "SecurityGroupIngressRule", *rule) == {
        "rule-database-from-client": [database, client, None, "tcp", 3306, 3306]
    }
    assert fields(composed, "SecurityGroupEgressRule", *rule) == {
        "rule-client-to-database": [client, database, None, "tcp", 3306, 3306],
        "rule-processor-to-https": [processor, None, "0.0.0.0/0", "tcp", 443, 443],
    }


def test_flow_logs_wait_for_the_key_and_the_role_for_the_account(make_tap: MakeTap) -> None:
    turned = World(make_tap()).turn()
    composed = next(composed for xr, composed in turned if xr["kind"] == "RegionalNetwork")
    account = "the ARN of the region's KMS key, which tells the account"
    key = "the region's KMS key, until AWS shows the policy that admits the services"
    waiting = {item.key: item.source for item in composed.withheld}
    assert {name: source for name, source in waiting.items() if name.startswith("flow")} == {
        "flow-log-group": key,
        "flow-log-role": account,
        "flow-log-role-policy": account,
        "flow-log": key,
    }


def test_a_role_has_the_permissions_boundary_that_is_asked_for(make_tap: MakeTap) -> None:
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    roles = [
        item.manifest["spec"]["forProvider"]["permissionsBoundary"]
        for item in network(make_tap(permissionsBoundary=boundary)).resources
        if item.manifest["kind"] == "Role"
    ]
    assert roles == [boundary]


def test_the_id_of_the_vpc_is_an_output_and_stays_one(make_tap: MakeTap) -> None:
    world = World(make_tap())
    xr, composed = next(turned for turned in world.settle() if turned[0]["kind"] == "RegionalNetwork")
    assert composed.status["outputs"] == {
        "vpcId": world.objects[xr["metadata"]["name"]]["vpc"]["status"]["atProvider"]["id"]
    }
    lost = compose({**xr, "status": composed.status}, {})
    assert lost.status["outputs"] == composed.status["outputs"]
