"""Distributions as an installer leaves them: modules, and metadata beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: The groups that gqlauth reads.
STRATEGIES = "gqlauth.strategies"
SECRETS = "gqlauth.secrets"


def install(
    site: Path,
    name: str,
    entry_points: Mapping[str, Mapping[str, str]],
    *,
    version: str = "1.0",
    modules: Mapping[str, str] | None = None,
) -> None:
    """Install a distribution into `site`, a folder that is, or will be, on ``sys.path``.

    Args:
        site: the folder; it is made if need be.
        name: what the distribution is called.
        entry_points: each group's names, with the ``module:attribute`` of each.
        version: its version.
        modules: each module's name, with its source.

    """
    metadata = site / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8"
    )
    lines = [
        line
        for group, targets in entry_points.items()
        for line in (f"[{group}]", *(f"{name} = {target}" for name, target in targets.items()))
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for module, source in (modules or {}).items():
        (site / f"{module}.py").write_text(source, encoding="utf-8")
