"""The codecs of inner legs: always under their static payload types (RFC 3551), whatever was agreed outside."""

INNER_PAYLOAD_TYPES = {"PCMU": 0, "PCMA": 8, "G722": 9}
