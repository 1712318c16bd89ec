"""What Apple's card cannot do, by a tensor that refuses it as torch does there."""

from types import SimpleNamespace

import numpy as np
import torch
from clavilux.engine.diffusion.steering import Ask, Steering


class OnApplesCard(torch.Tensor):
    def double(self):
        raise TypeError("Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64.")

    def cpu(self):
        return self.as_subclass(torch.Tensor)


def test_a_look_is_had_at_the_angles_of_steps_that_lie_there():
    steering = Steering.__new__(Steering)
    steering._model = SimpleNamespace(schedule=SimpleNamespace(angle=lambda t: np.asarray(t) / 1000))
    look = SimpleNamespace(slots=lambda angle: [angle])
    t = torch.tensor([999.0, 500.0]).as_subclass(OnApplesCard)
    x = torch.zeros(2, 4, 8, 8)
    steer = SimpleNamespace(look=look, past=0.0)
    ask = Ask(x, t, x, None, steer, ((0, False), (1, False)), 2)
    assert steering._slots(ask) == [[0.999], [0.5]]
