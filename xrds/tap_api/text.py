"""Texts that have to fit: on one line, and not for ever."""

from collections.abc import Sequence


def clip(text: str, limit: int) -> str:
    """Returns `text`, cut where it is longer than `limit`."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def one_line(text: str, limit: int) -> str:
    """Returns `text` on one line, cut where that is longer than `limit`."""
    return clip(" ".join(text.split()), limit)


def named(names: Sequence[str], most: int, glue: str = ", ") -> str:
    """Returns the first `most` of `names`, and how many there are beside: `a, b, c and 2 more`."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{glue.join(names[:most])}{more}"
