"""What happens when LocalStack starts and stops. Each module owns its patches."""

from localstack.runtime import hooks


@hooks.on_infra_start()
def apply_patches() -> None:
    from drivetrain_localstack import (
        apigateway,
        cloudformation,
        events,
        inbox,
        lambda_executor,
        runtime,
        step_functions,
    )

    for module in (apigateway, cloudformation, events, inbox, lambda_executor, runtime, step_functions):
        module.apply_patches()


# Before LocalStack's own: those wait for the events that functions still work on.
@hooks.on_infra_shutdown(priority=100)
def stop_functions() -> None:
    from drivetrain_localstack.function_process import REAPER

    REAPER.kill_all()
