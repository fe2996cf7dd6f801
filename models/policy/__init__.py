"""The embedded policy and its decoding: next tokens from given noise."""
