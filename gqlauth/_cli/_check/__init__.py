"""``gql auth check``: every step against the real servers, each timed. One file a step."""
