"""Texts that have to fit: on one line, and not for ever."""


def clip(text: str, limit: int) -> str:
    """Returns `text`, cut where it is longer than `limit`."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def one_line(text: str, limit: int) -> str:
    """Returns `text` on one line, cut where that is longer than `limit`."""
    return clip(" ".join(text.split()), limit)
