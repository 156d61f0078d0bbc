"""What reading a secret comes to where it fails, and that it shows none."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

import gqlauth
from gqlauth import SecretError

if TYPE_CHECKING:
    from gqlauth._secret import SecretSource

#: A secret that must not come up.
HIDDEN: Final = "s3cr3t-value"
_OURS: Final = str(Path(gqlauth.__file__).parent)


async def trouble(source: SecretSource) -> str:
    """Return the error of reading `source`; no frame that it passed through shows the secret."""
    with pytest.raises(SecretError) as caught:
        await source.read()
    seen: BaseException | None = caught.value
    while seen is not None:
        shown = traceback.TracebackException.from_exception(seen, capture_locals=True)
        ours = [frame for frame in shown.stack if frame.filename.startswith(_OURS)]
        assert HIDDEN not in str([frame.locals for frame in ours])
        assert HIDDEN not in str(seen)
        seen = seen.__cause__ or seen.__context__
    return str(caught.value)
