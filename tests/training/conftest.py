"""``training`` is no part of the wheel: its tests find it in the checkout."""

import sys
from pathlib import Path

import pytest
import torch

# Appended, not put first: the root holds folders named like standard modules.
sys.path.append(str(Path(__file__).resolve().parents[2]))


@pytest.fixture
def tiny():
    """A UNet small enough for a test."""
    from training.model import build_unet

    torch.manual_seed(0)
    return build_unet((32, 32, 32))
