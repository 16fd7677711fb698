"""Real and fake servers for the tests: docker-registry, a token server, a fault proxy.

Everything listens on loopback, lives in a temporary directory and ends with its context manager.
Put the folder `tests` on the module path: `PYTHONPATH=tests python3 -m fake.registries plain`.
"""
