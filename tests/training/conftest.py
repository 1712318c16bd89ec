"""``training`` is no part of the wheel: its tests find it in the checkout."""

import sys
from pathlib import Path

# Appended, not put first: the root holds folders named like standard modules.
sys.path.append(str(Path(__file__).resolve().parents[2]))
