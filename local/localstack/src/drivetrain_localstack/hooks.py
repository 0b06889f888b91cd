"""Code that runs when LocalStack starts and stops. Each module has its own patches."""

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


# Before LocalStack's own hooks, which wait for events that functions are still working on.
@hooks.on_infra_shutdown(priority=100)
def stop_functions() -> None:
    from drivetrain_localstack.function_process import REAPER

    REAPER.kill_all()
