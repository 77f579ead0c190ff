"""What `helm test` asks: whether a claim that nobody may make is refused, and by whom."""

import pytest

from tap_operator import trial
from tap_operator.errors import ClusterError
from tap_operator.trial import NotJudgedError
from unit.operator.double import InMemoryCluster


class Refusing(InMemoryCluster):
    """A cluster that refuses every creation with these words."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words

    async def create(self, *_: object, **__: object) -> dict[str, object]:
        raise ClusterError(403, "Forbidden", self.words)


async def test_a_refusal_by_admission_that_names_the_regions_is_what_is_asked_for() -> None:
    said = 'admission webhook "claims.tap.platform" denied the request: spec.regions[1].cidr: overlaps 10.0.0.0/16'
    await trial.refused(Refusing(said), "tap-system")


@pytest.mark.parametrize(
    "said",
    [
        'failed calling webhook "claims.tap.platform": connection refused',
        'environmenttaps.tap.platform is forbidden: User "x" cannot create resource',
        'admission webhook "claims.tap.platform" denied the request: the request cannot be read',
    ],
)
async def test_any_other_refusal_is_told_with_what_to_look_at(said: str) -> None:
    with pytest.raises(NotJudgedError, match="admission was not asked") as caught:
        await trial.refused(Refusing(said), "tap-system")
    assert said in str(caught.value)
    assert "kubectl logs deployment/tap-admission -n tap-system" in str(caught.value)


async def test_a_claim_that_would_be_taken_is_an_unjudged_one_and_is_not_stored() -> None:
    cluster = InMemoryCluster()
    with pytest.raises(NotJudgedError, match="would be stored"):
        await trial.refused(cluster, "tap-system")
    assert not cluster.objects
