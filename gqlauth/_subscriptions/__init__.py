"""Subscriptions over websockets that outlive their tokens, whichever library connects."""
