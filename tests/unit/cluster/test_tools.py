"""What is built, under which key, and what a person is told when it cannot be."""

import re
import shutil
import threading
import time
from pathlib import Path

import pytest

from tap_cluster import disk, gobuild, golang, tools
from tap_cluster.errors import ClusterError
from tap_cluster.locks import held
from tap_cluster.places import Places
from tap_cluster.progress import Progress
from tap_cluster.recipes import EMBEDDED, KIND, NODE, PROVIDER, RECIPES, SIGNER, Binary, Recipe

RECIPE = Recipe("crane", (Binary("crane", "example.org/crane", {"v": "@example.org/crane"}),), 1)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "tools" / "crane"
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text("module x\n\nrequire example.org/crane v1.2.3 // indirect\n")
    (folder / "go.sum").write_text("sum\n")
    return folder


def test_the_key_is_stable(source: Path) -> None:
    assert tools.key(source, "go1.26.8", RECIPE) == tools.key(source, "go1.26.8", RECIPE)


@pytest.mark.parametrize("changed", ["go.mod", "go.sum", "main.go", "toolchain", "package", "stamp"])
def test_the_key_changes_with_all_that_changes_the_result(source: Path, changed: str) -> None:
    before = tools.key(source, "go1.26.8", RECIPE)
    toolchain, recipe = "go1.26.8", RECIPE
    if "." in changed:
        with (source / changed).open("a") as file:
            file.write("// more\n")
    elif changed == "toolchain":
        toolchain = "go1.26.9"
    elif changed == "package":
        recipe = Recipe("crane", (Binary("crane", "example.org/other", {"v": "@example.org/crane"}),), 1)
    else:
        recipe = Recipe("crane", (Binary("crane", "example.org/crane", {"v": "fixed"}),), 1)
    assert tools.key(source, toolchain, recipe) != before


def test_versions_come_from_go_mod(source: Path) -> None:
    assert gobuild.ldflags(RECIPE.binaries[0], source) == "-s -w -X v=v1.2.3"


def test_a_build_is_without_paths_and_says_what_it_compiles() -> None:
    assert gobuild.argv("example.org/x", "-s -w", Path("/out/x")) == [
        *("go", "build", "-v", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", "/out/x", "example.org/x")
    ]


def test_every_recipe_is_there_and_pins_what_it_stamps() -> None:
    root = Places.find().recipes
    for recipe in RECIPES.values():
        text = (recipe.source(root) / "go.mod").read_text()
        for binary in recipe.binaries:
            assert f"{binary.package}\n" in text, "a tool directive"
            gobuild.ldflags(binary, recipe.source(root))


def test_every_recipe_is_one_of_a_cluster_or_is_asked_for_by_the_makefile() -> None:
    words = set(re.findall(r"[\w-]+", (Places.find().repository / "Makefile").read_text()))
    asked = {recipe.name for recipe in RECIPES.values() if words & {binary.name for binary in recipe.binaries}}
    assert {*EMBEDDED, *KIND, *NODE, *PROVIDER, *SIGNER} | asked == set(RECIPES)


def test_the_environment_of_go_drops_what_would_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOFLAGS", "-race")
    monkeypatch.setenv("GOPROXY", "https://proxy.example")
    env = golang.env()
    assert (env["GOFLAGS"], env["CGO_ENABLED"], env["GOPROXY"]) == ("", "0", "https://proxy.example")


def test_a_build_leaves_no_temporary_file_and_writes_none_outside_the_cache(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = '[ -d "$TMPDIR" ] && touch "$TMPDIR/left" && echo "$TMPDIR $GOTMPDIR"'
    monkeypatch.setattr(gobuild, "argv", lambda *_: ["sh", "-c", said])
    log = tmp_path / "cache" / "log"
    log.parent.mkdir()
    gobuild.build(source, RECIPE.binaries[0], tmp_path, log, Progress(quiet=True))
    first, second = log.read_text().split()
    assert first == second
    assert Path(first).parent == log.parent
    assert list(log.parent.iterdir()) == [log]


@pytest.mark.parametrize("said", ["go version go1.26.8 linux/amd64", "go version go1.30 linux/arm64"])
def test_a_new_enough_go_is_taken(said: str) -> None:
    assert golang.checked(said) == said.split()[2]


@pytest.mark.parametrize("said", ["go version go1.25.3 linux/amd64", "go version go1.9 linux/amd64", "what?"])
def test_an_old_go_is_one_line_with_the_mend(said: str) -> None:
    with pytest.raises(ClusterError) as caught:
        golang.checked(said)
    assert str(caught.value) == f"Go is too old ({said}). {golang.MEND}"


def test_no_go_is_one_line_with_the_mend(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ClusterError) as caught:
        golang.version(source)
    assert str(caught.value) == f"Go was not found. {golang.MEND}"


def test_a_cold_cache_needs_all_of_the_disk_and_a_warm_one_little() -> None:
    assert disk.need(9_000_000_000, 0) == 9_000_000_000
    assert disk.need(9_000_000_000, 2_000_000_000) == 6_000_000_000
    assert disk.need(9_000_000_000, 6_200_000_000) == disk.LEAST


def test_a_full_disk_is_said_before_the_build() -> None:
    disk.enough(Path("/x"), 10, 10)
    with pytest.raises(ClusterError) as caught:
        disk.enough(Path("/x"), 8_000_000_000, 1_500_000_000)
    assert str(caught.value) == (
        "building the tools needs 8.0 GB below /x, only 1.5 GB are free."
        " Make room, or set TAP_CACHE and GOCACHE to folders on a larger disk"
    )


@pytest.mark.parametrize(
    ("said", "mend"),
    [
        ("write /tmp/x: no space left on device", "The disk is full"),
        ("dial tcp: lookup modules.example: no such host", "Go's module proxy cannot be reached"),
        ("undefined: x", "Read its log"),
    ],
)
def test_a_failed_build_says_what_to_do(tmp_path: Path, said: str, mend: str) -> None:
    (tmp_path / "log").write_text(f"golang.org/x/sys\n{said}\n")
    assert gobuild.mend(tmp_path / "log").startswith(mend)


def test_a_build_shows_how_far_it_is(tmp_path: Path) -> None:
    assert gobuild.compiled(tmp_path / "log") == ""
    (tmp_path / "log").write_text("go: downloading a v1\ngo: downloading b v1\nunicode\nbytes\nstrings\n")
    assert gobuild.compiled(tmp_path / "log") == "2 modules fetched, 3 packages compiled"


@pytest.mark.skipif(shutil.which("go") is None, reason="needs Go")
def test_two_at_once_build_a_recipe_once(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Path] = []

    def build(_source: Path, binary: Binary, folder: Path, _log: Path, _progress: Progress) -> None:
        time.sleep(0.2)
        (folder / binary.name).write_text("program")
        built.append(folder)

    monkeypatch.setattr(tools, "build", build)
    monkeypatch.setattr(golang, "version", lambda _recipe: "go1.26.8")
    monkeypatch.setattr(tools, "RECIPES", {"crane": RECIPE})
    places = Places(tmp_path, tmp_path / "state", tmp_path / "cache")
    (tmp_path / "cluster").mkdir()
    (tmp_path / "tools").rename(places.recipes)
    run = [threading.Thread(target=tools.ensure, args=(["crane"], places, Progress(quiet=True))) for _ in range(2)]
    for thread in run:
        thread.start()
    for thread in run:
        thread.join()
    assert len(built) == 1
    assert (tools.home(RECIPE, places) / "crane").read_text() == "program"
    assert not built[0].exists(), "built aside, then renamed"
    assert source != places.recipes


def test_a_second_holder_of_the_lock_is_told_that_it_waits(tmp_path: Path) -> None:
    waiting = threading.Event()

    def second() -> None:
        with held(tmp_path / "lock", waiting.set):
            pass

    thread = threading.Thread(target=second)
    with held(tmp_path / "lock"):
        thread.start()
        assert waiting.wait(5)
    thread.join(5)
    assert not thread.is_alive()
