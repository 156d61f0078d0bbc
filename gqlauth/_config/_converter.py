"""The cattrs converter that turns the plain data of a file into the classes that it stands for."""

from __future__ import annotations

import dataclasses
import inspect
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

import attrs
import cattrs
from cattrs.cols import is_any_set, is_mapping, is_sequence

from gqlauth._config._containers import attrs_class_of, dataclass_of, list_of, mapping_of
from gqlauth._config._reference import secret_of
from gqlauth._config._scalars import Texts, number, true_or_false, whole
from gqlauth._secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gqlauth._config._document import Document


def converter_for(document: Document, environ: Mapping[str, str]) -> cattrs.Converter:
    """Return the converter for the values of one file, with the variables of `environ`."""
    converter = cattrs.Converter()
    texts = Texts(environ, document.path.absolute().parent)

    def secret(value: Any, _: Any) -> Secret:  # noqa: ANN401 - what a file holds
        return secret_of(value, converter, document)

    def text_or_secret(value: Any, kind: Any) -> str | Secret | None:  # noqa: ANN401 - the same
        if value is None and NoneType in get_args(kind):
            return None
        return secret(value, Secret) if isinstance(value, dict) else texts.text(value)

    converter.register_structure_hook(str, texts.text)
    converter.register_structure_hook(bool, true_or_false)
    converter.register_structure_hook(int, whole)
    converter.register_structure_hook(float, number)
    converter.register_structure_hook(Path, texts.path)
    converter.register_structure_hook(Secret, secret)
    converter.register_structure_hook_func(lambda kind: kind is Any, texts.anything)
    converter.register_structure_hook_func(_is_text_or_secret, text_or_secret)
    converter.register_structure_hook_factory(_is_one_of, texts.one_of)
    converter.register_structure_hook_factory(_is_list, list_of)
    converter.register_structure_hook_factory(is_mapping, mapping_of)
    converter.register_structure_hook_factory(dataclasses.is_dataclass, dataclass_of)
    converter.register_structure_hook_factory(attrs.has, attrs_class_of)
    return converter


def _is_text_or_secret(kind: Any) -> bool:  # noqa: ANN401 - any type
    members = set(get_args(kind)) - {NoneType}
    return get_origin(kind) in {Union, UnionType} and members == {str, Secret}


def _is_one_of(kind: Any) -> bool:  # noqa: ANN401 - any type
    return get_origin(kind) is Literal or (inspect.isclass(kind) and issubclass(kind, Enum))


def _is_list(kind: Any) -> bool:  # noqa: ANN401 - any type
    return is_any_set(kind) or is_sequence(kind) or get_origin(kind) is tuple
