"""``python -m gqlauth``: the command line, where ``gql`` is not on the path."""

from __future__ import annotations

from gqlauth._cli import main

main()
