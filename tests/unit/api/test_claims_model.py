"""A model of the protocol of address ranges, explored over every interleaving: it runs the very functions.

Three writers and the upkeep share one block. A writer whose region is wanted reads the block, writes its claim over the
version that it read, and then makes its VPC if the function, which looks at the block itself, finds the claim. A person
takes regions out of the spec and puts them in again, at the worst moment: between any two steps, under a pass that has
read the spec already. The upkeep reads the block, then looks at what is wanted and what is there, then writes. Writers
and upkeep may die at every step and begin anew with nothing remembered. Breadth first, no state twice, no step left out.
"""

from collections import deque
from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations
from typing import NamedTuple

from tap_api.base import Json
from tap_api.blocks import CidrClaim
from tap_api.claims import AlreadyMine, Conflict, Wish, claim, claims_of, holds, mark, release
from unit.api.test_claims import held

#: Two that may live side by side, and one that overlaps both.
RANGES = ("10.0.0.0/20", "10.0.16.0/20", "10.0.0.0/16")
WISHES = tuple(Wish("dev", held(cidr, f"w{i}")) for i, cidr in enumerate(RANGES))
Claims = tuple[CidrClaim, ...]


class Writer(NamedTuple):
    """How far a writer is; whether its region is wanted and its VPC there is the cluster's, and outlives it."""

    at: str = "idle"
    version: int = 0
    claims: Claims = ()
    wanted: bool = True
    vpc: bool = False


class Upkeep(NamedTuple):
    """How far the upkeep is, the block that it read, and the writers of which it saw nothing left."""

    at: str = "idle"
    version: int = 0
    claims: Claims = ()
    left: tuple[int, ...] = ()


class State(NamedTuple):
    version: int = 0
    claims: Claims = ()
    writers: tuple[Writer, ...] = (Writer(), Writer(), Writer())
    upkeep: Upkeep = Upkeep()
    crashes: int = 0
    changes: int = 0

    def having(self, i: int, writer: Writer) -> "State":
        return self._replace(writers=(*self.writers[:i], writer, *self.writers[i + 1 :]))

    def storing(self, claims: Claims) -> "State":
        return self._replace(version=self.version + 1, claims=claims)


class Rules(NamedTuple):
    """What is explored.

    Attributes:
        cas: Whether a write over another version than was read is refused.
        two_writes: Whether a release says first that it is about to happen.
        crashes: How often somebody may die.
        changes: How often a person changes a spec.
    """

    cas: bool = True
    two_writes: bool = True
    crashes: int = 0
    changes: int = 0


def block_of(claims: Claims) -> Json:
    spec = {"peeringGroup": "dev", "cidr": "10.0.0.0/16", "claims": [there.manifest() for there in claims]}
    return {"metadata": {"name": "dev-10-0"}, "spec": spec}


@cache
def claimed(claims: Claims, i: int) -> tuple[str, Claims]:
    """Returns what a writer is after its claim, and the claims to write; none where nothing is to be written."""
    answer = claim(block_of(claims), WISHES[i])
    if isinstance(answer, Conflict):
        return "lost", ()
    return "won", () if isinstance(answer, AlreadyMine) else claims_of(answer.block)


@cache
def kept(claims: Claims, left: tuple[int, ...], *, two_writes: bool) -> Claims:
    """Returns the claims after the first write of the upkeep's pass; the same where it writes nothing."""
    block = block_of(claims)
    for there in claims:
        goes = int(there.owner.name[1:]) in left
        if goes and (there.releasing or not two_writes):
            changed = release(block, there)
        else:
            changed = mark(block, there, protected=False, retained=False, releasing=goes)
        if changed is not None:
            return claims_of(changed)
    return claims


@cache
def may_make(claims: Claims, i: int) -> bool:
    """Returns what the function finds in the block."""
    return holds(block_of(claims), RANGES[i], "tap", f"w{i}-us-east-1") is not None


def steps(state: State, rules: Rules) -> Iterator[State]:
    for i, writer in enumerate(state.writers):
        yield from writer_steps(state, i, writer, rules)
        if state.changes < rules.changes:
            # A pass that is under way has read the other spec.
            at = "idle" if writer.at in ("lost", "done") else writer.at
            changed = state.having(i, writer._replace(at=at, wanted=not writer.wanted))
            yield changed._replace(changes=state.changes + 1)
        if state.crashes < rules.crashes and writer.at != "idle":
            dead = state.having(i, Writer(wanted=writer.wanted, vpc=writer.vpc))
            yield dead._replace(crashes=state.crashes + 1)
    if rules.changes:
        yield from upkeep_steps(state, state.upkeep, rules)
    if state.crashes < rules.crashes and state.upkeep.at != "idle":
        yield state._replace(upkeep=Upkeep(), crashes=state.crashes + 1)


def writer_steps(state: State, i: int, writer: Writer, rules: Rules) -> Iterator[State]:
    begins = writer.at == "idle" or (writer.at == "lost" and writer.version != state.version)
    if begins and writer.wanted:
        yield state.having(i, writer._replace(at="read", version=state.version, claims=state.claims))
    elif writer.at == "read":
        at, claims = claimed(writer.claims, i)
        if claims and rules.cas and writer.version != state.version:
            yield state.having(i, writer._replace(at="idle", version=0, claims=()))
        else:
            version = writer.version if at == "lost" else 0
            after = state.having(i, writer._replace(at=at, version=version, claims=()))
            yield after.storing(claims) if claims else after
    elif writer.at == "won" and may_make(state.claims, i):
        yield state.having(i, writer._replace(at="done", vpc=True))
    elif writer.at == "won":
        yield state.having(i, writer._replace(at="idle"))
    if writer.vpc and not writer.wanted:
        yield state.having(i, writer._replace(vpc=False))


def upkeep_steps(state: State, upkeep: Upkeep, rules: Rules) -> Iterator[State]:
    if upkeep.at == "idle":
        yield state._replace(upkeep=Upkeep("read", state.version, state.claims))
    elif upkeep.at == "read":
        left = tuple(i for i, writer in enumerate(state.writers) if not writer.wanted and not writer.vpc)
        yield state._replace(upkeep=upkeep._replace(at="looked", left=left))
    else:
        claims = kept(upkeep.claims, upkeep.left, two_writes=rules.two_writes)
        done = state._replace(upkeep=Upkeep())
        refused = claims == upkeep.claims or (rules.cas and upkeep.version != state.version)
        yield done if refused else done.storing(claims)


def overlapping(state: State) -> bool:
    """Returns whether two claims overlap, or two VPCs do."""
    stored = [there.cidr for there in state.claims]
    made = [RANGES[i] for i, writer in enumerate(state.writers) if writer.vpc]
    return any(set(pair) != {RANGES[0], RANGES[1]} for ranges in (stored, made) for pair in combinations(ranges, 2))


def explore(rules: Rules, most_versions: int = 6, at_end: Callable[[State], None] = lambda _: None) -> tuple[int, bool]:
    """Returns how many states were reached, and whether one of them has an overlap."""
    seen, queue = {State()}, deque([State()])
    while queue:
        state = queue.popleft()
        if overlapping(state):
            return len(seen), True
        following = [after for after in steps(state, rules) if after.version <= most_versions]
        if not following:
            at_end(state)
        for after in following:
            if after not in seen:
                seen.add(after)
                queue.append(after)
    return len(seen), False


def somebody_won(end: State) -> None:
    """Holds where nothing happens any more: whoever has no claim lost to one that stands."""
    won = {RANGES[i] for i, writer in enumerate(end.writers) if writer.at == "done"}
    lost = {RANGES[i] for i, writer in enumerate(end.writers) if writer.at == "lost"}
    assert {there.cidr for there in end.claims} == won
    assert won | lost == set(RANGES)
    assert won in ({RANGES[2]}, set(RANGES[:2]))


def test_no_interleaving_of_three_writers_that_die_at_any_step_makes_two_claims_overlap_and_somebody_always_wins() -> (
    None
):
    assert explore(Rules(crashes=3), at_end=somebody_won) == (2_218, False)


def test_nor_does_one_with_regions_that_leave_and_come_back_under_the_upkeep() -> None:
    assert explore(Rules(changes=2), most_versions=4) == (85_040, False)
    assert explore(Rules(changes=1, crashes=1)) == (65_816, False)


def test_without_the_compare_and_swap_the_same_model_reaches_an_overlap() -> None:
    count, overlap = explore(Rules(cas=False))
    assert overlap, count


def test_with_a_release_of_one_write_too() -> None:
    count, overlap = explore(Rules(changes=2, two_writes=False), most_versions=4)
    assert overlap, count
