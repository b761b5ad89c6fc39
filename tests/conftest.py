"""Fixtures shared by every test; the cast comes with the portal's own (tests/hub/conftest.py).

The state folder of a test run is temporary: Django's settings read `PUPITRE_STATE_DIR` when they are imported.
"""

from __future__ import annotations

import os
import tempfile

os.environ["PUPITRE_STATE_DIR"] = tempfile.mkdtemp(prefix="pupitre-test-")
for name in [n for n in os.environ if n.startswith("PUPITRE_") and n != "PUPITRE_STATE_DIR"]:
    del os.environ[name]
