"""Hostile JSON: values of any shape, manifests with one thing wrong, and a seeded mutator of whole documents."""

import random
import string
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from tap_api.base import Json

#: Digits that Python's int() takes and that no CIDR has.
_DIGITS = "٠١٢٣٤٥٦٧٨٩０１２３𝟎𝟏²"
TEXTS = (
    "",
    " ",
    "\x00",
    "\ud800",
    "\u202e",
    "٣",
    "🦀",
    "null",
    "true",
    "yes",
    "1",
    "0x10",
    "1e9",
    "../..",
    "${jndi:ldap://x}",
    "{{ .Values }}",
    "%s%n",
    "'; DROP TABLE",
    "aws:x",
    "Environment",
    "a" * 300,
    "A" * 5_000,
    "10.0.0.0/16",
    "010.0.0.0/16",
    "10.0.0.1/16",
    "::ffff:10.0.0.0/112",
    "١٠.٠.٠.٠/١٦",
    "10.0.0.0/0",
    "10.0.0.0/33",
    "10.0.0.0/16\n",
    "10.0.0.0/255.255.0.0",
    "0x0a.0.0.0/16",
    "167772160/16",
)
SCALARS = (None, True, False, 0, -1, 3, 2**31, 2**63, 10**400, 0.5, -0.0, 1e308, float("inf"), float("nan"), *TEXTS)

ALPHABET = st.sampled_from(string.digits + "./: -x" + _DIGITS) | st.characters()
SPELLINGS = st.text(alphabet=ALPHABET, max_size=40)


@st.composite
def nearly_cidrs(draw: st.DrawFn) -> str:
    """Spellings close to right ones: octets and lengths in and out of bounds, padded, in other digits and bases."""
    octets = [
        draw(st.integers(0, 300) | st.just(10) | st.just(0)) for _ in range(draw(st.sampled_from([4, 4, 4, 3, 5])))
    ]
    spell = draw(st.sampled_from(["{}", "{}", "{}", "0{}", "{:#x}", "{:o}", " {}", "+{}", "-{}", "{}_0"]))
    address = draw(st.sampled_from([".", ".", ".", "。", ","])).join(spell.format(octet) for octet in octets)
    prefix = draw(st.sampled_from(["", "", "", "::ffff:", "0:0:0:0:0:ffff:", "[", "http://", "\ufeff"]))
    slash = draw(st.sampled_from(["/", "/", "/", "//", "\\", "∕", " / ", ""]))
    length = draw(
        st.integers(-1, 40).map(str) | st.sampled_from(["016", "16 ", "16\n", "255.255.0.0", "١٦", "1_6", ""])
    )
    return f"{prefix}{address}{slash}{length}"


#: JSON of any shape.
JSON = st.recursive(
    st.sampled_from(SCALARS) | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


def mutate(document: Json, chance: random.Random) -> Json:
    """Returns `document` with one to four places replaced, removed, doubled, swapped, buried or added."""
    made = {"": deepcopy(document)}
    for _ in range(chance.randint(1, 4)):
        parent, key = chance.choice(_places(made))
        action = chance.choice((_replace, _replace, _remove, _double, _swap, _bury, _add))
        action(parent, key, made, chance)
    root = made.get("")
    return root if isinstance(root, dict) else {"root": root}


def _places(value: Any) -> list[tuple[Any, Any]]:
    found, open_ = [], [value]
    while open_:
        node = open_.pop()
        items = list(node.items()) if isinstance(node, dict) else list(enumerate(node))
        for key, below in items:
            found.append((node, key))
            if isinstance(below, dict | list):
                open_.append(below)
    return found


def _replace(parent: Any, key: Any, _root: Json, chance: random.Random) -> None:
    parent[key] = deepcopy(chance.choice((*SCALARS, [], {}, [[]], {"": {}}, [None] * 50)))


def _remove(parent: Any, key: Any, _root: Json, _: random.Random) -> None:
    if key != "":
        del parent[key]


def _double(parent: Any, key: Any, _root: Json, _: random.Random) -> None:
    if isinstance(parent, list):
        parent.append(deepcopy(parent[key]))
    else:
        parent[f"{key}"[:50] + "2"] = deepcopy(parent[key])


def _swap(parent: Any, key: Any, root: Json, chance: random.Random) -> None:
    other, its = chance.choice(_places(root))
    if "" not in (key, its):
        parent[key] = deepcopy(other[its])


def _bury(parent: Any, key: Any, _root: Json, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 3, 40))):
        parent[key] = [parent[key]] if chance.random() < 0.5 else {"a": parent[key]}


def _add(parent: Any, key: Any, _root: Json, chance: random.Random) -> None:
    if isinstance(parent[key], dict):
        parent[key][chance.choice(TEXTS)] = chance.choice(SCALARS)
