"""Who waits for a CidrBlock to change: who was told that somebody else holds his range.

An efficiency: whoever waits asks again by himself too, and after a restart everybody does.
"""

from collections.abc import Collection

from tap_operator.workqueue import Key


class Waiting:
    """Keys, by the blocks that they wait for."""

    def __init__(self) -> None:
        """Nobody waits."""
        self._keys: dict[str, set[Key]] = {}

    def note(self, key: Key, blocks: Collection[str]) -> None:
        """Notes that `key` waits for these blocks, and for no other."""
        for name in [name for name, keys in self._keys.items() if key in keys and name not in blocks]:
            self._keys[name].discard(key)
            if not self._keys[name]:
                del self._keys[name]
        for name in blocks:
            self._keys.setdefault(name, set()).add(key)

    def take(self, block: str) -> list[Key]:
        """Returns who waits for a block, in order; they wait no longer."""
        return sorted(self._keys.pop(block, ()))
