"""The parts that LocalStack lacks for running Drivetrain without Docker and without an AWS account.

- ``lambda_executor``, ``function_process``, ``runtime_api``, ``reaper``: functions as processes of this machine
- ``forward``: SageMaker, SageMaker Runtime and Application Auto Scaling, answered by sagemaker-local
- ``step_functions``, ``sagemaker_task``: ``.sync`` SageMaker tasks, AWS's error names, complete status-change events
- ``apigateway``: request validation by content type, the bodies of gateway responses
- ``cloudformation``: stacks that can be deployed again
- ``events``: EventBridge targets with a constant or transformed input, and dead-letter queues
- ``runtime``: LocalStack listens on the configured address only, and ends when it is told to
- ``inbox``: e-mail subscriptions of SNS topics, delivered into a file

Nothing here depends on Drivetrain's functions, machines or names: it makes services behave as on AWS.
"""
