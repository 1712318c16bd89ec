"""Every snippet of StreamDiffusion's document on real-time parameter updates, as it is written there; only the package
that it imports from is this one."""

from types import SimpleNamespace

import pytest

BASIC = """
from clavilux.engine import create_wrapper_from_config, load_config

# Create wrapper
config = load_config("your_config.yaml")
wrapper = create_wrapper_from_config(config)

# During streaming, update parameters in real-time
wrapper.update_stream_params(
    num_inference_steps=8,      # Increase quality
    guidance_scale=1.5,         # Stronger prompt adherence
    delta=0.8,                  # Adjust noise characteristics
    t_index_list=[0, 2, 4, 6]   # Custom timestep schedule
)

# Continue streaming with new parameters
output = wrapper(input_image)
"""

INDIVIDUAL = """
# Update single parameters as needed
wrapper.update_stream_params(guidance_scale=2.0)  # Only guidance scale
wrapper.update_stream_params(num_inference_steps=50)  # Only inference steps
wrapper.update_stream_params(delta=1.2)  # Only delta
"""

DYNAMIC = """
# Example: Performance-based quality scaling
for frame in video_stream:
    if performance_monitor.fps < target_fps:
        # Reduce quality for better performance
        wrapper.update_stream_params(
            num_inference_steps=2,
            t_index_list=[0, 1]
        )
    elif performance_monitor.fps > target_fps * 1.2:
        # Increase quality when performance allows
        wrapper.update_stream_params(
            num_inference_steps=6,
            t_index_list=[0, 2, 4, 6, 8, 10]
        )

    output = wrapper(frame)
"""

VALIDATION = """
# If you change steps from 50 to 10, t_index_list [5, 15, 30, 45]
# becomes [5, 9, 9, 9] (clamped to max valid index)
wrapper.update_stream_params(num_inference_steps=10)
"""

CONTROLNET = """
# Works seamlessly with ControlNet pipelines
wrapper.update_stream_params(guidance_scale=1.8)
wrapper.update_controlnet_scale(0, 0.9)  # Adjust ControlNet strength
wrapper.update_control_image_efficient(new_control_image)
output = wrapper(input_image)
"""

CONFIGURED = """
# Runtime parameter updates work with any config-based setup
config = load_config("my_config.yaml")
wrapper = create_wrapper_from_config(config)

# Override config values dynamically
wrapper.update_stream_params(
    guidance_scale=config['guidance_scale'] * 1.5,
    num_inference_steps=config['num_inference_steps'] // 2
)
"""


class Fps:
    """A monitor that shows a slow second, a fast one and a slow one."""

    def __init__(self):
        self._frames = 0

    @property
    def fps(self):
        self._frames += 1  # asked twice in a frame that is fast
        return 10.0 if self._frames <= 20 or self._frames > 80 else 60.0


@pytest.fixture
def play(config, picture, monkeypatch):
    """Runs a snippet where `your_config.yaml` and `my_config.yaml` lie; gives everything that it can see."""
    (config.parent / "my_config.yaml").write_text(config.read_text())
    monkeypatch.chdir(config.parent)
    seen = SimpleNamespace(
        input_image=picture,
        new_control_image=picture,
        video_stream=[picture] * 70,
        performance_monitor=Fps(),
        target_fps=30,
    )

    def run(*snippets):
        for snippet in snippets:
            exec(snippet, seen.__dict__)
        return seen

    yield run
    seen.wrapper.close()


def state(seen):
    """Where the stream is going, once the updates before it are taken."""
    seen.wrapper(seen.input_image)
    return seen.wrapper.get_stream_state()


def test_the_basic_snippet(play):
    seen = play(BASIC)
    assert seen.output.size == (64, 64)
    now = seen.wrapper.get_stream_state()
    wanted = {"num_inference_steps": 8, "guidance_scale": 1.5, "delta": 0.8, "t_index_list": [0, 2, 4, 6]}
    assert {name: now[name] for name in wanted} == wanted


def test_individual_updates(play):
    now = state(play(BASIC, INDIVIDUAL))
    wanted = {"num_inference_steps": 50, "guidance_scale": 2.0, "delta": 1.2, "t_index_list": [0, 2, 4, 6]}
    assert {name: now[name] for name in wanted} == wanted


def test_quality_goes_up_and_down_while_frames_come(play):
    seen = play(BASIC, DYNAMIC)
    assert seen.output.size == (64, 64)
    assert state(seen)["t_index_list"] == [0, 1]
    seen.performance_monitor = SimpleNamespace(fps=60.0)
    assert state(play(DYNAMIC))["t_index_list"] == [0, 2, 4, 5, 5, 5]


def test_validation(play):
    seen = play(BASIC)
    seen.wrapper.update_stream_params(num_inference_steps=50, t_index_list=[5, 15, 30, 45])
    # Both in one frame: the list is fitted to the steps that came after it.
    assert state(play(VALIDATION))["t_index_list"] == [5, 9, 9, 9]


def test_controlnet_calls_paint_on(play):
    seen = play(BASIC, CONTROLNET)
    assert seen.output.size == (64, 64)
    assert state(seen)["guidance_scale"] == 1.8


def test_the_configuration_systems(play):
    now = state(play("from clavilux.engine import create_wrapper_from_config, load_config", BASIC, CONFIGURED))
    assert now["guidance_scale"] == pytest.approx(1.2 * 1.5)
    assert now["num_inference_steps"] == 25
