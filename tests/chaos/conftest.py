"""Lets the tests here share the helpers that also run by hand (``python tests/chaos/kill9.py``)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
