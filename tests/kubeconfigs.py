"""Kubeconfigs of others than the administrator."""

import json
from collections.abc import Callable
from pathlib import Path


def of_account(kubectl: Callable[..., str], namespace: str, account: str, path: Path) -> Path:
    """Writes a kubeconfig of a service account, for an hour, and returns its path.

    Args:
        kubectl: Runs kubectl as an administrator.
        namespace: Of the account.
        account: Its name.
        path: Where it is to be.
    """
    token = kubectl("create", "token", account, "-n", namespace).strip()
    config = json.loads(kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
    path.write_text(json.dumps(config), encoding="utf-8")
    return path
