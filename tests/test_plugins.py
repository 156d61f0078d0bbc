"""The entry-point loader that strategies and secret sources share."""

from __future__ import annotations

import importlib.metadata
import sys
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import pytest

from gqlauth import ConfigError, StrategyError
from gqlauth._plugins import OURS, Plugin, PluginGroup, canonical
from tests.support.distributions import install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: A group that nobody else's entry points are in.
NAME = "gqlauth.tests"
GROUP = PluginGroup(NAME, "auth type", StrategyError)
#: Ours.
STRATEGIES = PluginGroup("gqlauth.strategies", "auth type", StrategyError)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder on ``sys.path``; what is imported from it is forgotten."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("acme_"):
            del sys.modules[name]


def error(name: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        GROUP.load(name)
    assert isinstance(caught.value, StrategyError)
    return caught.value


@pytest.mark.parametrize("name", ["acme_key", "acme-key", "ACME_Key", " Acme-KEY "])
class TestNames:
    def test_the_printed_form_is_one(self, name: str) -> None:
        """Lower case, with underscores."""
        assert canonical(name) == "acme_key"

    def test_a_plugin_is_found_by_each_form_of_its_name(self, site: Path, name: str) -> None:
        """However the distribution spells it."""
        install(site, "acme", {NAME: {"Acme-Key": "collections:OrderedDict"}}, version="2.1")
        plugin = Plugin("acme_key", "collections:OrderedDict", "acme", "2.1")
        assert GROUP.find(name) == plugin
        assert GROUP.load(name) is OrderedDict
        assert str(plugin) == "acme 2.1"


class TestOurs:
    def test_it_is_found_without_a_look_at_the_environment(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A look costs tens of milliseconds, and a command line would pay it at each call."""

        def scan(**_: Any) -> Any:
            raise AssertionError("the environment was scanned")

        monkeypatch.setattr(importlib.metadata, "entry_points", scan)
        assert STRATEGIES.find("client-credentials").distribution == "gqlauth"

    def test_nobody_takes_its_name(self, site: Path) -> None:
        """A distribution that claims it is listed, and not used."""
        install(site, "acme", {STRATEGIES.name: {"bearer": "acme_none:Bearer"}})
        assert STRATEGIES.find("bearer").distribution == "gqlauth"
        claims = [plugin for plugin in STRATEGIES.installed() if plugin.name == "bearer"]
        assert [claim.distribution for claim in claims] == ["acme", "gqlauth"]

    def test_nothing_is_read_for_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Not even where gqlauth is installed, which may be nowhere."""
        monkeypatch.setattr(sys, "path", [])

        assert STRATEGIES.find("bearer").target == "gqlauth_strategies.bearer:Bearer"

    def test_those_are_meant_that_the_distribution_has(self) -> None:
        """What stands in the module is what the distribution says of itself."""
        entries = importlib.metadata.distribution("gqlauth").entry_points
        said = {
            group: {entry.name: entry.value for entry in entries.select(group=group)}
            for group in OURS
        }

        assert said == OURS


class TestErrors:
    def test_two_that_claim_one_name_are_both_named(self, site: Path) -> None:
        """Neither is used."""
        install(site, "zeta-auth", {NAME: {"acme_key": "zeta:Key"}}, version="0.3")
        install(site, "acme-auth", {NAME: {"acme-key": "acme:Key"}})
        assert str(error("acme_key")) == (
            'auth type "acme_key" is claimed by acme-auth 1.0 (acme:Key) and '
            "zeta-auth 0.3 (zeta:Key): uninstall one of them"
        )

    def test_one_that_spells_its_name_twice_is_one(self, site: Path) -> None:
        """It means the same."""
        both = {"acme_key": "collections:OrderedDict", "acme-key": "collections:OrderedDict"}
        install(site, "acme", {NAME: both})
        assert GROUP.load("acme_key") is OrderedDict

    def test_one_that_is_on_the_path_twice_is_one(self, site: Path, tmp_path: Path) -> None:
        """The first is the one that imports."""
        for folder, version in ((site, "2.0"), (tmp_path / "later", "1.0")):
            install(folder, "acme", {NAME: {"key": "collections:OrderedDict"}}, version=version)
        sys.path.append(str(tmp_path / "later"))
        assert str(GROUP.find("key")) == "acme 2.0"

    def test_an_unknown_name_lists_what_is_installed(self, site: Path) -> None:
        """Each name once, sorted."""
        install(site, "zeta", {NAME: {"zeta": "zeta:Key"}})
        install(site, "acme", {NAME: {"zeta": "acme:Key", "other": "acme:Other"}})
        assert str(error("key")) == 'unknown auth type "key"; installed: other, zeta'

    def test_an_unknown_name_has_a_suggestion(self, site: Path) -> None:
        """Where one is close."""
        install(site, "acme", {NAME: {"acme_key": "acme:Key"}})
        assert str(error("acme_kee")) == (
            'unknown auth type "acme_kee"; installed: acme_key; did you mean "acme_key"?'
        )

    @pytest.mark.parametrize(
        ("target", "cause", "text"),
        [
            ("acme_broken:Key", RuntimeError, "RuntimeError: no licence"),
            (
                "acme_missing:Key",
                ModuleNotFoundError,
                "ModuleNotFoundError: No module named 'acme_missing'",
            ),
            (
                "acme_sound:Kee",
                AttributeError,
                "AttributeError: module 'acme_sound' has no attribute 'Kee'",
            ),
        ],
    )
    def test_one_that_does_not_import_is_named_when_it_is_asked_for(
        self, site: Path, target: str, cause: type[Exception], text: str
    ) -> None:
        """With the cause chained; whoever asks for another is not bothered."""
        modules = {"acme_broken": "raise RuntimeError('no licence')\n", "acme_sound": "Key = 1\n"}
        install(site, "acme", {NAME: {"key": target, "sound": "acme_sound:Key"}}, modules=modules)
        assert GROUP.load("sound") == 1
        assert [plugin.name for plugin in GROUP.installed()] == ["key", "sound"]
        told = error("key")
        assert str(told) == (
            f'auth type "key" cannot be used: acme 1.0 fails to import {target}: {text}'
        )
        assert type(told.__cause__) is cause
