"""From what is wanted to what is asked for now.

What is composed is what exists: a resource that is left out of a response is deleted (04, item 5). So whatever is
observed is emitted again, always, even where a value of it is not known any more; it then keeps the value that it has.
Only what never existed can be withheld.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tap_api.base import Json, own_spec
from tap_api.common import RegionState
from tap_stack import pause
from tap_stack.observation import Observation, Observed
from tap_stack.readiness import is_ready
from tap_stack.references import hold
from tap_stack.resource import Resources
from tap_stack.values import Ref, Unknown, find, resolve


@dataclass(frozen=True)
class Emitted:
    """A resource that is asked for.

    Attributes:
        key: Its key.
        manifest: The object.
        ready: Whether it is of use.
        wanted: The manifest before it was resolved, with values.Unknown and values.Ref in it.
    """

    key: str
    manifest: Json
    ready: bool
    wanted: Json = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Withheld:
    """A resource that is not asked for yet.

    Attributes:
        key: Its key.
        source: What it waits for.
        manifest: The object as far as it is known, with values.Unknown and values.Ref in it.
    """

    key: str
    source: str
    manifest: Json


@dataclass(frozen=True)
class Assembly:
    """What is asked for, and what is not yet."""

    emitted: tuple[Emitted, ...] = ()
    withheld: tuple[Withheld, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether everything is there and of use. Nothing is ready by being empty."""
        return bool(self.emitted) and not self.withheld and all(resource.ready for resource in self.emitted)


def assemble(resources: Resources, observed: Observed, state: RegionState = RegionState.PRESENT) -> Assembly:
    """Returns what of `resources` is asked for now, in their order.

    A resource that is no longer wanted is left out, and so deleted. While its region is paused it is asked for as it
    is, and once more after that to take its pause back: what is paused never goes.

    A resource that refers to one that is withheld is withheld too: a provider would only report it as broken. So is one
    that comes after another which is not ready yet.

    Raises:
        ValueError: a key is used twice, or a resource refers to one that does not come before it.
    """
    names: dict[str, str] = {}
    emitted: dict[str, Emitted] = {}
    withheld: dict[str, Withheld] = {}
    for resource in resources:
        if resource.key in names:
            message = f"two resources have the key {resource.key}"
            raise ValueError(message)
        unresolved = find(resource.manifest, (Ref, Unknown))
        references = [item.key for item in unresolved if isinstance(item, Ref)]
        earlier = [item for item in resource.after if isinstance(item, str)]
        unordered = [key for key in (*references, *earlier) if key not in names]
        if unordered:
            message = f"{resource.key} refers to {', '.join(unordered)}, which has to come before it"
            raise ValueError(message)
        names[resource.key] = resource.manifest["metadata"]["name"]
        observation = observed.get(resource.key)
        sources = [item.source for item in unresolved if isinstance(item, Unknown) and item.required]
        sources += [item.source for item in resource.after if isinstance(item, Unknown)]
        sources += [withheld[key].source for key in (*references, *earlier) if key in withheld]
        sources += [f"{key}, which AWS makes first" for key in earlier if key in emitted and not emitted[key].ready]
        if sources and observation is None:
            withheld[resource.key] = Withheld(resource.key, sources[0], resource.manifest)
            continue
        manifest = resource.manifest
        if unresolved:
            manifest = resolve(manifest, names.__getitem__, _reader(observation))
        manifest = _settled(manifest, observation)
        emitted[resource.key] = Emitted(resource.key, manifest, is_ready(resource, observation), resource.manifest)
    for key in sorted(observed.keys() - names.keys()):
        observation = observed[key]
        if state is RegionState.PAUSED or pause.is_held(observation):
            manifest = kept(observation, pause.annotation(state, observation))
            emitted[key] = Emitted(key, manifest, _is_ready(observation))
    return Assembly(tuple(emitted.values()), tuple(withheld.values()))


def _settled(manifest: Json, observation: Observation | None) -> Json:
    """Returns a manifest with its references as the provider left them."""
    spec = manifest["spec"]
    if observation is None or "forProvider" not in spec:
        return manifest
    held = hold(spec["forProvider"], observation.field("spec", "forProvider"))
    return {**manifest, "spec": {**spec, "forProvider": held}}


def keep(observed: Observed) -> Assembly:
    """Returns what is observed as it is observed: nothing new, nothing changed, nothing removed."""
    emitted = (
        Emitted(key, kept(observation, pause.kept(observation)), ready=_is_ready(observation))
        for key, observation in sorted(observed.items())
    )
    return Assembly(tuple(emitted))


def _is_ready(observation: Observation) -> bool:
    ready = observation.condition("Ready")
    return ready is not None and ready.status == "True"


def kept(observation: Observation, paused: Json) -> Json:
    """Returns the manifest of a resource as it is observed, with the annotation of its pause."""
    metadata = {
        field: observation.field("metadata", field)
        for field in ("name", "labels")
        if observation.field("metadata", field) is not None
    }
    external_name = observation.field("metadata", "annotations", "crossplane.io/external-name")
    annotations = {
        **({"crossplane.io/external-name": external_name} if external_name is not None else {}),
        **paused,
    }
    if annotations:
        metadata["annotations"] = annotations
    spec = observation.field("spec")
    return {
        "apiVersion": observation.field("apiVersion"),
        "kind": observation.field("kind"),
        "metadata": metadata,
        "spec": own_spec(spec) if isinstance(spec, dict) else spec,
    }


def _reader(observation: Observation | None) -> Callable[[tuple[str, ...]], Any]:
    return lambda path: None if observation is None else observation.field(*path)
