"""The double of the provider sees what the apiserver tells last, in whichever order it hears of it."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from doubles.account import Key, key_of
from doubles.apiserver import Apiserver
from doubles.provider import ProviderDouble
from tap_api.base import Json


def key(version: int, **meta: Any) -> Json:
    return {
        "apiVersion": "kms.aws.m.upbound.io/v1beta1",
        "kind": "Key",
        "metadata": {"name": "one", "namespace": "ns", "resourceVersion": str(version), **meta},
        "spec": {"forProvider": {}},
    }


DELETED = key(102, deletionTimestamp="2026-11-28T04:00:00Z")
KEY: Key = key_of(DELETED)


class Late:
    """An apiserver whose answer to a write comes after its watch has told of what became of the object."""

    def __init__(self, provider: ProviderDouble, told: Json) -> None:
        self._provider, self._told = provider, told

    async def replace(self, *_: object) -> Json:
        self._provider._seen[KEY] = self._told
        return key(101)


@pytest.mark.parametrize(("told", "seen"), [(DELETED, DELETED), (key(100), key(101))])
def test_an_answer_that_comes_late_hides_nothing_that_the_watch_told(told: Json, seen: Json) -> None:
    provider = ProviderDouble(Path("kubeconfig"), "ns")
    asyncio.run(provider._write(cast("Apiserver", Late(provider, told)), KEY, key(100)))
    assert provider._seen == {KEY: seen}
