"""`python -m appliance` is `chot`."""

from __future__ import annotations

from appliance.cli.main import main

main()
