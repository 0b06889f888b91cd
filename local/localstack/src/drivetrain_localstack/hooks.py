"""What happens when LocalStack starts and stops. Each module owns its patches."""

from localstack.runtime import hooks


@hooks.on_infra_start()
def apply_patches() -> None:
    from drivetrain_localstack import cloudformation, events, inbox, lambda_executor, runtime, step_functions

    cloudformation.apply_patches()
    runtime.apply_patches()
    events.apply_patches()
    inbox.apply_patches()
    lambda_executor.apply_patches()
    step_functions.apply_patches()


# Before LocalStack's own: those wait for the events that functions still work on.
@hooks.on_infra_shutdown(priority=100)
def stop_functions() -> None:
    from drivetrain_localstack.function_process import REAPER

    REAPER.kill_all()
