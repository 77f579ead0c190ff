"""Whether a stored object already is what would be applied."""

from collections.abc import Mapping, Sequence


def covers(live: object, wanted: object) -> bool:
    """Returns whether applying `wanted` would leave `live` as it is, as far as the fields of `wanted` go.

    What `live` has beside them (defaults, status, other managers' fields and list items) is none of ours. An item of
    a list of objects may stand anywhere: server-side apply tells them apart by their keys.
    """
    if isinstance(wanted, Mapping):
        return isinstance(live, Mapping) and all(key in live and covers(live[key], wanted[key]) for key in wanted)
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        if not isinstance(live, Sequence) or isinstance(live, str):
            return False
        if all(isinstance(item, Mapping) for item in wanted):
            return all(any(covers(there, item) for there in live) for item in wanted)
        return list(live) == list(wanted)
    return type(live) is type(wanted) and live == wanted if isinstance(wanted, bool) else live == wanted
