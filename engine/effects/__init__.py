"""What happens to a picture around the diffuser: feedback into it, colour and mirror after it, one's own effects.

May import the engine's core, numpy and torch.
"""
