"""The show's figures in Prometheus' text form, version 0.0.4."""

from collections.abc import Iterator, Mapping
from typing import Any

_FIGURES = (
    ("fps", "gauge", "Frames a second over the last window."),
    ("frames", "counter", "Frames made since the show began."),
    ("dropped", "counter", "Frames that a source delivered, or a sink was offered, and nobody took."),
    ("events", "counter", "Control messages received."),
    ("events_lost", "counter", "Control messages lost because more came at once than are taken."),
    ("osc_malformed", "counter", "Packets on the OSC port that were no OSC."),
    ("peers", "gauge", "WebRTC peers connected."),
    ("seconds", "counter", "Seconds since the show began."),
)
_TIMES = (
    ("latency_ms", "latency_seconds", "From the capture of a source's frame to the finished picture."),
    ("control_latency_ms", "control_latency_seconds", "From the arrival of a message to the first picture with it."),
    ("render_ms", "render_seconds", "Making one picture."),
)


def exposition(metrics: Mapping[str, Any]) -> str:
    """The text of GET /metrics."""
    return "\n".join(_lines(metrics)) + "\n"


def _lines(metrics: Mapping[str, Any]) -> Iterator[str]:
    for key, kind, words in _FIGURES:
        if isinstance(metrics.get(key), (int, float)):
            name = f"clavilux_{key}" + ("_total" if kind == "counter" else "")
            yield f"# HELP {name} {words}"
            yield f"# TYPE {name} {kind}"
            yield f"{name} {metrics[key]}"
    for key, short, words in _TIMES:
        percentiles = metrics.get(key)
        if not isinstance(percentiles, Mapping):
            continue
        name = f"clavilux_{short}"
        yield f"# HELP {name} {words}"
        yield f"# TYPE {name} summary"
        for label, ms in percentiles.items():
            if ms is not None:
                yield f'{name}{{quantile="0.{label[1:]}"}} {ms / 1000:.6f}'
    yield "# HELP clavilux_errors Faults reported in the last two minutes."
    yield "# TYPE clavilux_errors gauge"
    yield f"clavilux_errors {len(metrics.get('errors', ()))}"
    sinks = metrics.get("sinks") or ()
    if sinks:
        yield "# HELP clavilux_sink_written_total Frames a sink has taken."
        yield "# TYPE clavilux_sink_written_total counter"
    for sink in sinks:
        name = str(sink.get("name", "")).replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
        yield f'clavilux_sink_written_total{{sink="{name}"}} {sink.get("written", 0)}'
