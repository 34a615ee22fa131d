"""Formats of credentials that integrators add: their parsers run in a process of their own.

docs/credential-plugins.md is the contract for who writes one. A plug-in's process is a barrier
against faults, not a sandbox against malice: it runs as the service's user.
"""
