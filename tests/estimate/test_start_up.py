"""The room is cheap to enter: reference libraries load when they are asked, not before."""

from __future__ import annotations

import subprocess
import sys


def test_importing_the_room_loads_no_model_library():
    libraries = ("lifelines", "statsmodels", "sklearn")
    code = f"import sys, discovery.estimate; print([m for m in {libraries} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_every_public_name_exists():
    import discovery.estimate as room

    assert all(hasattr(room, name) for name in room.__all__)
