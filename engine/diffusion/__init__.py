"""The model: schedule, prompts, diffuser, model loading, accelerators, pre- and post-processing.

May import `core`, torch, diffusers, transformers and openvino. It knows nothing of OSC, MIDI, files to play or sinks.
"""
