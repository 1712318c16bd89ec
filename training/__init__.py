"""How the embedded model is made: pictures, autoencoder, UNet, distillation, evaluation, export.

Run from the repository root, for example ``python -m training.vae``. Nothing in the package imports this room, and
it is no part of the wheel.
"""
