"""All that a connector may import: the protocol, the values it speaks in, and safe ways to talk to the outside."""
