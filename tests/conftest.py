"""Options of the whole suite."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--examples", type=int, default=300, help="examples of each test of hostile input (make soak: 100,000)"
    )
    parser.addoption("--seeds", type=int, default=1, help="seeds of each test of faults and of order (make soak: 20)")
