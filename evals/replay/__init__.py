"""Replaying scripts: the production conversation in virtual time, by words or by sound."""
