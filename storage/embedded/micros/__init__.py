"""Runs Micros on this machine: the sandbox, the supervisor of what runs in it, and what they may reach."""
