"""Metal textures filled from and read into the tensors of torch's mps: no way through memory, on Apple's cards.

On mps a storage's data pointer is the MTLBuffer itself. Metal's part is MTLBlitCommandEncoder, by its pyobjc names.
"""

from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any


def pool() -> AbstractContextManager[Any]:
    """Within it what Apple's libraries hand out for a moment is let go of at its end. On a thread that Python made
    nobody else does that, and every picture would leave its command buffers behind until the show ends."""
    try:
        return import_module("objc").autorelease_pool()
    except (ImportError, AttributeError):
        return nullcontext()


def fill(texture: Any, rgba: Any, commands: Any, torch: Any) -> None:
    """Put into `commands` the copy of `rgba`, a uint8 (h, w, 4) mps tensor, into the RGBA8Unorm `texture`."""
    torch.mps.synchronize()
    height, width = rgba.shape[:2]
    encoder = commands.blitCommandEncoder()
    encoder.copyFromBuffer_sourceOffset_sourceBytesPerRow_sourceBytesPerImage_sourceSize_toTexture_destinationSlice_destinationLevel_destinationOrigin_(
        _buffer(rgba),
        rgba.storage_offset(),
        width * 4,
        width * height * 4,
        (width, height, 1),
        texture,
        0,
        0,
        (0, 0, 0),
    )
    encoder.endEncoding()


def read(texture: Any, queue: Any, torch: Any) -> Any:
    """A uint8 (h, w, 4) mps tensor of an eight-bit `texture`, in its own order of channels and rows."""
    width, height = texture.width(), texture.height()
    rgba = torch.empty((height, width, 4), dtype=torch.uint8, device="mps")
    # Whatever torch still does with that memory comes first.
    torch.mps.synchronize()
    commands = queue.commandBuffer()
    encoder = commands.blitCommandEncoder()
    encoder.copyFromTexture_sourceSlice_sourceLevel_sourceOrigin_sourceSize_toBuffer_destinationOffset_destinationBytesPerRow_destinationBytesPerImage_(
        texture,
        0,
        0,
        (0, 0, 0),
        (width, height, 1),
        _buffer(rgba),
        rgba.storage_offset(),
        width * 4,
        width * height * 4,
    )
    encoder.endEncoding()
    commands.commit()
    commands.waitUntilCompleted()
    return rgba


def _buffer(tensor: Any) -> Any:
    return import_module("objc").objc_object(c_void_p=tensor.untyped_storage().data_ptr())
