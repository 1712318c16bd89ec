"""The described API against what the server does: schemathesis makes the calls, right ones and wrong ones."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

schemathesis = pytest.importorskip("schemathesis")
from schemathesis import GenerationMode  # noqa: E402
from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ENDLESS = "/api/v1/session/events"


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
def test_every_call_does_what_its_description_says(stage, visit, mode):
    stage.step()
    app = visit().app_under_test
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    called = set()
    for operation in (found.ok() for found in schema.get_all_operations()):
        if operation.path == ENDLESS or (mode is GenerationMode.NEGATIVE and not operation.body):
            continue
        called.add(operation.label)

        @settings(
            max_examples=6, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode))
        def call(case) -> None:
            case.call_and_validate(checks=CHECKS)

        call()
    assert "POST /api/v1/session/parameters" in called
