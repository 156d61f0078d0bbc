"""``gql auth types``: the registry, with what cannot be used in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from tests.support.gql import Gql


class TestTypes:
    def test_ours(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """Each strategy is listed with where it comes from and what it is."""
        assert golden == gql("auth", "types").transcript

    @pytest.fixture
    def plugins(self, gql: Gql, tmp_path: Path) -> None:
        """Install distributions, as pip leaves them: good ones and bad ones."""
        for name, module, entries in [
            (
                "acme",
                'class Key:\n    async def fetch(self, e): """Get."""\n',
                "acme_key = {0}:Key",
            ),
            ("broken", "import no_such_module\n", "broken = {0}:Key"),
            ("twin_a", "", "twin = {0}:Key"),
            ("twin_b", "", "twin = {0}:Key"),
            ("greedy", "", "bearer = {0}:Key"),
            ("odd", "Key = 7\n", "odd\x1b[31m = {0}:Key"),
        ]:
            package = f"gqlauth_test_{name}"
            (tmp_path / f"{package}.py").write_text(module, encoding="utf-8")
            info = tmp_path / f"{package}-1.0.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: {package.replace('_', '-')}\nVersion: 1.0\n",
                encoding="utf-8",
            )
            (info / "entry_points.txt").write_text(
                f"[gqlauth.strategies]\n{entries.format(package)}\n", encoding="utf-8"
            )
        gql.monkeypatch.syspath_prepend(str(tmp_path))

    @pytest.mark.usefixtures("plugins")
    def test_of_others(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """A plugin that cannot be used is listed with the reason, and harms no other."""
        assert golden == gql("auth", "types").transcript
