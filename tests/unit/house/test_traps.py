"""Every trap of provider-upjet-aws that was known before this was written has a test whose name says its number."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[2]
#: Number -> the trap; those of references that give the wrong value are `trap_1_1`.
TRAPS = {
    1: "AWS manages no password for a member of a global database",
    2: "what a secondary cluster may say, and when it may join",
    3: "a membership that is not said is ended",
    4: "a replication source that is not wanted promotes the secondary",
    5: "late initialisation freezes the members of a cluster",
    6: "the order in which a global database is deleted, and what refuses it",
    7: "the capacity that a global database needs",
    8: "replicas of a table have one owner, and every field",
    9: "encryption of a bucket that is set for ever",
    10: "the ACL of an object in a bucket without ACLs",
    11: "a lifecycle that is Ready with nothing in AWS",
    12: "code that is never read back",
    13: "code under a new key is a new object",
    14: "an alias follows versions",
    15: "a stage that deploys by itself",
    16: "network interfaces that Lambda leaves behind",
    17: "policies that differ in text alone",
    18: "the encryption of a bucket of access logs",
    19: "references that are resolved once",
    20: "management policies by who names a resource",
}


def named() -> set[str]:
    """Returns the numbers in the names of all tests: `trap_16`, `traps_1_and_2`, `trap_1_1`."""
    found: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for first, second in re.findall(r"traps?_(1_1|\d+)(?:_and_(\d+))?", node.name):
                    found |= {number for number in (first, second) if number}
    return found


def test_every_trap_has_a_test_that_names_it_and_no_test_names_another() -> None:
    assert named() == {*map(str, TRAPS), "1_1"}
