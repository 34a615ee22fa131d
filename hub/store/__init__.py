"""What the hub keeps, behind one port (`hub.store.port`).

The embedded default is SQLite (`hub.store.sqlite`). A larger engine stands behind the same port and
passes the same contract suite, `tests/contracts/test_hub_store.py`.
"""
