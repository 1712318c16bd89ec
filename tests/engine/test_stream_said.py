"""What a running stream says of values that it cannot take as they are."""

import logging

import pytest


def test_each_value_that_is_clamped_is_said_and_of_a_sweep_only_some(wrapper, caplog):
    for asked in (5.0, -1.0, 7.0):
        caplog.clear()
        wrapper.update_stream_params(delta=asked)
        assert f"delta {asked:g} clamped to {wrapper.get_stream_state()['delta']:g}" in caplog.text
    caplog.clear()
    for k in range(300):
        wrapper.update_stream_params(seed=-2 - k)
    assert 1 <= len(caplog.records) < 20


@pytest.mark.parametrize("steps", [0, -5, "0"])
def test_no_steps_at_all_are_refused_and_the_list_stays(wrapper, caplog, steps):
    before = wrapper.get_stream_state()
    wrapper.update_stream_params(num_inference_steps=steps)
    assert "num_inference_steps is 1 or more" in caplog.text
    assert wrapper.get_stream_state() == before


def test_who_listens_to_the_log_may_turn_the_stream(wrapper):
    class Listener(logging.Handler):
        def emit(self, record):
            wrapper.update_stream_params(delta=0.25)

    listener = Listener()
    logging.getLogger("clavilux").addHandler(listener)
    try:
        wrapper.update_stream_params(guidance_scale="loud")
    finally:
        logging.getLogger("clavilux").removeHandler(listener)
    assert wrapper.get_stream_state()["delta"] == 0.25
