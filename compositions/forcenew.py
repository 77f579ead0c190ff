"""Which fields AWS cannot change in place, read from the source of the Terraform provider that upjet wraps.

The provider's CRDs do not say it, and the provider refuses such a change only once it is asked for ("refuse to update …
requires replacing", upjet's assertNoForceNew). The source says it: `ForceNew: true` in a schema of the SDK,
`RequiresReplace()` in one of the framework. It is read as text, for to link the provider and to ask it takes an hour;
gofmt's indentation tells which field a line belongs to. What is decided in code (`customdiff.ForceNewIf…`) is not seen;
none of it is about a field that is composed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tap_api.errors import TapError
from tap_stack.catalogue import Entry

#: A key is a text, a constant of `names`, or one of the resource's own package; fields of structs begin with a capital.
_ENTRY = re.compile(r'(\t+)(?:"(\w+)"|names\.(Attr\w+)|([a-z]\w*)):\s+.*\{')
_FORCED = re.compile(r"(\t+)(?:.*\{)?\s*(?:ForceNew:\s+true\b|\w+planmodifier\.RequiresReplace\(\))")
_CONSTANT = re.compile(r'^(?:const)?\s+(\w+)\s*= "(\w+)"', re.MULTILINE)
_STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r'^\s+\w+\s+(?:\[\]|\*|map\[string\]\*?)*(\w+) `json:"(\w+)[^"]*" tf:"(\w+)', re.MULTILINE)
#: Resources of the framework whose schema another one's struct brings along.
_INHERITED = {"aws_vpc_security_group_egress_rule": "aws_vpc_security_group_ingress_rule"}

#: Field in Terraform -> its JSON name and the type of its value.
Struct = Mapping[str, tuple[str, str]]


class SourceError(TapError):
    """The source of the provider is not of the shape that is read here."""


@dataclass(frozen=True)
class Sources:
    """Where the provider and what it wraps are unpacked.

    Attributes:
        provider: The module of the Crossplane provider.
        terraform: The module of the Terraform provider that it wraps.
    """

    provider: Path
    terraform: Path

    def fields(self, entry: Entry) -> list[str]:
        """Returns the fields of `spec.forProvider` of a kind that AWS cannot change in place, sorted.

        Raises:
            SourceError: the kind, its resource or its schema is not found.
        """
        folder = self.provider / "apis" / "namespaced" / entry.group.partition(".")[0] / "v1beta1"
        types = "\n".join(_texts(folder, "zz_*_types.go"))
        # The spec names it: `Subnet` has `SubnetParameters_2`, for another kind took the plain name.
        spec = re.search(rf"^type {entry.kind}Spec struct \{{.*?ForProvider\s+(\w+)", types, re.MULTILINE | re.DOTALL)
        root, structs = spec[1] if spec else "", _structs(types)
        resource = self._resource(folder, entry.kind)
        found = (_translated(path, structs, root) for path in self._forced(resource))
        return sorted({field for field in found if field})

    def _resource(self, folder: Path, kind: str) -> str:
        says = re.compile(rf'func \(\w+ \*{kind}\) GetTerraformResourceType\(\) string {{\s*return "(\w+)"')
        for text in _texts(folder, "zz_*_terraformed.go"):
            match = says.search(text)
            if match:
                return match[1]
        message = f"{folder}: no resource of Terraform for {kind}"
        raise SourceError(message)

    def _forced(self, resource: str) -> Iterator[tuple[str, ...]]:
        """Yields the paths, in Terraform's words, of the fields of a resource that force a new one."""
        above: list[tuple[int, str]] = []
        source = _INHERITED.get(resource, resource)
        names, own = self._names, _constants(self._service[source].parent, "*.go")
        for line in self._schema(source):
            entry, forced = _ENTRY.match(line), _FORCED.match(line)
            if entry:
                depth = len(entry[1])
                above = [item for item in above if item[0] < depth]
                above.append((depth, entry[2] or names.get(entry[3], "") or own.get(entry[4], "")))
            if forced:
                depth = len(forced[1])
                path = tuple(name for indent, name in above if indent < depth or (entry and indent == depth))
                if not path:
                    message = f"{self.terraform}: {resource}: whose is {line.strip()!r}?"
                    raise SourceError(message)
                yield path

    def _schema(self, resource: str) -> Iterator[str]:
        """Yields the lines of the schema of a resource."""
        text = self._service[resource].read_text(encoding="utf-8")
        kind = re.search(rf'^// @(SDK|Framework)Resource\("{resource}"', text, re.MULTILINE)
        start = kind.end() if kind else 0
        if kind and kind[1] == "Framework":
            start = text.index(") Schema(", start)
        rest = text[start:].partition("\n}\n")[0]
        named = re.search(r"\n\t\tSchema:\s*(\w+),\n", rest)
        if named:
            rest = text[text.index(f"\t{named[1]} = map[string]*schema.Schema{{") :].partition("\n\t}\n")[0]
        yield from rest.splitlines()

    @cached_property
    def _service(self) -> Mapping[str, Path]:
        """Resource -> the source file that says it is one."""
        files = sorted((self.terraform / "internal" / "service").glob("*/*.go"))
        texts = ((path, path.read_text(encoding="utf-8")) for path in files if not path.name.endswith("_test.go"))
        says = re.compile(r'^// @(?:SDK|Framework)Resource\("(\w+)"', re.MULTILINE)
        return {resource: path for path, text in texts for resource in says.findall(text)}

    @cached_property
    def _names(self) -> Mapping[str, str]:
        return _constants(self.terraform / "names", "attr_*.go")


def _constants(folder: Path, pattern: str) -> Mapping[str, str]:
    return dict(_CONSTANT.findall("\n".join(_texts(folder, pattern))))


def sources(crds: Path) -> Sources | None:
    """Returns the provider that `crds` are of, and the Terraform provider that its go.mod names, in the module cache.

    Args:
        crds: The folder of the CRDs, `package/crds` of the provider's module.
    """
    provider = crds.parent.parent
    requires = provider / "go.mod"
    pinned = re.search(
        r"^replace github.com/hashicorp/terraform-provider-aws => (\S+) (\S+)$",
        requires.read_text(encoding="utf-8") if requires.is_file() else "",
        re.MULTILINE,
    )
    # <cache>/github.com/upbound/provider-aws/v2@v2.5.0
    terraform = provider.parents[3] / f"{pinned[1]}@{pinned[2]}" if pinned else provider / "none"
    return Sources(provider, terraform) if terraform.is_dir() else None


def _texts(folder: Path, pattern: str) -> Iterator[str]:
    return (path.read_text(encoding="utf-8") for path in sorted(folder.glob(pattern)))


def _structs(text: str) -> Mapping[str, Struct]:
    return {
        name: {terraform: (json, type_) for type_, json, terraform in _FIELD.findall(body)}
        for name, body in _STRUCT.findall(text)
    }


def _translated(path: tuple[str, ...], structs: Mapping[str, Struct], root: str) -> str:
    """Returns a path in the words of the CRD; empty where the CRD has no such field, as of names and of outputs."""
    words, struct = [], root
    for step in path:
        if step not in structs.get(struct, {}):
            return ""
        word, struct = structs[struct][step]
        words.append(word)
    return ".".join(words)
