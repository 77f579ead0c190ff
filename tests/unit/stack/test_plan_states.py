"""Plans of regions that are paused, resumed and absent."""

from copy import deepcopy
from typing import Any

from golden.world import Environment
from tap_api.base import Json
from tap_stack.plan import Action, Change, Plan, State, plan
from unit.stack.planned import PAIR, edited, in_aws, objects


def with_state(state: str, **spec: Any) -> Json:
    return edited(regions=[PAIR[0], {**PAIR[1], "state": state}], **spec)


def test_pausing_a_region_changes_nothing_in_aws(state: State) -> None:
    made = plan(with_state("Paused"), state)
    assert (in_aws(made), made.unchanged) == ([], {"us-east-1": 134, "us-east-2": 135})
    assert (made.paused, made.resumed) == (("us-east-2",), ())
    [region] = [change for change in made.changes if change.kind == "RegionalTap"]
    assert [(f.path, f.old, f.new) for f in region.fields] == [("spec.state", "Present", "Paused")]


def test_what_is_asked_of_a_paused_region_is_told_apart(state: State) -> None:
    made = plan(with_state("Paused", database={"backupRetentionDays": 7}), state)
    assert {(c.region, c.key, c.paused) for c in in_aws(made)} == {
        ("us-east-1", "cluster", False),
        ("us-east-2", "cluster", True),
    }
    assert made.count(Action.UPDATE) == 1
    told = made.json()["summary"]
    assert (told["update"], told["losesData"], told["onceResumed"]) == (1, 1, 1)


def test_what_leaves_a_paused_region_is_deleted_once_it_is_resumed(state: State) -> None:
    made = plan(with_state("Paused", network={"zones": 2}), state)
    deleted = [change for change in in_aws(made) if change.action is Action.DELETE]
    assert {change.paused for change in deleted if change.region == "us-east-2"} == {True}
    assert made.count(Action.DELETE) == len(deleted) / 2 > 1


def test_a_new_paused_region_makes_nothing_in_aws() -> None:
    made = plan(with_state("Paused"), State())
    assert {change.paused for change in in_aws(made) if change.region == "us-east-2"} == {True}
    assert made.count(Action.CREATE) == sum(change.region == "us-east-1" for change in in_aws(made))


def test_resuming_a_region_is_told(settled: Environment) -> None:
    environment = deepcopy(settled)
    environment.claim["spec"]["regions"] = [PAIR[0], {**PAIR[1], "state": "Paused"}]
    environment.settle()
    made = plan(edited(), State.of(objects(environment), "tap-prod"))
    assert (in_aws(made), made.paused, made.resumed) == ([], (), ("us-east-2",))
    new = Environment("prod", regions=[PAIR[0], {**PAIR[1], "state": "Paused"}])
    new.settle()
    made = plan(edited(), State.of(objects(new), "tap-prod"))
    assert {change.action for change in in_aws(made) if change.region == "us-east-2"} == {Action.CREATE}


def test_an_absent_region_is_deleted_as_one_that_left_the_list(state: State) -> None:
    by_state, by_list = (plan(claim, state) for claim in (with_state("Absent"), edited(regions=PAIR[:1])))
    assert in_aws(by_state) == in_aws(by_list)
    assert {change.action for change in in_aws(by_state) if change.region == "us-east-2"} == {Action.DELETE}


def of_the_table(made: Plan) -> list[Change]:
    return [change for change in in_aws(made) if (change.region, change.key) == ("us-east-1", "table")]


def test_the_protected_replica_of_an_absent_region_stays_as_it_is(state: State) -> None:
    assert of_the_table(plan(with_state("Absent"), state)) == []


def test_the_replica_of_a_region_that_nothing_protects_is_told_to_be_lost() -> None:
    environment = Environment("prod", regions=PAIR, protection=False)
    environment.settle()
    made = plan(with_state("Absent", protection=False), State.of(objects(environment), "tap-prod"))
    [change] = of_the_table(made)
    assert change.loses == ("the table's replica in us-east-2; the other regions keep the items",)


def test_a_replica_that_goes_once_nothing_protects_it_is_told_to_be_lost(state: State) -> None:
    [change] = of_the_table(plan(with_state("Absent", protection=False), state))
    [field] = [field for field in change.fields if "replica" in field.path]
    assert (field.path.rpartition(".")[2], field.new) == ("deletionProtectionEnabled", False)
    assert change.loses == (
        "the table's replica in us-east-2, once nothing protects it; the other regions keep the items",
    )
    [change] = of_the_table(plan(edited(protection=False), state))
    assert change.loses == ()


def test_the_primary_is_not_paused_before_its_replicas(state: State) -> None:
    made = plan(edited(regions=[{**PAIR[0], "state": "Paused"}, PAIR[1]]), state)
    assert [(found.path, found.code) for found in made.violations] == [("spec.regions[0].state", "PrimaryState")]
