"""Options of the whole suite."""

from pathlib import Path

import pytest

from tap_cluster import api


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--examples", type=int, default=300, help="examples of each test of hostile input (make soak: 100,000)"
    )
    parser.addoption("--node", action="store_true", help="bring up a node of our own for tests/node (make soak)")
    parser.addoption("--seeds", type=int, default=1, help="seeds of each test of faults and of order (make soak: 20)")


@pytest.fixture(scope="session")
def promtool() -> Path:
    """The promtool that the project builds; `make check` and `make test` do so before they begin."""
    return api.tool("promtool")
