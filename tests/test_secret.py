"""`Secret`: used, compared, resolved, and never shown."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import io
import json
import pickle
import pprint
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import cattrs
import pytest
import structlog

from gqlauth._secret import Secret
from gqlauth.errors import Problem, SecretError

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

TEXT = "correct-horse-battery"


@attrs.frozen
class Vault:
    """A source that gives its answers one after another."""

    name: str = "vault"
    answers: list[Any] = attrs.field(factory=lambda: [TEXT], eq=False)

    async def read(self) -> str:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        text: str = answer
        return text

    def __str__(self) -> str:
        return f"vault {self.name}"


@attrs.frozen
class CheckedVault(Vault):
    """A source that can tell beforehand what is wrong."""

    trouble: str | None = None

    def check(self) -> str | None:
        return self.trouble


class Line:
    """The place of a reference in a configuration file."""

    def problem(self, message: str) -> Problem:
        return Problem(message, file="gqlauth.toml", line=9, key="endpoints.prod.auth.secret")


@attrs.frozen
class AttrsHolder:
    """What a strategy looks like."""

    secret: Secret
    headers: dict[str, Secret] = attrs.field(factory=dict)


@dataclasses.dataclass
class DataclassHolder:
    """What a user's own settings look like."""

    secret: Secret


def given() -> Secret:
    return Secret(TEXT)


async def resolved() -> Secret:
    return await Secret.from_source(Vault()).resolve()


def rendered_by_structlog(secret: Secret, renderer: Any) -> str:
    stream = io.StringIO()
    log = structlog.wrap_logger(
        structlog.PrintLogger(stream), processors=[renderer], wrapper_class=structlog.BoundLogger
    )
    log.info("event", secret=secret, nested={"secrets": [secret]})
    return stream.getvalue()


def slots_of(value: object) -> dict[str, Any]:
    return {name: getattr(value, name) for name in type(value).__slots__}  # type: ignore[attr-defined]


def all_that_dir_names(value: object) -> dict[str, Any]:
    return {name: getattr(value, name) for name in dir(value)}


WAYS_TO_PRINT: dict[str, Callable[[Secret], object]] = {
    "repr": repr,
    "str": str,
    "format": format,
    "percent": lambda secret: "%s %r %a" % (secret, secret, secret),  # noqa: UP031 - a way to print
    "f-string": lambda secret: f"{secret} {secret!s} {secret!r} {secret!a} {secret=}",
    "bytes of str": lambda secret: str(secret).encode(),
    "container": lambda secret: repr([{"a": (secret,)}]),
    "pprint": lambda secret: pprint.pformat({"a": secret}),
    "JSON with default": lambda secret: json.dumps({"a": secret}, default=str),
    "JSON of slots": lambda secret: json.dumps(secret, default=lambda it: repr(slots_of(it))),
    "slots": slots_of,
    "dir": all_that_dir_names,
    "inspect": inspect.getmembers,
    "inspect static": inspect.getmembers_static,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "attrs holder": lambda secret: repr(AttrsHolder(secret, {"X-Key": secret})),
    "attrs.asdict": lambda secret: attrs.asdict(AttrsHolder(secret, {"X-Key": secret})),
    "attrs.astuple": lambda secret: attrs.astuple(AttrsHolder(secret)),
    "cattrs": lambda secret: cattrs.unstructure(AttrsHolder(secret, {"X-Key": secret})),
    "dataclass": lambda secret: repr(DataclassHolder(secret)),
    "dataclasses.asdict": lambda secret: dataclasses.asdict(DataclassHolder(secret)),
    "structlog console": lambda secret: rendered_by_structlog(
        secret, structlog.dev.ConsoleRenderer(colors=False)
    ),
    "structlog JSON": lambda secret: rendered_by_structlog(
        secret, structlog.processors.JSONRenderer()
    ),
    "structlog logfmt": lambda secret: rendered_by_structlog(
        secret, structlog.processors.LogfmtRenderer()
    ),
    "structlog key value": lambda secret: rendered_by_structlog(
        secret, structlog.processors.KeyValueRenderer()
    ),
}


class TestNeverPrints:
    @pytest.mark.parametrize("way", WAYS_TO_PRINT.values(), ids=WAYS_TO_PRINT)
    async def test_given_in_code(self, way: Callable[[Secret], object]) -> None:
        """A secret that was given in code is not in what comes out."""
        assert TEXT not in repr(way(given()))

    @pytest.mark.parametrize("way", WAYS_TO_PRINT.values(), ids=WAYS_TO_PRINT)
    async def test_resolved(self, way: Callable[[Secret], object]) -> None:
        """A secret that was read from its source is not in what comes out."""
        assert TEXT not in repr(way(await resolved()))

    @pytest.mark.parametrize(
        "way",
        [
            pickle.dumps,
            lambda secret: pickle.dumps(AttrsHolder(secret)),
            lambda secret: secret.__getstate__(),
            lambda secret: secret.__reduce__(),
            lambda secret: secret.__reduce_ex__(2),
            json.dumps,
            vars,
            lambda secret: f"{secret:>40}",
            "".join,
            bytes,
        ],
    )
    async def test_refuses(self, way: Callable[[Any], object]) -> None:
        """What would write a secret out is refused with a TypeError that does not show it."""
        with pytest.raises(TypeError) as raised:
            way(given())

        assert TEXT not in str(raised.value)

    async def test_traceback_with_locals(self) -> None:
        """A traceback that shows variables shows none with the text."""

        def fail(secret: Secret, holder: AttrsHolder) -> None:
            shown = [secret, holder]
            raise ValueError(len(shown))

        with pytest.raises(ValueError, match="2") as raised:
            fail(await resolved(), AttrsHolder(given()))
        told = "".join(
            traceback.TracebackException.from_exception(raised.value, capture_locals=True).format()
        )

        assert "secret = Secret(vault vault)" in told
        assert TEXT not in told

    async def test_structlog_tracebacks(self) -> None:
        """Structlog's tracebacks as values, variables included, have no text in them."""

        def fail(secret: Secret) -> None:
            raise ValueError(type(secret).__name__)

        with pytest.raises(ValueError, match="Secret") as raised:
            fail(given())
        transform = structlog.tracebacks.ExceptionDictTransformer(show_locals=True)
        error = raised.value

        told = json.dumps(transform((type(error), error, error.__traceback__)))

        assert "Secret(***)" in told
        assert TEXT not in told

    @pytest.mark.parametrize("wrong", [TEXT.encode(), bytearray(TEXT.encode()), [TEXT]])
    async def test_refused_value(self, wrong: Any) -> None:
        """A value that is refused for being no text is not in the traceback's variables."""
        with pytest.raises(SecretError) as raised:
            Secret(wrong)
        inside = raised.traceback[-1].frame.f_locals

        assert TEXT not in repr(inside)

    @pytest.mark.parametrize("wrong", [TEXT.encode(), [TEXT]])
    async def test_refused_answer(self, wrong: Any) -> None:
        """What a source gave and is no text is in no variable of the traceback."""
        with pytest.raises(SecretError) as raised:
            await Secret.from_source(Vault(answers=[wrong])).resolve()
        ours = [one.frame for one in raised.traceback if "gqlauth" in Path(one.path).parts[-2:]]

        assert [frame.code.name for frame in ours][:1] == ["resolve"]
        assert TEXT not in repr([frame.f_locals for frame in ours])


@pytest.mark.parametrize("wrong", ["", None, 7, b"", b"text"])
async def test_is_a_text(wrong: Any) -> None:
    """A secret without text, or of another type, is an error."""
    with pytest.raises(SecretError, match=r"^a secret is text, and not empty$"):
        Secret(wrong)


async def test_is_a_text_that_can_be_sent() -> None:
    """Half of a character is refused at once: whatever fails to encode it quotes all of it."""
    with pytest.raises(SecretError, match=r"^a secret has half of a character \(a lone") as raised:
        Secret(f"{TEXT}\ud800")

    assert TEXT not in repr(raised.traceback[-1].frame.f_locals)


class TestGivenInCode:
    async def test_reveals(self) -> None:
        """`reveal` gives the text."""
        assert given().reveal() == TEXT

    async def test_is_no_reference(self) -> None:
        """It says that it was given in code, has no reference, and nothing to be checked."""
        secret = given()
        secret.check()

        assert not secret.is_reference
        assert secret.reference is None
        assert secret.source == "given in code"
        assert repr(secret) == "Secret(***)"

    async def test_resolves_to_itself(self) -> None:
        """Resolving a text changes nothing."""
        secret = given()

        assert await secret.resolve() is secret


class TestReference:
    async def test_tells_its_source(self) -> None:
        """A reference shows where its text will come from, and that it is not there yet."""
        vault = Vault("a")
        secret = Secret.from_source(vault)

        assert secret.is_reference
        assert secret.reference is vault
        assert secret.source == "vault a"
        assert repr(secret) == "Secret(vault a)"

    async def test_reveals_nothing(self) -> None:
        """What was not resolved cannot be revealed."""
        with pytest.raises(
            SecretError, match=r"^the secret \(vault a\) is a reference: resolve it first$"
        ):
            Secret.from_source(Vault("a")).reveal()

    async def test_resolved_has_the_text_and_the_source(self) -> None:
        """What was resolved gives the text, and still tells where it came from."""
        secret = await resolved()

        assert secret.reveal() == TEXT
        assert not secret.is_reference
        assert secret.source == "vault vault"

    async def test_is_read_at_each_resolve(self) -> None:
        """A rotated secret is picked up: the source is read anew, also for a resolved one."""
        secret = Secret.from_source(Vault(answers=["one", "two", "three"]))

        first = await secret.resolve()
        second = await secret.resolve()
        third = await second.resolve()

        assert [first.reveal(), second.reveal(), third.reveal()] == ["one", "two", "three"]


class TestFailures:
    async def test_tell_the_place(self) -> None:
        """A source's error is told at the place in the configuration, with its cause."""
        refused = SecretError("vault a is sealed")
        refused.__cause__ = cause = OSError("no")
        secret = Secret.from_source(Vault(answers=[refused]), place=Line())

        with pytest.raises(SecretError) as raised:
            await secret.resolve()

        assert str(raised.value) == "gqlauth.toml:9: endpoints.prod.auth.secret: vault a is sealed"
        assert raised.value.__cause__ is cause

    async def test_keep_the_place_once_resolved(self) -> None:
        """A resolved secret that is read again and fails tells its place, too."""
        secret = Secret.from_source(Vault(answers=[TEXT, SecretError("sealed")]), place=Line())
        again = await secret.resolve()

        with pytest.raises(SecretError, match=r"^gqlauth\.toml:9: "):
            await again.resolve()

    async def test_without_a_place(self) -> None:
        """Where there is no place, a source's error comes as it is."""
        error = SecretError("sealed")

        with pytest.raises(SecretError) as raised:
            await Secret.from_source(Vault(answers=[error])).resolve()

        assert raised.value is error

    async def test_of_another_kind_are_secret_errors(self) -> None:
        """A source that fails in its own way gives an error that names it and quotes nothing."""
        error = KeyError(TEXT)

        with pytest.raises(SecretError) as raised:
            await Secret.from_source(Vault("a", answers=[error]), place=Line()).resolve()

        assert str(raised.value).endswith(
            "auth.secret: the secret (vault a) cannot be read: KeyError"
        )
        assert raised.value.__cause__ is error

    async def test_of_use(self) -> None:
        """Whoever cannot use a secret has an error that names its source and its place."""
        secret = Secret.from_source(Vault("a"), place=Line())

        assert str(secret.error("is too short")) == (
            "gqlauth.toml:9: endpoints.prod.auth.secret: the secret (vault a) is too short"
        )
        assert str(Secret("x").error("is too short")) == "the secret (given in code) is too short"

    async def test_empty_answer(self) -> None:
        """A source that gives nothing gives no secret."""
        with pytest.raises(SecretError, match="not empty"):
            await Secret.from_source(Vault(answers=[""])).resolve()


class TestCheck:
    @pytest.mark.parametrize("vault", [Vault(), CheckedVault()])
    async def test_passes(self, vault: Vault) -> None:
        """A source that cannot tell, or has nothing to tell, passes, and is not read."""
        Secret.from_source(vault).check()

        assert vault.answers == [TEXT]

    async def test_tells_trouble_at_its_place(self) -> None:
        """What a source knows to be wrong is an error at the place in the configuration."""
        secret = Secret.from_source(CheckedVault(trouble="no vault a"), place=Line())

        with pytest.raises(SecretError) as raised:
            secret.check()

        assert str(raised.value) == "gqlauth.toml:9: endpoints.prod.auth.secret: no vault a"


class TestEquality:
    async def test_same_text(self) -> None:
        """Secrets given in code are equal where their texts are, and hash alike."""
        assert Secret("a") == Secret("a")
        assert Secret("a") != Secret("b")
        assert hash(Secret("a")) == hash(Secret("a"))

    async def test_same_source(self) -> None:
        """References are equal where their sources are, whatever their place."""
        one, other = Secret.from_source(Vault("a"), place=Line()), Secret.from_source(Vault("a"))

        assert one == other
        assert hash(one) == hash(other)
        assert one != Secret.from_source(Vault("b"))

    async def test_resolved_differs_from_its_reference(self) -> None:
        """A secret with its text at hand is neither its reference nor the bare text."""
        secret = Secret.from_source(Vault(answers=["one", "one", "two"]))
        one, same, rotated = [await secret.resolve() for _ in range(3)]

        assert one == same
        assert one != rotated
        assert one not in {secret, Secret("one")}

    async def test_other_types(self) -> None:
        """A secret is never equal to its text: a comparison must not become a guess."""
        assert Secret(TEXT) != TEXT

    async def test_holders_with_equal_secrets_are_equal(self) -> None:
        """Strategies that were made from the same settings are equal."""
        assert AttrsHolder(Secret("a")) == AttrsHolder(Secret("a"))

    async def test_hash_does_not_tell_the_text(self) -> None:
        """The hash is the same for all texts, so that nobody guesses one by it."""
        assert hash(Secret("a")) == hash(Secret("b"))


async def test_copies_are_itself() -> None:
    """A secret never changes, so its copies are the same object."""
    secret = given()

    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret]) == [secret]
